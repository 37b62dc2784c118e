"""Finds every form of the product by walking through its pages, as a browser without scripts would."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from tests.house.cells import samples
from tests.house.test_matrix import Row, _rows
from tests.people import Browser, People


@dataclass(slots=True)
class Form:
    """A form that changes something: where it goes, and what it holds by name."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        if tag == "form" and told.get("method", "").lower() == "post":
            self._open = Form(told.get("action", ""))
            self.forms.append(self._open)
        if self._open is None:
            return
        name = told.get("name", "")
        if tag in ("input", "button", "textarea") and name:
            self._open.fields.setdefault(name, told.get("value", ""))
        if tag == "select":
            self._select = name
        if tag == "option" and self._select:
            self._open.fields.setdefault(self._select, told.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        if tag == "select":
            self._select = ""


def find_forms(people: People, owner: Browser, administrator: Browser) -> list[Form]:
    """Each action once, with the fields that any page gives it; then the routes that no page showed a form for."""
    found: dict[str, Form] = {}
    listed = samples(people)
    for row in _rows():
        if row.method == "GET" and row.is_page:
            browser = administrator if row.who_may == "administrator" else owner
            for form in _forms_at(browser, _path(row, listed[row.call].ids)):
                found.setdefault(_shape(form.action), form).fields |= form.fields
    for row in _rows():
        if row.method == "POST" and row.is_page:
            sample = listed[row.call]
            made = found.setdefault(_shape(_path(row, sample.ids)), Form(_path(row, sample.ids)))
            made.fields = dict(sample.form) | made.fields
    return sorted(found.values(), key=lambda one: one.action)


def _forms_at(browser: Browser, path: str) -> list[Form]:
    answer = browser.get(path)
    if answer.status_code != 200 or answer.mimetype != "text/html":
        return []
    reader = _Reader()
    reader.feed(answer.text)
    return [form for form in reader.forms if form.action.startswith("/")]


def _path(row: Row, ids: tuple[str, ...]) -> str:
    path = row.path
    for value in (*ids, *["00000000-0000-4000-8000-000000000000"] * path.count(":")):
        path = re.sub(r":\w+", value, path, count=1)
    return path


def _shape(action: str) -> str:
    """One spelling for addresses that differ in their ids only."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", ":id", action.partition("?")[0])
