"""/admin/webhooks: events by state, one with its bytes, refused deliveries, and handling again, safely."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest

from tests.billing.events import deliver, deliver_paystack, event, session
from tests.billing.shop import Shop
from tests.costs.counting import Counted
from tests.ledger.crowds import at_once
from tests.people import Browser, People, Someone
from tokenboard.audit.models import AuditEntry
from tokenboard.billing import inbox_service
from tokenboard.billing.inbox_models import InboxEvent
from tokenboard.billing.inbox_queries import InboxFilter
from tokenboard.core.clock import now
from tokenboard.core.crypto import new_token
from tokenboard.core.db import db, new_id
from tokenboard.ops.inbox_page import shown_body

PAGE, ALL = "/admin/webhooks", "/admin/webhooks/replay-dead"
PAID = "checkout.session.completed"
Open = Callable[[Someone | None], Browser]


def add(people: People, **facts: Any) -> str:
    """An event straight into the table."""
    usual = {"provider": "stripe", "event_id": new_token(), "type": PAID, "created_at": now(), "is_live": False}
    with people.app.app_context():
        row = InboxEvent(**usual | {"body": b"{}", "state": "done", "headers": {}} | facts)
        db.session.add(row)
        db.session.commit()
        return row.id


def state_of(people: People, event_id: str) -> str:
    with people.app.app_context():
        return str(db.session.get_one(InboxEvent, event_id).state)


def ada_of(shop: Shop) -> Browser:
    return shop.people.browser(shop.people.ada)


def row_of(shop: Shop, told: dict[str, Any]) -> str:
    with shop.app.app_context():
        return inbox_service.find(told["id"]).id


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/00000000-0000-4000-8000-000000000000"])
def test_the_inbox_is_for_administrators_only(sqlite_people: People, path: str):
    people = sqlite_people

    assert people.browser(None).get(path).headers["Location"].startswith("/login")
    assert [people.browser(one).get(path).status_code for one in (people.bob, people.charlie)] == [404, 404]
    for act in (f"{path}/replay", ALL):
        assert people.browser(people.charlie).post(act, {"count": "1"}).status_code == 404


def test_an_empty_inbox_says_what_will_come(people: People, browser: Open):
    assert "Nothing has come yet" in browser(people.ada).get(PAGE).text


def test_states_are_counted_and_filter_with_provider_type_and_name(people: People, browser: Open):
    for state in ("new", "retry", "dead", "dead", "ignored", "done"):
        add(people, state=state, next_attempt_at=now() + timedelta(hours=1))
    add(people, provider="paystack", type="charge.success", object_id="ref-7")
    ada = browser(people.ada)

    everything = ada.get(PAGE).text
    words = ("All 7", "New 1", "Retrying 1", "Dead 2", "Refused 1", "Done 2")
    assert [one for one in words if f">{one}</a>" not in everything] == []

    def listed(query: str) -> int:
        return ada.get(f"{PAGE}?{query}").text.count('<li>\n          <a href="/admin/webhooks/')

    queries = ("state=dead", "provider=paystack", "type=charge.success", "q=ref-7", "state=made-up", "q=%25")
    assert [listed(query) for query in queries] == [2, 1, 1, 1, 7, 0]
    assert ">Dead 0</a>" in ada.get(f"{PAGE}?provider=paystack").text


def test_the_list_and_one_event_come_as_pieces(people: People, browser: Open):
    one, ada = add(people), browser(people.ada)

    both = ada.fragment(f"{PAGE}/{one}", "inbox").text
    alone = ada.fragment(f"{PAGE}/{one}", "event").text

    assert both.lstrip().startswith('<div id="inbox"')
    assert 'aria-current="true"' in both
    assert alone.lstrip().startswith('<section id="event"')
    assert "<html" not in both + alone


def test_an_event_shows_its_bytes_attempts_error_and_headers(shop: Shop):
    told = event(PAID, session(amount_subtotal="999", customer_email="carol@example.com", client_secret="cs_secret_1"))
    shop.tell(told)

    shown = ada_of(shop).get(f"{PAGE}/{row_of(shop, told)}").text

    assert "Unreadable: amount_subtotal is not a count" in shown
    assert "Next try" in shown
    assert told["id"] in shown
    assert re.search(r"t=\d+,v1=[0-9a-f]{8}…", shown)
    assert "&#34;amount_total&#34;: 999" in shown
    assert "carol@example.com" not in shown
    assert "c…@example.com" in shown
    assert "cs_secret_1" not in shown


def test_no_signature_is_kept_whole(shop: Shop):
    deliver(shop.app, event("some.kind", {"id": "x"}))
    deliver_paystack(shop.app, {"event": "some.kind", "data": {"id": 7, "domain": "test"}})

    with shop.app.app_context():
        kept = [row.headers for row in db.session.scalars(db.select(InboxEvent))]

    marks = [header for one in kept for name, header in one.items() if "Signature" in name]
    assert len(marks) == 2
    assert not any(re.search("[0-9a-f]{9}", mark.partition("v1=")[2] or mark) for mark in marks)


@pytest.mark.parametrize(
    ("body", "text", "note"),
    [
        (b'{"b": 1, "a": {"c": [1.50]}}', '{\n  "b": 1,', ""),
        (b"\xff\xfe", "", "as it came"),
        (b"[" * 5_000, "[", "as it came"),
        (b'{"a": NaN}', '{"a": NaN}', "as it came"),
        (b'{"a": "' + b"x" * 200_000 + b'"}', '{\n  "a": "xxx', ""),
        (b"[" + b"1," * 60_000 + b"1]", "[\n  1,", "The first 65,536"),
    ],
    ids=range(6),
)
def test_bytes_of_any_kind_are_shown_and_never_too_many(body: bytes, text: str, note: str):
    shown, said = shown_body(body)

    assert shown.startswith(text)
    assert note in said
    assert len(shown) <= 64 * 1024


def test_an_event_leads_to_its_payment_and_to_the_grant(shop: Shop):
    order, told = shop.order(), event(PAID, session())
    shop.tell(told)

    shown = ada_of(shop).get(f"{PAGE}/{row_of(shop, told)}").text

    assert f'href="/admin/payments/{order}"' in shown
    assert re.search(rf'href="/admin/payments/{order}#t-[0-9a-f-]{{36}}">100 credits', shown)


def test_an_event_about_to_be_handled_looks_by_itself_and_others_do_not(people: People, browser: Open):
    due = add(people, state="new", next_attempt_at=now() - timedelta(seconds=1))
    later = add(people, state="retry", next_attempt_at=now() + timedelta(hours=1))
    ada = browser(people.ada)

    assert "every 2s" in ada.get(f"{PAGE}/{due}").text
    assert "every 2s" not in ada.get(f"{PAGE}/{later}").text


def test_a_dead_event_is_replayed_and_brings_its_credits_once(shop: Shop):
    told = event(PAID, session())
    assert shop.tell(told) == ["ignored"]  # there is no such order yet
    shop.order()
    row, ada = row_of(shop, told), ada_of(shop)

    answers = [ada.post(f"{PAGE}/{row}/replay?state=dead") for _ in range(2)]
    shop.due()
    ada.post(f"{PAGE}/{row}/replay")
    shop.due()

    assert [answer.headers["Location"] for answer in answers] == [f"{PAGE}/{row}?state=dead"] * 2
    assert (shop.credits, state_of(shop.people, row)) == (100, "done")
    assert ada.post(f"{PAGE}/{new_id()}/replay").status_code == 404
    with shop.app.app_context():
        acts = db.session.scalars(db.select(AuditEntry.actor).where(AuditEntry.act == "billing.event_replayed"))
        assert set(acts) == {shop.people.ada.id}


def test_all_dead_ones_of_a_filter_are_replayed_and_no_more_than_the_button_said(people: People, browser: Open):
    dead = [add(people, state="dead", attempts=7, received_at=now() - timedelta(minutes=n)) for n in range(5)]
    other = add(people, state="dead", provider="paystack", type="charge.success")
    ada = browser(people.ada)
    assert "Replay 5\N{NO-BREAK SPACE}dead events" in ada.get(f"{PAGE}?provider=stripe&state=dead").text

    assert ada.post(f"{ALL}?provider=stripe", {"count": "3"}).status_code == 303
    # The oldest first.
    assert [state_of(people, one) for one in dead] == ["dead", "dead", "new", "new", "new"]
    ada.post(f"{ALL}?provider=stripe", {"count": "3"})
    again = ada.post(f"{ALL}?provider=stripe", {"count": "3"})

    assert {state_of(people, one) for one in dead} == {"new"}
    assert state_of(people, other) == "dead"
    assert "None was dead." in ada.get(again.headers["Location"]).text
    with people.app.app_context():
        found = db.session.scalars(db.select(AuditEntry).where(AuditEntry.act == "billing.dead_events_replayed"))
        assert sorted(entry.facts["count"] for entry in found) == [2, 3]


@pytest.mark.parametrize("count", ["", "0", "-1", "x", "1e3"])
def test_a_number_that_no_button_said_is_refused(people: People, browser: Open, count: str):
    one = add(people, state="dead")

    refused = browser(people.ada).post(ALL, {"count": count})

    assert (refused.status_code, "Nothing was replayed" in refused.text) == (422, True)
    assert state_of(people, one) == "dead"


def test_two_administrators_at_once_replay_each_event_once(people: People):
    for _ in range(20):
        add(people, state="dead")

    def press() -> int:
        count = inbox_service.replay_dead(wanted=InboxFilter(), most=20, actor="ada")
        db.session.commit()
        return count

    assert sum(at_once(people.app, [press] * 4)) == 20


def test_what_was_turned_away_at_the_door_is_told_until_it_is_seen(shop: Shop):
    for _ in range(3):
        deliver(shop.app, event(PAID, session()), header="t=1,v1=00")
    ada = ada_of(shop)

    shown = ada.get(PAGE).text
    assert "Turned away at the door: 3\N{NO-BREAK SPACE}deliveries" in shown
    seen = re.search(r'action="(/admin/alerts/[^"]+/resolve)"', shown)[1]
    assert shop.people.browser(shop.people.charlie).post(seen).status_code == 404

    assert [ada.post(seen).status_code for _ in range(2)] == [303, 303]

    assert "Turned away" not in ada.get(PAGE).text
    with shop.app.app_context():
        acts = db.session.scalars(db.select(AuditEntry).where(AuditEntry.act == "ops.alert_resolved")).all()
        assert len(acts) == 1


def test_older_events_follow_by_keyset(people: People, browser: Open):
    made = {add(people, received_at=now() - timedelta(minutes=n // 2)) for n in range(65)}
    ada, path, seen = browser(people.ada), PAGE, []
    for _ in range(3):
        shown = ada.get(path).text
        seen += re.findall(r'<li>\n +<a href="/admin/webhooks/([0-9a-f-]{36})', shown)
        older = re.search(
            r'href="([^"]*cursor=[^"]*)"[^>]*><svg[^>]*><use href="[^"]*chevron-down"/></svg>Older', shown
        )
        path = older[1] if older else ""

    assert len(seen) == 65
    assert (set(seen), path) == (made, "")


@pytest.mark.parametrize("size", [1, 40])
def test_the_inbox_asks_the_database_a_fixed_number_of_questions(
    people: People, browser: Open, count_queries: Callable[[], AbstractContextManager[Counted]], size: int
):
    for _ in range(size):
        one = add(people)
    ada = browser(people.ada)
    ada.get(PAGE)

    with people.app.app_context(), count_queries() as counted:
        ada.get(PAGE)
    with people.app.app_context(), count_queries() as counted_one:
        ada.get(f"{PAGE}/{one}")

    # Who asks, which workspaces, the pill; the list, the counts, the alerts; and the event.
    assert (counted.number, counted_one.number) == (6, 7)


def test_the_call_for_programs_filters_by_type(people: People):
    add(people, type="charge.refunded")
    add(people)

    told = people.bearer(people.ada).get("/api/admin/webhooks?type=charge.refunded").json

    assert [one["type"] for one in told["webhooks"]] == ["charge.refunded"]
    assert json.dumps(told).count("headers") == 0
