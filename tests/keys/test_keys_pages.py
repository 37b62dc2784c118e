"""/keys and /keys/:id as people meet them: made and shown once, limited, paused, rotated, revoked; by whom."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.costs.counting import count_queries
from tests.keys.making import CREDIT
from tests.keys.paging import form, key_of, only_key, opens, shop
from tests.metering.calling import Told, begin, settle
from tests.people import Browser, People, Someone
from tokenboard.core.clock import now, today
from tokenboard.core.db import db
from tokenboard.keys.errors import KeyNotUsable
from tokenboard.keys.models import KeySecret, VirtualKey
from tokenboard.metering.facts import KeyLimit
from tokenboard.metering.usage_models import UsageRecord

__all__ = ["count_queries", "shop"]
Open = Callable[[Someone | None], Browser]
SECRET = re.compile(r"sk-tb-[\w-]{40}")


def test_a_key_is_made_its_secret_shown_once_and_works(shop: People, browser: Open) -> None:
    alice = browser(shop.alice)
    answer = alice.post("/keys", form(shop, which="some", model=["gpt-4o"], rpm="60"))

    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    [secret] = set(SECRET.findall(answer.text))
    assert f'api_key="{secret}"' in html.unescape(answer.text)
    key = only_key(shop)
    assert (key.name, key.models, key.rpm_limit, key.max_budget_micros) == ("build bot", ["gpt-4o"], 60, 1000 * CREDIT)
    assert timedelta(days=89) < key.expires_at - now() < timedelta(days=91)
    assert opens(shop, secret) == key.id
    for path in ("/keys", f"/keys/{key.id}"):
        shown = alice.get(f"{path}?workspace_id={shop.team_id}").text
        assert secret not in shown
        assert secret[:10] in shown


def test_the_form_sent_twice_makes_one_key_and_shows_no_second_secret(shop: People, browser: Open) -> None:
    alice, sheet = browser(shop.alice), form(shop)
    alice.post("/keys", sheet)
    answer = alice.post("/keys", sheet)

    assert "This key was made already" in answer.text
    assert SECRET.search(answer.text) is None
    assert only_key(shop).name == "build bot"


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"name": ""}, "Please fill this in."),
        ({"amount": ""}, "Write an amount"),
        ({"amount": "0"}, "A budget lies between"),
        ({"which": "some"}, "Choose at least one model"),
        ({"rpm": "many"}, "A whole number from 1 on"),
        ({"expires_on": "2020-01-01"}, "A key ends in the future."),
    ],
)
def test_what_cannot_be_read_comes_back_with_what_was_typed(
    sqlite_people: People, typed: dict[str, str], why: str
) -> None:
    sheet = form(sqlite_people, **({"name": "my bot"} | typed))
    answer = sqlite_people.browser(sqlite_people.alice).post("/keys", sheet)

    assert answer.status_code == 422
    assert why in html.unescape(answer.text)
    assert ("my bot" in answer.text) == ("name" not in typed)
    with sqlite_people.app.app_context():
        assert db.session.scalar(select(VirtualKey)) is None


def test_without_keys_the_form_stands_open_and_none_of_its_own_is_a_choice(shop: People, browser: Open) -> None:
    alice = browser(shop.alice)
    assert "Make your first key" in alice.get("/keys").text

    alice.post("/keys", form(shop, budget="none", amount="", lifetime="0"))
    key = only_key(shop)
    assert (key.max_budget_micros, key.expires_at) == (None, None)
    assert "no limit of its own" in alice.get(f"/keys?workspace_id={shop.team_id}").text


def test_a_member_sees_their_own_keys_an_admin_all_a_viewer_none(shop: People, browser: Open) -> None:
    hers, path = key_of(shop).key.id, f"/keys?workspace_id={shop.team_id}"
    mine = key_of(shop, shop.bob).key.id

    seen = browser(shop.bob).get(path).text
    assert f"/keys/{mine}" in seen
    assert f"/keys/{hers}" not in seen
    everybodys = browser(shop.dave).get(path).text
    assert f"/keys/{mine}" in everybodys
    assert f"/keys/{hers}" in everybodys
    assert "Bob" in everybodys
    assert browser(shop.vera).get(path).status_code == 403
    assert browser(shop.charlie).get(path).status_code == 404


def test_another_members_key_does_not_exist(shop: People, browser: Open) -> None:
    key_id = key_of(shop).key.id

    for someone in (shop.bob, shop.charlie, shop.ada):
        assert browser(someone).get(f"/keys/{key_id}").status_code == 404
        for act in ("pause", "resume", "rotate", "revoke", "limits"):
            assert browser(someone).post(f"/keys/{key_id}/{act}", form(shop, overlap="0")).status_code == 404
    assert browser(shop.dave).get(f"/keys/{key_id}").status_code == 200


def test_a_key_is_paused_resumed_and_revoked(shop: People, browser: Open) -> None:
    made, alice = key_of(shop), browser(shop.alice)
    path = f"/keys/{made.key.id}"

    assert alice.post(f"{path}/pause").headers["Location"] == path
    assert "Programs that use it are refused" in alice.get(path).text
    assert alice.post(f"{path}/resume", {"back": "list"}).headers["Location"] == "/keys"
    assert only_key(shop).state == "active"
    assert f"Revoke key {made.key.name}" in alice.get(path).text
    assert alice.post(f"{path}/revoke").status_code == 303
    page = alice.get(path).text
    assert "Revoked for good" in page
    assert f"{path}/rotate" not in page
    assert "1 revoked key" in alice.get(f"/keys?workspace_id={shop.team_id}").text.replace("\u00a0", " ")
    with pytest.raises(KeyNotUsable):
        opens(shop, made.secret)
    assert alice.post(f"{path}/pause").status_code == 409


def test_htmx_gets_the_block_around_the_button(shop: People, browser: Open) -> None:
    made, alice = key_of(shop), browser(shop.alice)
    for target in ("key_list", "key_state"):
        heads = {"HX-Request": "true", "HX-Target": target}
        answer = alice.post(f"/keys/{made.key.id}/{'pause' if target == 'key_list' else 'resume'}", headers=heads)

        assert answer.status_code == 200
        assert answer.text.lstrip().startswith(f'<section id="{target}"')
        assert "toast" in answer.headers["HX-Trigger"]
    assert only_key(shop).state == "active"


def test_rotating_shows_a_new_secret_and_keeps_the_old_one_until_the_chosen_time(shop: People, browser: Open) -> None:
    made, alice = key_of(shop), browser(shop.alice)
    until = now() + timedelta(days=2)
    asked = {"overlap": "until", "until_day": until.date().isoformat(), "until_time": f"{until:%H:%M}"}
    answer = alice.post(f"/keys/{made.key.id}/rotate", asked)

    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    [fresh] = set(SECRET.findall(answer.text))
    assert opens(shop, fresh) == opens(shop, made.secret) == made.key.id
    with shop.app.app_context():
        old = db.session.scalars(select(KeySecret).where(KeySecret.number == 1)).one()
    assert abs(old.valid_until - until) < timedelta(minutes=2)
    page = alice.get(f"/keys/{made.key.id}").text
    assert "being replaced" in page
    assert fresh not in page


@pytest.mark.parametrize("day", ["", "2020-01-01", "2199-01-01"])
def test_a_time_that_is_none_rotates_nothing(shop: People, browser: Open, day: str) -> None:
    made = key_of(shop)
    answer = browser(shop.alice).post(f"/keys/{made.key.id}/rotate", {"overlap": "until", "until_day": day})

    assert answer.status_code == 422
    with shop.app.app_context():
        assert len(list(db.session.scalars(select(KeySecret)))) == 1


def test_limits_change_and_an_end_left_as_shown_stays_to_the_second(shop: People, browser: Open) -> None:
    end = now() + timedelta(days=10)
    made, alice = key_of(shop, expires_at=end), browser(shop.alice)
    shown = alice.get(f"/keys/{made.key.id}").text
    [day] = re.findall(r'id="key_expires_on"[^>]*value="([\d-]+)"', shown)
    sheet = form(shop, name="renamed", amount="25", window="day", tpm="5,000", expires_on=day)
    answer = alice.post(f"/keys/{made.key.id}/limits", sheet)

    assert answer.status_code == 303
    row = only_key(shop)
    assert (row.name, row.max_budget_micros) == ("renamed", 2500 * CREDIT)
    assert (row.budget_window, row.tpm_limit) == ("day", 5000)
    assert row.expires_at == end
    assert "Limits changed" in alice.get(f"/keys/{made.key.id}").text
    refused = alice.post(
        f"/keys/{made.key.id}/limits", sheet | {"amount": "x"}, headers={"HX-Request": "true", "HX-Target": "limits"}
    )
    assert refused.status_code == 422
    assert refused.text.lstrip().startswith('<section id="limits"')


def _use(shop: People, key: VirtualKey) -> UsageRecord:
    limit = KeyLimit(key.id, f"{today():%Y-%m}", key.max_budget_micros)
    with shop.app.app_context():
        call = begin(shop, person_id=shop.alice.id, source="gateway", key_limit=limit, is_background=True)
        settle(call, usage=Told(1_000, 500, cached_tokens=200), delivered_bytes=2_000)
        return db.session.scalars(select(UsageRecord).where(UsageRecord.call_id == call.id)).one()


def test_use_is_told_by_day_and_request_with_its_receipt(shop: People, browser: Open) -> None:
    made, other = key_of(shop, max_budget_micros=2 * CREDIT), key_of(shop)
    record = _use(shop, made.key)
    alice = browser(shop.alice)
    page = alice.get(f"/keys/{made.key.id}").text.replace("\u00a0", " ")

    assert "1,000 in (200 cached) / 500 out" in page
    assert "background" in page
    assert "use_chart" in page
    assert "$0.0073 of $0.0200" in page
    path = f"/keys/{made.key.id}/requests/{record.id}"
    assert path in page
    assert "Provider" in alice.get(path).text
    piece = alice.get(path, headers={"HX-Request": "true"})
    assert "<html" not in piece.text
    assert "Charged" in piece.text
    assert alice.get(f"/keys/{other.key.id}/requests/{record.id}").status_code == 404
    assert browser(shop.charlie).get(path).status_code == 404


def test_errors_are_counted_by_code_and_none_is_said(shop: People, browser: Open, count_queries) -> None:
    made, alice = key_of(shop), browser(shop.alice)
    _use(shop, made.key)
    path = f"/keys/{made.key.id}"
    assert "None of its requests failed in the last 30 days." in alice.get(path).text

    counts = []
    for code in ("upstream_timeout", "429"):
        _fail(shop, made.key, code)
        _fail(shop, made.key, code)
        with shop.app.app_context(), count_queries() as counted:
            page = alice.get(path).text
        counts.append(counted.number)
    [table] = re.findall(r'id="errors".*?</section>', page, re.DOTALL)
    rows = re.findall(r"<code>([^<]*)</code>.*?number\">(\d+)<", table, re.DOTALL)
    assert rows == [("429", "2"), ("upstream_timeout", "2")]
    assert "The provider was too slow" in table
    assert counts[0] == counts[1]
    other = key_of(shop)
    assert "upstream_timeout" not in alice.get(f"/keys/{other.key.id}").text


def _fail(shop: People, key: VirtualKey, code: str) -> None:
    limit = KeyLimit(key.id, f"{today():%Y-%m}", key.max_budget_micros)
    with shop.app.app_context():
        call = begin(shop, person_id=shop.alice.id, source="gateway", key_limit=limit)
        settle(call, "failed", error_code=code, delivered_bytes=0)


def test_the_list_asks_the_same_few_questions_however_many_keys(shop: People, browser: Open, count_queries) -> None:
    dave, path = browser(shop.dave), f"/keys?workspace_id={shop.team_id}"
    key_of(shop)
    key_of(shop, shop.bob)
    counts = []
    for more in (0, 6):
        for _ in range(more):
            key_of(shop, shop.bob)
        with shop.app.app_context(), count_queries() as counted:
            dave.get(path)
        counts.append(counted.number)

    assert counts[0] == counts[1] <= 16
