"""/admin/audit: by person, act, workspace and day; before and after; keyset; CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.people import Browser, People, Someone
from tokenboard.audit import entry_queries
from tokenboard.audit.models import AuditEntry
from tokenboard.core.db import db

PAGE, CSV = "/admin/audit", "/admin/audit/list.csv"
DAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
Open = Callable[[Someone | None], Browser]


def add(people: People, act: str = "keys.changed", **more: object) -> str:
    usual = {"created_at": DAY, "actor": people.bob.id, "subject": "", "facts": {"rpm_limit": [None, 60]}}
    with people.app.app_context():
        row = AuditEntry(act=act, **usual | more)
        db.session.add(row)
        db.session.commit()
        return row.id


def test_an_entry_says_who_what_before_and_after(people: People, browser: Open):
    add(people, facts={"models": [["a"], ["a", "b"]], "is_admin": [False, True], "reason": "person"})

    shown = browser(people.ada).get(f"{PAGE}?act=keys.changed").text

    assert all(words in shown for words in ("Changed", "Bob", "is admin:", "reason:"))
    assert '<del class="muted">no</del> → yes' in shown
    assert "[&#34;a&#34;, &#34;b&#34;]" in shown


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("act=costs&to=2026-11-24", 2),
        ("act=costs.connected&to=2026-11-24", 1),
        ("act=cost&to=2026-11-24", 0),
        ("who=bob@example.com&to=2026-11-24", 3),
        ("who=nobody@example.com", 0),
        ("who=cron", 1),
        ("who=subject-7", 1),
        ("from=2026-11-21&to=2026-11-24", 2),
        ("from=2026-11-21&to=2026-11-21", 1),
        ("from=yesterday&act=costs", 2),
    ],
)
def test_the_filter_is_the_address_and_the_csv_agrees(sqlite_people: People, query: str, count: int):
    people = sqlite_people
    add(people, "costs.connected")
    add(people, "costs.removed", created_at=DAY + timedelta(days=1))
    add(people, "keys.changed", actor="cron", created_at=DAY + timedelta(days=2))
    add(people, subject="subject-7", workspace_id=people.team_id)
    ada = people.browser(people.ada)

    shown = ada.get(f"{PAGE}?{query}").text
    rows = list(csv.DictReader(io.StringIO(ada.get(f"{CSV}?{query}").text)))

    assert shown.count('<tr>\n        <td class="desk-only">') == len(rows) == count


def test_older_entries_follow_by_keyset(people: People, browser: Open):
    made = [add(people, created_at=DAY + timedelta(seconds=n // 3)) for n in range(45)]
    ada = browser(people.ada)
    query = "act=keys.changed"

    first = ada.get(f"{PAGE}?{query}").text
    older = re.search(r'href="([^"]*cursor=[^"]*)"', first)[1].replace("&amp;", "&")

    rows = '<tr>\n        <td class="desk-only">'
    assert (first.count(rows), ada.get(older).text.count(rows)) == (40, 5)
    assert len(made) == 45


def test_every_act_is_found_by_walking_the_index(people: People):
    for act in ("b.two", "a.one", "b.two", "c.three"):
        add(people, act)

    with people.app.app_context():
        found = entry_queries.acts()

    assert found == sorted(set(found))
    assert {"a.one", "b.two", "c.three", "accounts.registered"} <= set(found)
