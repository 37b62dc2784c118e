"""The macros and the templates: drawn strictly, with nothing the content policy would refuse."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from flask import Flask
from jinja2 import FileSystemLoader

from tokenboard.core.money import NANO_PER_USD as USD
from tokenboard.web import assets, filters, macros
from tokenboard.web.charts import Series, stacked_bars
from tokenboard.web.shell import Balance, Banner, NavigationItem, Shell, ShellPerson, ShellWorkspace

TEMPLATES = assets.STATIC_ROOT.parent / "templates"
DAYS = [date(2026, 10, 1) + timedelta(days=n) for n in range(7)]
SHELL = Shell(
    person=ShellPerson("Alice <b>", "alice@example.org", "A", is_admin=False),
    workspace=ShellWorkspace("1", "Acme", "owner", is_current=True, is_demo=False),
    workspaces=(
        ShellWorkspace("1", "Acme", "owner", is_current=True, is_demo=False),
        ShellWorkspace("2", "Demo Ltd", "owner", is_current=False, is_demo=True),
    ),
    navigation=(NavigationItem("Dashboard", "/dashboard", "layout-dashboard", is_current=True),),
    banners=(Banner("demo", "These numbers are made up.", "/demo", "Remove"),),
    theme="dark",
    balance=Balance("48,210 credits", 48_210_000_000),
    toasts=(("success", "Saved."),),
)


@pytest.fixture
def bare() -> Flask:
    """An application with nothing but the look."""
    app = Flask(__name__, static_folder=None)
    app.jinja_loader = FileSystemLoader(TEMPLATES)
    macros.init_app(app)
    filters.register(app)
    assets.init_app(app)
    app.jinja_env.globals["csrf_token"] = lambda: "token-1"
    return app


def drawn(app: Flask, source: str, **context: object) -> str:
    with app.test_request_context():
        return app.jinja_env.from_string(source).render(**context)


def page(app: Flask, shell: Shell = SHELL) -> str:
    source = '{% extends "base.html" %}{% block title %}T{% endblock %}{% block main %}<h1>Hello</h1>{% endblock %}'
    return drawn(app, source, shell=shell)


def test_the_shell_shows_who_where_and_what(bare: Flask) -> None:
    html = page(bare)
    assert '<html lang="en" data-theme="dark">' in html
    assert "Alice &lt;b&gt;" in html
    assert re.search(r'<option value="2">Demo Ltd \(demo\)', html)
    assert 'aria-current="page"' in html
    assert "48,210 credits" in html
    assert "Saved." in html
    assert "These numbers are made up." in html


def test_the_shell_sends_the_token_with_every_htmx_request(bare: Flask) -> None:
    assert 'hx-headers:inherited="{&#34;X-CSRFToken&#34;: &#34;token-1&#34;}"' in page(bare)


def test_every_form_of_the_shell_carries_the_token(bare: Flask) -> None:
    forms = re.findall(r"<form.*?</form>", page(bare), re.DOTALL)
    assert len(forms) == 3
    assert all('name="csrf_token" value="token-1"' in form for form in forms)


def test_the_shell_stands_without_person_or_workspace(bare: Flask) -> None:
    assert "Hello" in page(bare, Shell())


def test_a_single_workspace_is_named_but_not_offered_as_a_choice(bare: Flask) -> None:
    html = page(bare, Shell(workspace=SHELL.workspace, workspaces=SHELL.workspaces[:1]))
    assert "Acme" in html
    assert "<select" not in html


def test_the_error_page_needs_no_session_no_shell_and_no_token(bare: Flask) -> None:
    del bare.jinja_env.globals["csrf_token"]
    template = bare.jinja_env.get_template("errors/error.html")
    with bare.test_request_context():
        html = template.render(status=503, title="Busy", message="Try <again>.", request_id="9f2c")
    assert "Try &lt;again&gt;." in html
    assert "9f2c" in html
    assert "<form" not in html


def test_a_chart_has_a_table_with_the_same_days(bare: Flask) -> None:
    chart = stacked_bars(
        days=DAYS, series=[Series("a", "<i>gpt</i>", [USD] * 7)], today=DAYS[5], forecast=[None] * 5 + [2 * USD] * 2
    )
    html = drawn(bare, '{{ ui.chart(chart, "c", "Cost") }}', chart=chart)
    assert html.count('class="bar"') == len(re.findall(r'<tr><th scope="row">', html)) == 7
    assert html.count('tabindex="0"') == 2  # one bar and the table; the arrows reach the other bars
    assert html.count('class="forecast"') == 2
    assert "&lt;i&gt;gpt&lt;/i&gt;" in html


def test_a_field_with_an_error_says_so_to_everyone(bare: Flask) -> None:
    html = drawn(bare, '{{ ui.field("email", "E-mail", hint="Yours.", errors=["Taken."]) }}')
    assert 'aria-describedby="email_hint email_error"' in html
    assert 'aria-invalid="true"' in html
    assert 'role="alert"' in html


def test_links_stay_links_when_htmx_swaps_a_panel(bare: Flask) -> None:
    options = [{"label": "7d", "href": "/?days=7", "is_current": True}]
    html = drawn(bare, '{{ ui.segmented("Period", options, target="panel") }}', options=options)
    assert 'href="/?days=7" aria-current="true" hx-get="/?days=7" hx-target="#panel"' in html


@pytest.mark.parametrize("template", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.name)
def test_no_template_holds_what_the_content_policy_refuses(template: object) -> None:
    source = re.sub(r"\{#.*?#\}", "", template.read_text("utf-8"), flags=re.DOTALL)  # type: ignore[attr-defined]
    assert not re.search(r"\sstyle\s*=", source), "a style attribute"
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)", source), "an inline style or script"
    assert not re.search(r"\s(on[a-z]+|hx-on[:a-z-]*)\s*=", source), "an inline handler"
    assert not re.search(r"""hx-[a-z:]+=["']js:|hx-trigger=["'][^"']*\[""", source), "an expression htmx would evaluate"
    assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//(?!\{)", source) or "rel=" in source, "another host"
