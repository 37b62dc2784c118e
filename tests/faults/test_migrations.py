"""A new version's migrations run while the old one still serves: they may only add (reference "Reliability", F23).

What takes something away ("contract") comes a version later, in a migration that says so in its docstring with the
word `contract:` and since which version nobody uses it. The first version's own migrations made an empty house.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"
FIRST_RELEASE = 18  # the number of the last migration that ran before anybody served
TAKING = {"drop_table", "drop_column", "drop_constraint", "rename_table"}


def _faults(source: str) -> Iterator[str]:
    tree = ast.parse(source)
    if re.search(r"\bcontract:", ast.get_docstring(tree) or ""):
        return
    upgrade = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "upgrade")
    for node in ast.walk(upgrade):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _faults_of(node, node.func.attr)


def _faults_of(call: ast.Call, name: str) -> Iterator[str]:
    words = {word.arg: ast.unparse(word.value) for word in call.keywords}
    if name in TAKING:
        yield f"{name} takes something away that the old version uses"
    if name == "alter_column" and (words.get("nullable") == "False" or {"new_column_name", "type_"} & set(words)):
        yield "alter_column changes what the old version writes"
    if name == "add_column":
        column = next((one for one in call.args if isinstance(one, ast.Call)), None)
        told = {word.arg: ast.unparse(word.value) for word in column.keywords} if column else {}
        if told.get("nullable") != "True" and "server_default" not in told:
            yield "add_column: the old version inserts rows without it, so it needs a server_default or nullable=True"


def _migrations() -> list[Path]:
    return [path for path in sorted(VERSIONS.glob("*.py")) if int(path.name[:4]) > FIRST_RELEASE]


def test_the_numbers_are_the_order_they_run_in():
    chain = ScriptDirectory(str(VERSIONS.parent)).walk_revisions()
    in_order = [(one.revision, Path(one.path).name[:4]) for one in reversed(list(chain))]

    numbers = [f"{number:04}" for number in range(1, len(in_order) + 1)]
    assert in_order == list(zip(numbers, numbers, strict=True))


def test_migrations_only_add_while_the_old_version_serves():
    found = {path.name: list(_faults(path.read_text(encoding="utf-8"))) for path in _migrations()}

    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize(
    ("line", "is_fine"),
    [
        ("batch.add_column(sa.Column('note', sa.Text(), nullable=True))", True),
        ("batch.add_column(sa.Column('note', sa.Text(), server_default='', nullable=False))", True),
        ("op.create_index('ix', 'person', ['email'])", True),
        ("batch.add_column(sa.Column('note', sa.Text(), nullable=False))", False),
        ("batch.drop_column('note')", False),
        ("batch.alter_column('note', new_column_name='remark')", False),
        ("op.drop_table('note')", False),
    ],
)
def test_the_law_knows_what_the_old_version_survives(line: str, is_fine: bool):
    source = f'"""Something."""\ndef upgrade():\n    {line}\ndef downgrade():\n    op.drop_table("note")\n'

    assert (not list(_faults(source))) is is_fine
    assert not list(_faults(source.replace("Something.", "contract: unused since 0.2.0.")))
