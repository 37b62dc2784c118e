"""Where a key may be used from, and its tags: read, kept in one spelling, shown, changed, filtered by."""

from __future__ import annotations

import html
from collections.abc import Callable
from ipaddress import ip_address

import pytest
from sqlalchemy import select

from tests.keys.paging import form, key_of, only_key, shop
from tests.keys.test_keys_api import make
from tests.people import Browser, People, Someone
from tokenboard.audit.models import AuditEntry
from tokenboard.core.db import db
from tokenboard.keys.address_rules import allows_address, read_network, read_tag
from tokenboard.keys.models import VirtualKey

__all__ = ["shop"]
Open = Callable[[Someone | None], Browser]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" 203.0.113.9 ", "203.0.113.9"),
        ("203.0.113.9/32", "203.0.113.9"),
        ("203.0.113.0/255.255.255.0", "203.0.113.0/24"),
        ("2001:DB8:0:0::/32", "2001:db8::/32"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
    ],
)
def test_an_address_has_one_spelling(typed: str, kept: str) -> None:
    assert read_network(typed) == kept


@pytest.mark.parametrize(
    "typed", ["", "home", "10.0.0.5/8", "0.0.0.0/0", "::/0", "fe80::1%eth0", "1.2.3.4.5", "１.2.3.4"]
)
def test_what_is_no_address_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        read_network(typed)


@pytest.mark.parametrize(
    ("allowed", "sender", "is_let_in"),
    [
        ([], None, True),
        (["203.0.113.9"], "203.0.113.9", True),
        (["203.0.113.9"], "203.0.113.10", False),
        (["198.51.100.0/24", "2001:db8::/48"], "2001:db8:0:7::1", True),
        (["2001:db8::/48"], "2001:db8:1::1", False),
        (["203.0.113.9"], "2001:db8::1", False),
        (["203.0.113.9"], None, False),
    ],
)
def test_a_list_lets_in_who_is_on_it(allowed: list[str], sender: str | None, is_let_in: bool) -> None:
    assert allows_address(allowed, ip_address(sender) if sender else None) == is_let_in


def test_a_tag_is_short_and_in_lower_case() -> None:
    assert read_tag(" Nightly Jobs ") == "nightly jobs"
    for wrong in ("", "a,b", "x" * 31):
        with pytest.raises(ValueError, match=r"\.$"):
            read_tag(wrong)


def test_over_json_both_are_made_listed_changed_and_taken_away(people: People) -> None:
    alice, path = people.bearer(people.alice), f"/api/keys?workspaceId={people.team_id}"
    key = make(people, people.alice, allowedIps=["10.0.0.0/8", "10.0.0.0/8"], tags=["Prod", "prod"])["key"]
    make(people, people.alice)

    assert (key["allowedIps"], key["tags"]) == (["10.0.0.0/8"], ["prod"])
    assert [one["id"] for one in alice.get(f"{path}&tag=PROD").get_json()["keys"]] == [key["id"]]
    assert alice.get(f"{path}&tag=none").get_json()["keys"] == []
    changed = alice.patch(f"/api/keys/{key['id']}", {"allowedIps": ["::1"]}).get_json()["key"]
    assert (changed["allowedIps"], changed["tags"]) == (["::1"], ["prod"])
    emptied = alice.patch(f"/api/keys/{key['id']}", {"allowedIps": None, "tags": []}).get_json()["key"]
    assert (emptied["allowedIps"], emptied["tags"]) == ([], [])
    with people.app.app_context():
        facts = [one.facts for one in db.session.scalars(select(AuditEntry).where(AuditEntry.subject == key["id"]))]
    assert {"name": "build bot", "allowed_ips": ["10.0.0.0/8"], "tags": ["prod"]} in facts
    assert {"allowed_ips": [["10.0.0.0/8"], ["::1"]]} in facts


@pytest.mark.parametrize("body", [{"allowedIps": ["10.0.0.5/8"]}, {"allowedIps": ["::1"] * 51}, {"tags": ["x"] * 11}])
def test_over_json_what_cannot_be_kept_is_named(sqlite_people: People, body: dict[str, object]) -> None:
    alice, usual = sqlite_people.bearer(sqlite_people.alice), {"workspaceId": sqlite_people.team_id, "name": "x"}
    answer = alice.post("/api/keys", usual | body)

    assert answer.status_code == 422
    assert next(iter(answer.get_json()["fields"])).startswith(next(iter(body)))


def test_an_idempotency_key_is_used_for_one_wish(people: People) -> None:
    first = make(people, people.alice, idempotencyKey="bot-1", allowedIps=["10.0.0.0/8"])
    again = make(people, people.alice, idempotencyKey="bot-1", allowedIps=["10.0.0.0/8"])
    asked = {"workspaceId": people.team_id, "name": "build bot", "idempotencyKey": "bot-1"}

    assert (again["key"]["id"], again["secret"]) == (first["key"]["id"], None)
    for someone, more in ((people.alice, {"allowedIps": []}), (people.bob, {"allowedIps": ["10.0.0.0/8"]})):
        answer = people.bearer(someone).post("/api/keys", asked | more)
        assert (answer.status_code, answer.get_json()["code"]) == (409, "idempotency_conflict")


def test_on_the_pages_both_are_typed_shown_and_filtered_by(shop: People, browser: Open) -> None:
    alice = browser(shop.alice)
    typed = {"allowed_ips": "203.0.113.9, 10.0.0.0/8\n2001:db8::/48", "tags": "Prod, nightly jobs"}
    assert alice.post("/keys", form(shop, **typed)).status_code == 201
    key = only_key(shop)
    key_of(shop)

    assert (key.allowed_ips, key.tags) == (["203.0.113.9", "10.0.0.0/8", "2001:db8::/48"], ["prod", "nightly jobs"])
    page = alice.get(f"/keys/{key.id}").text
    assert "2001:db8::/48</code>" in page
    listed = f"/keys?workspace_id={shop.team_id}"
    assert f'href="{html.escape(listed)}&amp;tag=nightly+jobs"' in page
    block = {"HX-Request": "true", "HX-Target": "key_list"}
    rows = [alice.get(f"{listed}{more}", headers=block).text.count('scope="row"') for more in ("", "&tag=prod")]
    assert rows == [2, 1]
    back = {"back": "list", "workspace_id": shop.team_id, "tag": "prod"}
    assert alice.post(f"/keys/{key.id}/pause", back).headers["Location"] == f"{listed}&tag=prod"

    sheet = form(shop, **typed | {"allowed_ips": "10.0.0.5/8", "tags": "prod"})
    refused = alice.post(f"/keys/{key.id}/limits", sheet)
    assert refused.status_code == 422
    assert "Write 10.0.0.0/8, or the address alone." in refused.text
    assert alice.post(f"/keys/{key.id}/limits", sheet | {"allowed_ips": ""}).status_code == 303
    with shop.app.app_context():
        row = db.session.get_one(VirtualKey, key.id)
        assert (row.allowed_ips, row.tags) == ([], ["prod"])
    assert "Limits changed: " in alice.get(f"/keys/{key.id}").text.replace('<span class="muted">', "")
