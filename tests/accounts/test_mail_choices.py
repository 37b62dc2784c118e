"""Which mails somebody gets, by JSON: the same choice as on the page."""

from __future__ import annotations

import sqlalchemy as sa

from tests.people import People
from tokenboard.audit.models import AuditEntry
from tokenboard.core.db import db

PATH = "/api/account/mail-choices"


def _told(people: People) -> list[object]:
    with people.app.app_context():
        acts = sa.select(AuditEntry.facts).where(AuditEntry.act == "accounts.mails_chosen")
        return list(db.session.scalars(acts.order_by(AuditEntry.created_at)))


def test_mails_are_chosen_by_json_and_by_the_page_alike(people: People):
    alice, page = people.bearer(people.alice), people.browser(people.alice)
    whole = {"offered": ["summary", "receipts"], "address": people.alice.email, "isReachable": True}

    assert alice.get(PATH).json == whole | {"mails": ["summary", "receipts"]}
    answers = [alice.put(PATH, {"mails": ["receipts"]}) for _ in range(2)]
    assert [one.json["mails"] for one in answers] == [["receipts"]] * 2
    assert page.post("/settings/notifications/mails", {"mails": ["mail_summary"]}).status_code == 303
    assert alice.get(PATH).json["mails"] == ["summary"]
    assert people.bearer(people.bob).get(PATH).json["mails"] == ["summary", "receipts"]  # everybody's own

    all_of_them = ["receipts", "summary"]
    assert _told(people) == [  # what changed nothing is not told
        {"before": all_of_them, "after": ["receipts"]},
        {"before": ["receipts"], "after": ["summary"]},
    ]


def test_what_is_no_mail_is_refused_and_changes_nothing(sqlite_people: People):
    alice = sqlite_people.bearer(sqlite_people.alice)

    answers = [
        alice.put(PATH, body) for body in ({"mails": ["summary", "gossip"]}, {"mails": "summary"}, {}, {"mails": [1]})
    ]

    assert [one.status_code for one in answers] == [422] * 4
    assert all(one.json["code"] == "validation_failed" for one in answers)
    assert "mails" in str(answers[0].json["fields"])
    assert alice.get(PATH).json["mails"] == ["summary", "receipts"]
    assert sqlite_people.app.test_client().get(PATH).status_code == 401
