"""/admin/users: everybody by filter, one person's page, caps one by one and by table, disabling, who runs the site."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.costs.counting import Counted
from tests.people import Bearer, Browser, People, Someone
from tokenboard.accounts.models import Person, SignIn
from tokenboard.audit.models import AuditEntry
from tokenboard.core.clock import now, this_month
from tokenboard.core.db import db
from tokenboard.keys import key_service
from tokenboard.keys.errors import KeyPaused
from tokenboard.keys.models import VirtualKey
from tokenboard.keys.rules import Limits, PauseReason
from tokenboard.metering.models import CapWindow
from tokenboard.workspaces.models import Workspace

PAGE, CAPS = "/admin/users", "/admin/users/caps"
Open = Callable[[Someone | None], Browser]


def person(people: People, someone: Someone) -> Person:
    with people.app.app_context():
        return db.session.get_one(Person, someone.id)


def acts(people: People, act: str) -> list[AuditEntry]:
    with people.app.app_context():
        return list(db.session.scalars(select(AuditEntry).where(AuditEntry.act == act)))


def make_key(people: People, someone: Someone) -> str:
    with people.app.app_context():
        made = key_service.create_key(
            workspace=db.session.get_one(Workspace, someone.workspace_id),
            person=db.session.get_one(Person, someone.id),
            name="bot",
            limits=Limits(),
        )
        db.session.commit()
        return made.key.id


def test_everybody_is_listed_with_credits_use_and_cap(people: People, browser: Open):
    with people.app.app_context():
        db.session.get_one(Person, people.bob.id).monthly_budget_cents = 2_000
        window = {"kind": "person", "subject_id": people.bob.id, "month": str(this_month())}
        db.session.add(CapWindow(**window, spent_micros=1_700_000_000, held_micros=0))
        db.session.commit()

    shown = browser(people.ada).get(PAGE).text

    assert all(words in shown for words in ("alice@example.com", "$17.00", "of $20.00", "administrator"))
    assert 'class="warn "' in shown  # four fifths of it are used


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=BOB@exa", {"Bob"}),
        ("q=ali", {"Alice"}),
        ("q=%25", set()),
        ("standing=administrators", {"Ada"}),
        ("standing=disabled", {"Charlie"}),
        ("standing=capped", {"Vera"}),
        ("standing=nonsense&q=vera", {"Vera"}),
        ("q=" + "x" * 3_000, {"Alice", "Dave", "Bob", "Vera", "Charlie", "Ada"}),
    ],
)
def test_the_filter_is_the_address(sqlite_people: People, query: str, names: set[str]):
    people = sqlite_people
    with people.app.app_context():
        db.session.get_one(Person, people.charlie.id).is_disabled = True
        db.session.get_one(Person, people.vera.id).monthly_budget_cents = 0
        db.session.commit()

    shown = people.browser(people.ada).get(f"{PAGE}?{query}").text

    assert set(re.findall(r'<th scope="row"><a [^>]*>(\w+)</a>', shown)) == names


def test_older_people_follow_by_keyset_and_none_is_lost_or_shown_twice(people: People, browser: Open):
    with people.app.app_context():
        made = [Person(email=f"p{n}@example.org", created_at=now() - timedelta(minutes=n // 2)) for n in range(64)]
        db.session.add_all(made)
        db.session.commit()
    ada, path, seen = browser(people.ada), f"{PAGE}?q=example.org", []
    for _ in range(3):
        shown = ada.get(path).text
        seen += [one.id for one in made if f"{PAGE}/{one.id}" in shown]
        older = re.search(r'href="([^"]*cursor=[^"]*)"', shown)
        path = older[1].replace("&amp;", "&") if older else ""

    assert len(seen) == len(set(seen)) == 64
    assert path == ""
    assert ada.get(f"{PAGE}?cursor=nonsense").status_code == 200


@pytest.mark.parametrize("size", [1, 25])
def test_the_list_asks_a_fixed_number_of_questions(
    people: People, browser: Open, count_queries: Callable[[], AbstractContextManager[Counted]], size: int
):
    with people.app.app_context():
        db.session.add_all([Person(email=f"p{n}@example.org") for n in range(size)])
        db.session.commit()
    ada = browser(people.ada)
    ada.get(PAGE)

    with people.app.app_context(), count_queries() as counted:
        ada.get(PAGE)

    # Who asks, which workspaces, the pill; people, their workspaces, balances, use, sessions.
    assert counted.number == 8


def test_a_person_is_shown_with_wallet_keys_workspaces_and_what_happened(people: People, browser: Open):
    key = make_key(people, people.bob)
    ada = browser(people.ada)

    shown = ada.get(f"{PAGE}/{people.bob.id}").text
    team = ada.get(f"{PAGE}/{people.bob.id}?workspace={people.team_id}").text

    told = ("bob@example.com", "sign-up", "sk-tb-", "Acme", "Registered", f"/admin/audit?who={people.bob.id}")
    assert [words for words in told if words not in shown] == []
    assert "No movements" in team
    assert key not in shown
    assert ada.get(f"{PAGE}/{people.bob.id}?workspace={people.alice.workspace_id}").status_code == 404
    assert ada.get(f"{PAGE}/{people.team_id}").status_code == 404


def test_a_cap_is_set_and_taken_away_and_audited(people: People, browser: Open):
    ada, path = browser(people.ada), f"{PAGE}/{people.bob.id}/cap"

    assert ada.post(path, {"cap": "1,025.50"}).status_code == 303
    assert person(people, people.bob).monthly_budget_cents == 102_550
    ada.post(path, {"cap": "1025.50"})
    assert ada.post(path, {"cap": "12.345"}).status_code == 422
    ada.post(path, {"cap": " "})

    assert person(people, people.bob).monthly_budget_cents is None
    changes = sorted(str(act.facts["monthly_cap_cents"]) for act in acts(people, "accounts.cap_set"))
    assert changes == ["[102550, None]", "[None, 102550]"]


def test_whoever_is_disabled_is_out_at_once_with_keys_and_comes_back_with_them(people: People, browser: Open):
    key, bob, ada = make_key(people, people.bob), browser(people.bob), browser(people.ada)
    token = Bearer(people.app, people.bob)
    assert bob.get("/dashboard").status_code == 200

    assert ada.post(f"{PAGE}/{people.bob.id}/disable").status_code == 303

    assert bob.get("/dashboard").headers["Location"].startswith("/login")
    assert token.get("/api/me").status_code == 401
    with people.app.app_context():
        live = select(SignIn).where(SignIn.person_id == people.bob.id, SignIn.ended_at.is_(None))
        assert db.session.scalars(live).all() == []
        row = db.session.get_one(VirtualKey, key)
        assert (row.state, row.pause_reason) == ("paused", PauseReason.ADMIN)
        with pytest.raises(KeyPaused):
            key_service.resume(key=row, actor=people.alice.id)
    ada.post(f"{PAGE}/{people.bob.id}/disable")
    ada.post(f"{PAGE}/{people.bob.id}/enable")
    with people.app.app_context():
        assert db.session.get_one(VirtualKey, key).state == "active"
    assert [len(acts(people, act)) for act in ("accounts.disabled", "accounts.enabled", "keys.paused")] == [1, 1, 1]


def test_a_key_its_holder_paused_stays_paused(people: People, browser: Open):
    key = make_key(people, people.bob)
    with people.app.app_context():
        key_service.pause(key=db.session.get_one(VirtualKey, key), actor=people.bob.id)
        db.session.commit()
    ada = browser(people.ada)
    ada.post(f"{PAGE}/{people.bob.id}/disable")
    ada.post(f"{PAGE}/{people.bob.id}/enable")

    with people.app.app_context():
        assert db.session.get_one(VirtualKey, key).pause_reason == PauseReason.PERSON


def test_nobody_disables_or_unseats_themselves(sqlite_people: People):
    people = sqlite_people
    ada = people.browser(people.ada)

    assert ada.post(f"{PAGE}/{people.ada.id}/disable").status_code == 409
    assert ada.post(f"{PAGE}/{people.ada.id}/administrator", {"is_admin": ""}).status_code == 409
    assert ada.patch(f"/api/admin/users/{people.ada.id}", json={"isAdmin": False}).status_code == 409
    assert person(people, people.ada).is_admin


def test_delicate_acts_ask_again_who_sits_there(sqlite_people: People):
    people = sqlite_people
    ada = people.browser(people.ada)
    with people.app.app_context():
        for row in db.session.scalars(select(SignIn)):
            row.proven_at = now() - timedelta(minutes=16)
        db.session.commit()

    for act in ("disable", "enable", "administrator", "view"):
        assert ada.post(f"{PAGE}/{people.bob.id}/{act}").headers["Location"].startswith("/confirm"), act
    assert ada.patch(f"/api/admin/users/{people.bob.id}", json={"disabled": True}).status_code == 403
    assert ada.patch(f"/api/admin/users/{people.bob.id}", json={"monthlyBudgetCents": 5}).status_code == 200


def test_programs_list_and_change_people(people: People):
    ada = people.bearer(people.ada)

    listed = ada.get("/api/admin/users?limit=2").json
    following = ada.get(f"/api/admin/users?limit=10&cursor={listed['nextCursor']}").json
    changed = ada.patch(f"/api/admin/users/{people.bob.id}", {"monthlyBudgetCents": 5_000, "isAdmin": True}).json
    cleared = ada.patch(f"/api/admin/users/{people.bob.id}", {"monthlyBudgetCents": None}).json

    emails = [one["email"] for one in listed["users"] + following["users"]]
    assert len(emails) == len(set(emails)) == 6
    assert following["nextCursor"] is None
    assert changed["user"]["monthlyBudgetCents"] == 5_000
    assert changed["user"]["isAdmin"]
    assert changed["user"]["balanceMicros"] == 1_000_000_000
    assert cleared["user"]["monthlyBudgetCents"] is None
    assert cleared["user"]["isAdmin"]
    assert ada.patch(f"/api/admin/users/{people.bob.id}", {"monthlyBudgetCents": -1}).status_code == 422
    assert people.bearer(people.alice).get("/api/admin/users").status_code == 404


def test_a_table_shows_what_it_would_change_and_only_then_sets_it(people: People, browser: Open):
    ada = browser(people.ada)
    ada.post(f"{PAGE}/{people.vera.id}/cap", {"cap": "5"})
    table = "e-mail,cap\nBOB@example.com,25\nvera@example.com,none\nalice@example.com,\n"

    shown = ada.post(CAPS, {"table": table})
    seen = re.search(r'name="seen" value="(\w+)"', shown.text)[1]

    assert shown.status_code == 200
    assert "2\N{NO-BREAK SPACE}caps would change, 1 stay as they are" in shown.text
    assert person(people, people.bob).monthly_budget_cents is None
    assert ada.post(f"{CAPS}/apply", {"table": table, "seen": seen}).status_code == 303
    assert person(people, people.bob).monthly_budget_cents == 2_500
    assert person(people, people.vera).monthly_budget_cents is None
    assert ada.post(f"{CAPS}/apply", {"table": table, "seen": seen}).status_code == 422  # it says something else by now
    assert [act.facts for act in acts(people, "ops.caps_imported")] == [{"people": 2}]


def test_a_table_with_one_bad_line_sets_nothing(sqlite_people: People):
    people = sqlite_people
    ada = people.browser(people.ada)

    faulty = ada.post(CAPS, {"table": "bob@example.com,25\nnonsense,3\nvera@example.com,1.234\nbob@example.com,1"})
    stranger = ada.post(CAPS, {"table": "bob@example.com,25\neve@example.com,3"})

    assert faulty.status_code == stranger.status_code == 422
    assert [words for words in ("Line 2", "Line 3", "Line 4") if words not in faulty.text] == []
    assert "eve@example.com" in stranger.text
    assert "/apply" not in stranger.text


def test_the_csv_of_people_can_be_read_back_as_a_table_of_caps(people: People, browser: Open):
    ada = browser(people.ada)
    ada.post(f"{PAGE}/{people.bob.id}/cap", {"cap": "25"})
    answer = ada.get(f"{PAGE}/list.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))

    again = ada.post(CAPS, {"file": (io.BytesIO(answer.data), "people.csv")}, content_type="multipart/form-data")

    assert {row["E-mail"]: row["Monthly cap (USD)"] for row in rows}["bob@example.com"] == "25.00"
    assert "Nothing would change, 6 stay" in again.text
