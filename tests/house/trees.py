"""Reading the house's own source as syntax trees, for the tests that hold its laws. They share a test process."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tokenboard"


def modules(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    """Every module under a folder; none when the room is not built yet."""
    for path in sorted(folder.rglob("*.py")):
        yield path, parsed(path)


@functools.cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def named(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 1)}"


def offenders(folder: Path, breaks: Callable[[ast.AST], bool], *, but: tuple[str, ...] = ()) -> list[str]:
    """Where a syntax tree breaks a law, as file:line."""
    spared = [PACKAGE / name for name in but]
    return [
        named(path, node)
        for path, tree in modules(folder)
        if not any(path == place or place in path.parents for place in spared)
        for node in ast.walk(tree)
        if breaks(node)
    ]


def calls_method(node: ast.AST, *names: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names


def imports(node: ast.AST, *modules: str) -> bool:
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    else:
        return False
    return any(name == module or name.startswith(f"{module}.") for name in names for module in modules)
