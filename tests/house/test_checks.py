"""`./run check`: each of our own checks finds what it is there to find."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import Environment

from scripts.check_docs import anchors, faults_of
from scripts.check_templates import faults_of_text, faults_of_tree


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('<p style="color: red">', "an inline style"),
        ('<a onclick="go()">', "an inline handler"),
        ('<a hx-on:click="go()">', "hx-on"),
        ("<a hx-vals='js:{x: 1}'>", "js:"),
        ('<a href="javascript:go()">', "js:"),
        ("<script>go()</script>", "an inline script"),
        ("<style>p {}</style>", "a style element"),
        ("{{ text | safe }}", "|safe"),
        ("{% autoescape false %}{% endautoescape %}", "an autoescape block"),
        ('<form method="post"><input name="a"></form>', "a POST form without its CSRF field"),
    ],
)
def test_a_template_that_breaks_the_policy_is_found_at_its_line(source: str, fault: str):
    faults = faults_of_text("page.html", f"{{# a comment\nof two lines #}}\n{source}")

    assert len(faults) == 1
    assert faults[0].startswith(f"page.html:3: {fault}")


@pytest.mark.parametrize(
    "source",
    [
        '{# style="x" is forbidden #}',
        '<script defer src="/app.js"></script>',
        '<script type="application/json">{}</script>',
        '<form method="post">{{ ui.csrf() }}</form>',
        '<form method="get"></form>',
        '<p class="style" data-on="x">',
    ],
)
def test_a_template_that_keeps_the_policy_is_let_through(source: str):
    assert faults_of_text("page.html", source) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{% block spendCard %}{% endblock %}", "block `spendCard` is not snake_case"),
        ("{{ ui.buton('x') }}", "ui.buton is no macro of ui.html"),
        ("{% from 'ui.html' import button %}", "imports a macro; reach it as ui.…"),
        ("{% extends 'base.html' %}{% set a = 1 %}", "a `set` outside every block; a fragment does not see it"),
    ],
)
def test_a_template_a_fragment_could_not_draw_is_found(source: str, fault: str):
    assert faults_of_tree("page.html", Environment(autoescape=True).parse(source), {"button"}) == [
        f"page.html:1: {fault}"
    ]


def test_a_broken_link_is_found_and_links_in_code_are_not_links(tmp_path: Path):
    (tmp_path / "there.md").write_text("# The `one` command\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#the-one-command) [c](https://example.com) [d](#own)\n# Own\n"
        "`[e](code.md)`\n```\n[f](fence.md)\n```\n"
        "[g](gone.md) [h](there.md#gone) [i](../../outside.md)\n[j]: lost.md\n"
    )

    assert faults_of(page, tmp_path) == [
        "page.md: gone.md leads nowhere",
        "page.md: there.md#gone names a heading that is not there",
        "page.md: ../../outside.md leads nowhere",
        "page.md: lost.md leads nowhere",
    ]


def test_headings_of_the_same_text_are_numbered():
    assert anchors("# Run it\n## Run it\n") == {"run-it", "run-it-1"}
