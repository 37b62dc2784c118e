"""One small test per law of the house, read off the syntax trees. import-linter holds the floors, these the rest."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.trees import PACKAGE, ROOT, calls_method, imports, modules, named, offenders, parsed

pytestmark = pytest.mark.xdist_group("source")

LONGEST_FILE = 299  # lines
LONGEST_FUNCTION = 70  # lines
# Where money is counted, and a float would lose some of it.
MONEY_ROOMS = ("costs", "ledger", "wallet", "billing", "metering", "providers")
MONEY_WORDS = (
    "amount",
    "cost",
    "price",
    "usd",
    "nano",
    "micro",
    "cents",
    "credits",
    "balance",
    "spend",
    "spent",
    "total",
)
JSON_NUMBER = "int | float"  # what core.money.json_number gives to a JSON answer, and to nothing else
NOT_MONEY = ("seconds", "ratio", "share", "percent")


def test_only_the_clock_asks_what_time_it_is():
    def asks(node: ast.AST) -> bool:
        owner = node.func.value if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None
        is_class = isinstance(owner, ast.Name | ast.Attribute) and ast.unparse(owner).split(".")[-1] in {
            "datetime",
            "date",
        }
        return is_class and calls_method(node, "now", "utcnow", "today")

    assert offenders(PACKAGE, asks, but=("core/clock.py",)) == []


def test_only_the_demo_tells_a_history():
    def goes_back(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and calls_method(node, "standing_at")

    assert {place.split(":")[0].split("/")[1] for place in offenders(PACKAGE, goes_back)} == {"demo"}


def test_no_float_comes_near_money():
    def floats(node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"

    found = [place for room in MONEY_ROOMS for place in offenders(PACKAGE / room, floats)]

    assert found == []


def test_no_amount_is_annotated_as_a_float():
    found = [
        f"{named(path, node)} {name}"
        for path, tree in modules(PACKAGE)
        for node in ast.walk(tree)
        for name, annotation in _annotated(node)
        if "float" in _names_in(annotation) and _sounds_like_money(name)
    ]

    assert found == []


def _sounds_like_money(name: str) -> bool:
    return any(word in name.lower() for word in MONEY_WORDS) and not any(word in name.lower() for word in NOT_MONEY)


def _annotated(node: ast.AST) -> list[tuple[str, ast.expr]]:
    if isinstance(node, ast.AnnAssign):
        return [(ast.unparse(node.target), node.annotation)]
    if isinstance(node, ast.arg) and node.annotation:
        return [(node.arg, node.annotation)]
    if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) != JSON_NUMBER:
        return [(node.name, node.returns)]
    return []


def _names_in(annotation: ast.expr) -> set[str]:
    return {part.id for part in ast.walk(annotation) if isinstance(part, ast.Name)}


def test_providers_answers_are_read_without_floats():
    def reads_floats(node: ast.AST) -> bool:
        is_reader = calls_method(node, "loads", "load") and ast.unparse(node.func.value) == "json"  # type: ignore[attr-defined]
        return is_reader and "parse_float" not in {word.arg for word in node.keywords}  # type: ignore[attr-defined]

    assert offenders(PACKAGE / "providers", reads_floats) == []


def test_only_providers_speak_http():
    def speaks(node: ast.AST) -> bool:
        return imports(node, "requests", "urllib3", "httpx", "http.client", "urllib.request")

    assert offenders(PACKAGE, speaks, but=("providers", "sandbox")) == []


def test_no_exception_is_swallowed_blindly():
    def is_blind(node: ast.AST) -> bool:
        if not isinstance(node, ast.ExceptHandler):
            return False
        is_broad = node.type is None or (
            isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}
        )
        return is_broad and not any(isinstance(part, ast.Raise) for part in ast.walk(node)) and _does_nothing(node)

    assert offenders(PACKAGE, is_blind) == []


def _does_nothing(handler: ast.ExceptHandler) -> bool:
    return all(isinstance(line, ast.Pass | ast.Continue | ast.Constant) for line in handler.body)


def _ours() -> list[Path]:
    folders = [ROOT / name for name in ("tokenboard", "scripts", "bench", "tests", "migrations")]
    files = [ROOT / name for name in ("run", "wsgi.py", "worker.py", "gunicorn.conf.py")]
    return [path for folder in folders if folder.is_dir() for path in sorted(folder.rglob("*.py"))] + [
        path for path in files if path.is_file()
    ]


def _is_migration(path: Path) -> bool:
    """A migration is a list, read once from top to bottom, and never changed again."""
    return "versions" in path.parts


def test_every_file_fits_on_a_few_screens():
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in _ours() if not _is_migration(path)}

    assert [f"{path.relative_to(ROOT)}: {lines}" for path, lines in lengths.items() if lines > LONGEST_FILE] == []


def test_every_function_fits_on_one_screen():
    found = [
        f"{named(path, node)} {node.name}: {(node.end_lineno or node.lineno) - node.lineno + 1} lines"
        for path in _ours()
        if not _is_migration(path)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > LONGEST_FUNCTION
    ]

    assert found == []


def test_every_module_says_what_it_is_for():
    mute = [
        str(path.relative_to(ROOT)) for path in _ours() if path.stat().st_size and not ast.get_docstring(parsed(path))
    ]

    assert mute == []


def test_every_skip_gives_its_reason():
    def is_mute(node: ast.AST) -> bool:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            return any(ast.unparse(mark) == "pytest.mark.skip" for mark in node.decorator_list)
        if not (
            isinstance(node, ast.Call) and ast.unparse(node.func) in {"pytest.skip", "pytest.mark.skip", "pytest.xfail"}
        ):
            return False
        return not node.args and not any(word.arg == "reason" for word in node.keywords)

    assert offenders(ROOT / "tests", is_mute) == []


def test_no_name_says_nothing():
    empty_words = {"utils", "util", "helpers", "helper", "manager", "misc", "common"}

    assert [str(path.relative_to(ROOT)) for path in _ours() if path.stem in empty_words] == []


def test_the_procfile_starts_what_heroku_starts():
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()

    assert [line.partition(":")[0] for line in lines] == ["release", "web", "worker"]
