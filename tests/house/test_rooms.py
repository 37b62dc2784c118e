"""The laws inside a room and between rooms that import-linter cannot see: who commits, which way imports go."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.trees import PACKAGE, calls_method, imports, modules, named, offenders, parsed

pytestmark = pytest.mark.xdist_group("source")

# A room's files by the last word of their names, and how high they stand in it.
KINDS = {
    **dict.fromkeys(("routes", "api", "webhooks", "cli"), 5),
    **dict.fromkeys(("tasks", "streaming"), 4),
    "service": 3,
    **dict.fromkeys(("queries", "forms", "guards", "access", "inbox"), 2),
    "models": 1,
    "rules": 0,
}
COMMITTING_KINDS = {"routes", "api", "webhooks", "cli", "tasks", "streaming"}


def test_only_doors_and_tasks_commit():
    inner = [path for path, _ in modules(PACKAGE) if _kind(path) in set(KINDS) - COMMITTING_KINDS]

    found = [named(path, node) for path in inner for node in ast.walk(parsed(path)) if calls_method(node, "commit")]

    assert found == []


def _kind(path: Path) -> str:
    """What a room's file is by its last word: `budget_service.py` is a service."""
    return path.stem.rpartition("_")[2]


def test_inside_a_room_imports_go_from_doors_to_rules():
    found = [
        f"{named(path, node)} imports {module}"
        for path, tree in modules(PACKAGE)
        if _kind(path) in KINDS
        for node in ast.walk(tree)
        for module in _room_mates(path, node)
        if KINDS[_kind(path)] < KINDS.get(module.rpartition("_")[2], 0)
    ]

    assert found == []


def _room_mates(path: Path, node: ast.AST) -> list[str]:
    """Modules of the same room that a line imports, by their bare names."""
    room = f"tokenboard.{path.parent.name}"
    if not isinstance(node, ast.ImportFrom) or not node.module:
        return []
    if node.module == room:
        return [alias.name for alias in node.names]
    return [node.module.removeprefix(f"{room}.")] if node.module.startswith(f"{room}.") else []


def test_rules_do_nothing_but_decide():
    outside = (
        "flask",
        "flask_sqlalchemy",
        "sqlalchemy",
        "requests",
        "redis",
        "rq",
        "os",
        "tokenboard.core.db",
        "tokenboard.web",
    )

    found = [
        named(path, node)
        for path, tree in modules(PACKAGE)
        for node in ast.walk(tree)
        if _kind(path) == "rules" and imports(node, *outside, "tokenboard.core.jobs", "tokenboard.core.settings")
    ]

    assert found == []


def test_services_and_rules_never_read_the_request():
    def reads(node: ast.AST) -> bool:
        return imports(node, "flask.request", "flask.session", "flask.render_template", "flask.g")

    found = [
        named(path, node)
        for path, tree in modules(PACKAGE)
        for node in ast.walk(tree)
        if _kind(path) in {"service", "rules", "queries"} and reads(node)
    ]

    assert found == []


def test_only_the_ledger_touches_ledger_rows():
    assert offenders(PACKAGE, lambda node: imports(node, "tokenboard.ledger.models"), but=("ledger",)) == []


def test_the_ledger_knows_neither_web_nor_provider():
    outside = (
        "flask",
        "werkzeug",
        "flask_login",
        "flask_wtf",
        "requests",
        "stripe",
        "tokenboard.web",
        "tokenboard.providers",
    )

    assert offenders(PACKAGE / "ledger", lambda node: imports(node, *outside)) == []


def test_no_relationship_points_up_with_a_backref():
    def points_up(node: ast.AST) -> bool:
        return isinstance(node, ast.keyword) and node.arg in {"backref", "back_populates"}

    assert offenders(PACKAGE, points_up) == []
