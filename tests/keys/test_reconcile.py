"""Comparing LiteLLM with what it was told: what somebody else changed there is found, healed and said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from tests.keys.making import CREDIT, USD, make, push_all as push_once
from tests.keys.proxy import Proxy
from tokenboard.accounts.models import Person
from tokenboard.audit.alerts import open_alerts
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.keys import key_service, queries, reconcile_service, reconcile_tasks
from tokenboard.keys.models import MirrorTarget
from tokenboard.keys.rules import Window, secret_hash
from tokenboard.workspaces.models import Membership


@dataclass
class Listed:
    """The same proxy, asked for everything at once as the real client asks."""

    proxy: Proxy

    def keys(self) -> Mapping[str, Any]:
        self.proxy.is_ready()
        return dict(self.proxy.keys)

    def users(self) -> Mapping[str, Any]:
        return dict(self.proxy.users)

    def customers(self) -> Mapping[str, Any]:
        return dict(self.proxy.customers)


def push_all(proxy: Proxy) -> None:
    """Until nothing is due: what tells a user marks its keys."""
    for _ in range(3):
        push_once(proxy)


def compare(proxy: Proxy) -> tuple[str, ...]:
    return reconcile_tasks.compare_all(Listed(proxy)).drifts  # type: ignore[arg-type]  # it answers what is asked here


def target(kind: str, subject: str) -> MirrorTarget:
    found = queries.target(kind, subject)
    assert found is not None
    return found


def cap(shop, cents: int | None) -> None:
    db.session.get_one(Person, shop.alice.id).monthly_budget_cents = cents
    db.session.commit()


def test_what_is_as_it_was_told_is_left_alone(shop, proxy):
    make(shop, max_budget_micros=50 * CREDIT)
    cap(shop, 2_000)
    push_all(proxy)

    assert compare(proxy) == ()
    assert {one.state for one in db.session.scalars(select(MirrorTarget))} == {"sent"}
    assert open_alerts() == []


EDITS = [
    ({"max_budget_nano": 100 * USD}, "its budget was 100 USD instead of 0.5 USD"),
    ({"max_budget_nano": None}, "its budget was none instead of 0.5 USD"),
    ({"is_blocked": True}, "it was blocked"),
    ({"models": ("gpt-4o", "o9")}, "it had other models"),
    ({"rpm_limit": 1_000}, "it had other rates"),
]


@pytest.mark.parametrize(("edit", "words"), EDITS)
def test_a_key_edited_by_hand_is_told_again_and_said(shop, proxy, edit, words):
    made = make(shop, max_budget_micros=50 * CREDIT)
    push_all(proxy)
    token = secret_hash(made.secret)
    before = proxy.keys[token]
    proxy.keys[token] = replace(before, **edit)

    (drift,) = compare(proxy)

    assert words in drift
    row = target("key", queries.secrets_of(made.key.id)[0].id)
    assert row.drift_note == f"{words[:1].upper()}{words[1:]}. Told again."
    (alert,) = open_alerts()
    assert (alert.kind, words in alert.message) == ("keys.mirror_drift", True)

    if "rpm_limit" not in edit:  # the proxy of these tests keeps no rates
        push_all(proxy)
        assert proxy.keys[token] == before
        assert compare(proxy) == ()
        assert target("key", row.subject).drift_note == ""


def test_the_same_drift_twice_a_day_is_one_alert(shop, proxy):
    made = make(shop)
    push_all(proxy)
    for _ in range(2):
        proxy.keys[secret_hash(made.secret)] = replace(proxy.keys[secret_hash(made.secret)], is_blocked=True)
        compare(proxy)
        push_all(proxy)

    (alert,) = open_alerts()
    assert alert.times == 2


def test_a_proxy_that_began_anew_gets_its_users_again_and_lost_keys_are_named(shop, proxy):
    made = make(shop)
    cap(shop, 2_000)
    push_all(proxy)
    fresh = Proxy()

    drifts = compare(fresh)
    push_all(fresh)

    assert len(drifts) == 3
    assert fresh.users[shop.team_id].max_budget_nano == USD
    assert fresh.customers[shop.alice.email].max_budget_nano == 20 * USD
    secret = queries.secrets_of(made.key.id)[0]
    assert secret.is_lost_at_proxy
    assert "replace it" in target("key", secret.id).drift_note

    replaced = key_service.rotate(key=made.key, actor=shop.alice.id, overlap=timedelta(0))
    db.session.commit()
    push_all(fresh)
    assert secret_hash(replaced) in fresh.keys
    assert compare(fresh) == ()


def test_a_key_that_was_deleted_here_and_restored_there_is_deleted_again(shop, proxy):
    made = make(shop)
    push_all(proxy)
    kept = dict(proxy.keys)
    key_service.revoke(key=made.key, actor=shop.alice.id)
    db.session.commit()
    push_all(proxy)
    proxy.keys.update(kept)

    (drift,) = compare(proxy)
    push_all(proxy)

    assert "still knew it" in drift
    assert proxy.keys == {}


def test_the_first_comparison_marks_what_was_never_told(shop, proxy):
    make(shop)
    cap(shop, 2_000)
    db.session.execute(delete(MirrorTarget))
    db.session.commit()

    assert compare(proxy) == ()
    push_all(proxy)

    assert len(proxy.keys) == len(proxy.users) == len(proxy.customers) == 1


def test_a_cap_that_changes_is_told_whoever_changes_it(shop, proxy):
    made = make(shop)
    push_all(proxy)
    assert proxy.keys[secret_hash(made.secret)].max_budget_nano is None

    cap(shop, 25)
    push_all(proxy)
    assert proxy.customers[shop.alice.email].max_budget_nano == USD // 4
    assert proxy.keys[secret_hash(made.secret)].max_budget_nano == USD // 4

    mine = select(Membership).where(Membership.person_id == shop.alice.id, Membership.workspace_id == shop.team_id)
    db.session.scalars(mine).one().monthly_cap_cents = 5
    db.session.commit()
    push_all(proxy)
    assert proxy.keys[secret_hash(made.secret)].max_budget_nano == USD // 20


@pytest.mark.parametrize(
    ("at", "marked"),
    [(datetime(2026, 12, 2, 0, 0, 5, tzinfo=UTC), {"day"}), (datetime(2026, 12, 1, 0, 0, 5, tzinfo=UTC), None)],
)
def test_budgets_whose_window_begins_anew_are_told(shop, proxy, at, marked):
    keys = {window: make(shop, max_budget_micros=CREDIT, window=window) for window in Window}
    cap(shop, 2_000)
    push_all(proxy)

    reconcile_service.turn_windows(at)
    db.session.commit()

    due = set(db.session.scalars(select(MirrorTarget.subject).where(MirrorTarget.state == "due")))
    secrets = {queries.secrets_of(made.key.id)[0].id: window.value for window, made in keys.items()}
    assert {secrets[subject] for subject in due if subject in secrets} == (marked or set(Window))
    assert (shop.alice.email in due) is (marked is None)


def test_a_target_that_is_being_told_meanwhile_is_not_judged(shop, proxy):
    made = make(shop)
    push_all(proxy)
    told = reconcile_service.told_targets()
    found = reconcile_service.read_back(told, Listed(Proxy()), is_everything=True)  # type: ignore[arg-type]
    db.session.execute(update(MirrorTarget).values(lease_until=now() + timedelta(minutes=1)))
    db.session.commit()

    assert reconcile_service.compare(told, found).drifts == ()
    assert target("key", queries.secrets_of(made.key.id)[0].id).drift_note == ""


def test_an_administrator_of_the_workspace_has_it_told_anew(people):
    with people.app.app_context():
        make(people)
        db.session.execute(update(MirrorTarget).values(state="sent"))
        db.session.commit()
    body = {"workspaceId": people.team_id}

    told = people.browser(people.alice).post("/api/budget/sync", json=body)

    assert (told.status_code, told.json["job"]["status"], told.json["job"]["targets"]) == (202, "queued", 2)
    with people.app.app_context():
        assert {one.state for one in db.session.scalars(select(MirrorTarget))} == {"due"}
    assert people.browser(people.bob).post("/api/budget/sync", json=body).status_code == 403
    assert people.browser(people.charlie).post("/api/budget/sync", json=body).status_code == 404
