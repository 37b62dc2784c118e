"""Who leaves a workspace leaves no key that works there; and usage reported under a former e-mail is still theirs."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tokenboard.accounts.models import Person
from tokenboard.accounts.queries import person_by_any_email
from tokenboard.accounts.security_models import PastEmail
from tokenboard.core.db import db
from tokenboard.keys import key_service
from tokenboard.keys.models import MirrorTarget, VirtualKey
from tokenboard.keys.rules import Limits
from tokenboard.keys.spend_queries import owners_by_email
from tokenboard.workspaces.models import Workspace


def make_key(people, someone, workspace_id: str) -> str:
    with people.app.app_context():
        workspace, person = db.session.get_one(Workspace, workspace_id), db.session.get_one(Person, someone.id)
        made = key_service.create_key(workspace=workspace, person=person, name="k", limits=Limits())
        db.session.commit()
        return made.key.id


def standing(people, key_id: str) -> tuple[str, str]:
    with people.app.app_context():
        key = db.session.get_one(VirtualKey, key_id)
        return key.state, key.pause_reason


@pytest.mark.parametrize("leaves", [True, False], ids=["leaving", "being removed"])
def test_keys_pause_with_the_membership_and_others_stay(people, leaves):
    gone, own = make_key(people, people.bob, people.team_id), make_key(people, people.bob, people.bob.workspace_id)
    others = make_key(people, people.dave, people.team_id)
    actor = people.bob if leaves else people.alice

    done = people.bearer(actor).delete(f"/api/workspaces/{people.team_id}/members/{people.bob.id}")

    assert done.status_code == 204
    assert standing(people, gone) == ("paused", "leaver")
    assert standing(people, own) == standing(people, others) == ("active", "")
    with people.app.app_context():
        due = db.session.scalars(select(MirrorTarget.state).where(MirrorTarget.kind == "key")).all()
        assert set(due) == {"due"}


def test_a_key_that_was_revoked_stays_revoked(people):
    key_id = make_key(people, people.bob, people.team_id)
    with people.app.app_context():
        key_service.revoke(key=db.session.get_one(VirtualKey, key_id), actor="alice")
        db.session.commit()

    people.bearer(people.bob).delete(f"/api/workspaces/{people.team_id}/members/{people.bob.id}")

    assert standing(people, key_id) == ("revoked", "")


def test_usage_under_a_former_address_is_still_its_persons(people):
    with people.app.app_context():
        alice = db.session.get_one(Person, people.alice.id)
        alice.email = "alice@new.example"
        db.session.add(PastEmail(person_id=alice.id, email=people.alice.email))
        db.session.commit()

        found = owners_by_email([people.alice.email, "alice@new.example", "nobody@example.com"])

        assert {email: owner.person_id for email, owner in found.items()} == {
            people.alice.email: alice.id,
            "alice@new.example": alice.id,
        }
        marked = db.session.scalars(select(MirrorTarget.subject).where(MirrorTarget.kind == "customer")).all()
        assert set(marked) == {people.alice.email, "alice@new.example"}


def test_an_address_somebody_has_now_is_theirs_and_not_the_former_holders(people):
    with people.app.app_context():
        db.session.add(PastEmail(person_id=people.alice.id, email=people.charlie.email))
        db.session.commit()

        assert person_by_any_email(people.charlie.email).id == people.charlie.id
        assert owners_by_email([people.charlie.email])[people.charlie.email].person_id == people.charlie.id
