"""/admin/open-webui: an administrator allows a key to name people, and takes it back."""

from __future__ import annotations

from tests.people import People
from tokenboard.accounts.models import Person
from tokenboard.audit.models import AuditEntry
from tokenboard.core.db import db
from tokenboard.keys import key_service
from tokenboard.keys.models import VirtualKey
from tokenboard.keys.rules import Limits
from tokenboard.workspaces.models import Workspace

PAGE = "/admin/open-webui"


def _key(people: People) -> tuple[str, str]:
    with people.app.app_context():
        alice = db.session.get_one(Person, people.alice.id)
        team = db.session.get_one(Workspace, people.team_id)
        made = key_service.create_key(workspace=team, person=alice, name="chat server", limits=Limits())
        db.session.commit()
        return made.key.id, str(made.secret)


def _may_name(people: People, key_id: str) -> bool:
    with people.app.app_context():
        return db.session.get_one(VirtualKey, key_id).can_name_people


def test_a_key_is_allowed_by_its_letters_and_taken_back_and_both_are_written_down(sqlite_people: People) -> None:
    people, (key_id, secret) = sqlite_people, _key(sqlite_people)
    ada = people.browser(people.ada)

    assert "A plain header says nothing here" in ada.get(PAGE).text
    assert ada.post(f"{PAGE}/keys", {"key": secret[:10]}).status_code == 303
    assert _may_name(people, key_id)
    page = ada.get(PAGE).text
    assert "chat server" in page
    assert "Acme" in page
    assert ada.post(f"{PAGE}/keys/{key_id}/end").status_code == 303
    assert not _may_name(people, key_id)
    with people.app.app_context():
        acts = db.session.scalars(db.select(AuditEntry).where(AuditEntry.subject == key_id)).all()
        found = {entry.act: entry.actor for entry in acts}
    assert found["keys.naming_allowed"] == found["keys.naming_ended"] == people.ada.id


def test_a_key_is_found_by_its_number_and_what_is_none_is_named(sqlite_people: People) -> None:
    people, (key_id, _) = sqlite_people, _key(sqlite_people)
    ada = people.browser(people.ada)

    assert ada.post(f"{PAGE}/keys", {"key": key_id}).status_code == 303
    for typed in ("", "sk-tb-????", "x" * 41):
        assert ada.post(f"{PAGE}/keys", {"key": typed}).status_code == 422
    assert _may_name(people, key_id)


def test_the_owner_of_a_key_cannot_let_it_name_people(sqlite_people: People) -> None:
    people, (key_id, _) = sqlite_people, _key(sqlite_people)

    assert people.browser(people.alice).post(f"{PAGE}/keys", {"key": key_id}).status_code == 404
    answer = people.bearer(people.alice).patch(f"/api/keys/{key_id}", {"canNamePeople": True})
    assert answer.status_code == 200
    assert not _may_name(people, key_id)
