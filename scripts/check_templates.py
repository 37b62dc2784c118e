"""Templates: every one compiles under StrictUndefined, and keeps the laws of the strict content security policy.

Runs inside `.venv`. Held here: no `|safe` or unescaped block, no inline style, script or handler, no imports or `set`
at the top of a page (a fragment would not see them), block names in snake_case, forms with their CSRF field, and macros
that exist.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment, StrictUndefined, TemplateError, nodes

from scripts.house import here
from tokenboard.app import create_app
from tokenboard.core.config import load_settings

# Templates that may use `|safe`, with the reason. Everything else is escaped by Jinja.
MAY_BE_SAFE: dict[str, str] = {}

_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL | re.IGNORECASE)
_SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_FORBIDDEN = (
    (re.compile(r"\sstyle\s*=", re.IGNORECASE), "an inline style; the policy forbids it, use a class"),
    (re.compile(r"\son[a-z]+\s*=\s*[\"']", re.IGNORECASE), "an inline handler; the policy forbids it, use app.js"),
    (re.compile(r"\bhx-on\b", re.IGNORECASE), "hx-on; it is evaluated, which the policy forbids"),
    (re.compile(r"[\"'](js|javascript):", re.IGNORECASE), "js:; it is evaluated, which the policy forbids"),
    (re.compile(r"<style\b", re.IGNORECASE), "a style element; use app.css"),
    (re.compile(r"<script\b(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", re.IGNORECASE), "an inline script"),
    (re.compile(r"\{%-?\s*autoescape\b"), "an autoescape block"),
)
_SAFE = re.compile(r"\|\s*safe\b")


def faults_of_text(name: str, source: str) -> list[str]:
    """What can be seen in the text alone, as `template:line: fault`."""
    text = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), source)
    rules = _FORBIDDEN if name in MAY_BE_SAFE else (*_FORBIDDEN, (_SAFE, "|safe; escape it, or name it in MAY_BE_SAFE"))
    found = [(match.start(), fault) for rule, fault in rules for match in rule.finditer(text)]
    found += [
        (match.start(), "a POST form without its CSRF field") for match in _FORM.finditer(text) if _is_bare(match[0])
    ]
    return [f"{name}:{text.count(chr(10), 0, place) + 1}: {fault}" for place, fault in sorted(found)]


def _is_bare(form: str) -> bool:
    opening = form.partition(">")[0]
    is_post = re.search(r"method\s*=\s*[\"']post", opening, re.IGNORECASE) or "hx-post" in opening
    return bool(is_post) and "csrf" not in form


def faults_of_tree(name: str, tree: nodes.Template, macros: set[str]) -> list[str]:
    """What the parsed template shows, as `template:line: fault`."""
    found = [(block.lineno, f"block `{block.name}` is not snake_case") for block in _odd_blocks(tree)]
    found += [
        (use.lineno, f"ui.{use.attr} is no macro of ui.html")
        for use in tree.find_all(nodes.Getattr)
        if isinstance(use.node, nodes.Name) and use.node.name == "ui" and use.attr not in macros
    ]
    found += [
        (node.lineno, "imports a macro; reach it as ui.…") for node in tree.find_all((nodes.FromImport, nodes.Import))
    ]
    if tree.find(nodes.Extends):
        hidden = (node for node in tree.body if isinstance(node, (nodes.Assign, nodes.AssignBlock)))
        found += [(node.lineno, "a `set` outside every block; a fragment does not see it") for node in hidden]
    return [f"{name}:{line}: {fault}" for line, fault in sorted(found)]


def _odd_blocks(tree: nodes.Template) -> Iterator[nodes.Block]:
    return (block for block in tree.find_all(nodes.Block) if not _SNAKE.fullmatch(block.name))


def check(environment: Environment) -> list[str]:
    """Every fault of every template."""
    if environment.undefined is not StrictUndefined:
        return ["the application's templates are not StrictUndefined"]
    assert environment.loader is not None, "Flask gives its environment a loader"
    macros = _macros(environment)
    faults = []
    for name in environment.list_templates(filter_func=lambda name: name.endswith((".html", ".txt", ".xml", ".svg"))):
        source = environment.loader.get_source(environment, name)[0]
        faults += faults_of_text(name, source)
        try:
            environment.get_template(name)
            faults += faults_of_tree(name, environment.parse(source, name), macros)
        except TemplateError as error:
            faults.append(f"{name}:{getattr(error, 'lineno', 0)}: {error.message or type(error).__name__}")
    return faults


def _macros(environment: Environment) -> set[str]:
    assert environment.loader is not None, "Flask gives its environment a loader"
    source = environment.loader.get_source(environment, "ui.html")[0]
    return {macro.name for macro in environment.parse(source).find_all(nodes.Macro)}


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "TMPDIR"}}
        application = create_app(load_settings(kept | {"LOG_LEVEL": "WARNING"}, instance_path=Path(folder)))
        faults = check(application.jinja_env)
    for fault in faults:
        print(f"templates/{fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    os.chdir(here().root)
    sys.exit(main())
