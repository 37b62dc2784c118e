"""What a provider's groups give, and that it goes when the group goes."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.portal.entering import ZOE, come_in, subject
from tokenboard.accounts.models import Person
from tokenboard.accounts.security_models import OidcIdentity
from tokenboard.core.db import db

GIVEN = {"oidc_admin_groups": ("ops",), "oidc_group_budgets": (("staff", 5_000), ("research", 20_000))}


@pytest.fixture
def through(people, mock, entered_through):
    with entered_through(people.app, mock, **GIVEN):
        yield mock


def zoe(people) -> Person:
    with people.app.app_context():
        return db.session.scalars(select(Person).where(Person.email == "zoe@example.com")).one()


def test_groups_give_the_role_and_the_largest_allowance(people, through):
    browser = people.browser()
    come_in(browser, through, subject(through, **ZOE, groups=["staff", "research", "ops"]))

    user = browser.get("/api/me").json["user"]
    assert (user["isAdmin"], user["monthlyBudgetCents"]) == (True, 20_000)
    assert browser.get("/admin").status_code in {200, 303}


def test_what_a_group_gave_goes_with_it_at_the_next_sign_in(people, through):
    who, browser = subject(through, **ZOE, groups=["ops", "staff"]), people.browser()
    come_in(browser, through, who)
    through.set_user(who, **ZOE, groups=[])

    come_in(people.browser(), through, who)

    assert (zoe(people).is_admin, zoe(people).monthly_budget_cents) == (False, None)
    assert browser.get("/admin").status_code == 404  # at once, in every session


def test_what_the_operator_gave_stays(people, through):
    who = subject(through, **ZOE)
    come_in(people.browser(), through, who)
    with people.app.app_context():
        person = db.session.scalars(select(Person).where(Person.email == "zoe@example.com")).one()
        person.is_admin, person.monthly_budget_cents = True, 700
        db.session.commit()

    come_in(people.browser(), through, who)

    assert (zoe(people).is_admin, zoe(people).monthly_budget_cents) == (True, 700)


@pytest.mark.parametrize("groups", ["ops", [["ops"]], {"ops": True}, [1], None])
def test_a_claim_of_another_shape_gives_what_it_clearly_names_and_no_more(people, through, groups):
    come_in(people.browser(), through, subject(through, **ZOE, groups=groups))

    assert zoe(people).is_admin is (groups == "ops")


def test_disconnecting_takes_back_what_its_groups_gave(people, through):
    alice = people.browser(people.alice)
    who = subject(through, **ZOE, groups=["ops"])
    come_in(alice, through, who, "?purpose=connect")
    alice.post("/login/oidc/connect")
    come_in(alice, through, who)
    assert alice.get("/api/me").json["user"]["isAdmin"] is True
    with people.app.app_context():
        identity_id = db.session.scalars(select(OidcIdentity.id)).one()

    assert alice.post(f"/settings/security/identities/{identity_id}/remove").status_code == 303
    assert alice.get("/api/me").json["user"]["isAdmin"] is False
