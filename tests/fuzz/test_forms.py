"""Whatever is typed into a form, the page answers with a page. In the suite a little of it, in `./run fuzz` much."""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings, strategies as st

from tests.conftest import House
from tests.fuzz.page_forms import Form, find_forms
from tests.people import cast_of
from tokenboard.web.limits import limiter

WHOLE = int(os.environ.get("FUZZ_REQUESTS", "0"))
EACH = 2  # in the suite, for each form
# Sign out or go for good: the next form would find nobody.
LEAVES = ("/logout", "/settings/data/delete", "/account/sessions")
NASTY = (
    *("", " ", "0", "-1", "1e999", "9" * 40, "0.0000001", "NaN", "1,000", "٣", "null", "[]", "{}", "on"),
    *("\x00", "a\x00b", "\ud800", "‮evil", "é" * 300, "x" * 70_000, "\r\nSet-Cookie: a=b", "../../etc/passwd"),
    *("<script>alert(1)</script>", "' OR 1=1 --", "{{ 7*7 }}", "%00", "2026-02-30", "0000-00-00", "9999-12-31"),
    *("a@b", "a@example.com", "javascript:alert(1)", "//evil.example", "https://127.0.0.1:1/", "+254712345678"),
)
TYPED = st.one_of(st.sampled_from(NASTY), st.text(max_size=60))


def _filled(form: Form) -> st.SearchStrategy[dict[str, Any]]:
    """Each field as it was, as somebody nasty would type it, twice, or not at all; and a field nobody asked for."""
    choices: dict[str, Any] = {
        name: st.one_of(st.just(value), TYPED, st.lists(TYPED, min_size=2, max_size=2))
        for name, value in form.fields.items()
        if name != "csrf_token"
    }
    return st.fixed_dictionaries({}, optional=choices | {"surprise": TYPED})


class Typist:
    """Sends filled-in forms and keeps what broke."""

    def __init__(self, house: House) -> None:
        self.people = cast_of(house)
        self.statuses: Counter[int] = Counter()
        self.broken: dict[str, str] = {}
        self.sign_in()

    def sign_in(self) -> None:
        """Everybody anew: a form before may have ended their sessions."""
        people = self.people
        self.browsers = [people.browser(people.alice), people.browser(people.ada), people.browser()]
        for browser in self.browsers[:2]:
            with browser.client.session_transaction() as session:
                session["workspace_id"] = people.team_id

    def fill(self, form: Form, examples: int) -> None:
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            derandomize=not WHOLE,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(typed=_filled(form), who=st.integers(0, 2))
        def send(typed: dict[str, Any], who: int) -> None:
            sent = {name: _sendable(value) for name, value in typed.items()}
            answer = self.browsers[who].post(form.action, sent)
            self.statuses[answer.status_code] += 1
            if answer.status_code >= 500:
                self.broken.setdefault(f"{form.action}: {answer.status_code}", repr(typed)[:300])

        send()


def _sendable(value: Any) -> Any:
    """As a browser encodes it: a lone surrogate becomes a question mark."""
    if isinstance(value, list):
        return [_sendable(one) for one in value]
    return str(value).encode("utf-8", "replace").decode()


@pytest.fixture
def typist(sqlite_app: Flask, sqlite_house: House, monkeypatch: pytest.MonkeyPatch) -> Typist:
    monkeypatch.setattr(limiter, "enabled", False)
    return Typist(sqlite_house)


def test_nothing_that_is_typed_breaks_a_page(typist: Typist) -> None:
    forms = find_forms(typist.people, *typist.browsers[:2])
    sent_to = [form for form in forms if not form.action.startswith(LEAVES)]

    for form in sent_to:
        if WHOLE:
            typist.sign_in()
        typist.fill(form, max(EACH, WHOLE // (4 * len(sent_to))))

    sys.stdout.write(
        f"{len(sent_to)} forms, {typist.statuses.total():,} times: {dict(sorted(typist.statuses.items()))}" + "\n"
    )
    assert len(sent_to) > 40, "the walk through the pages found too few"
    assert typist.broken == {}
