"""Two acts in one conversation at once wait for one another, and never each for the other."""

from __future__ import annotations

import threading
import time

import sqlalchemy as sa
from sqlalchemy import select

from tests.conftest import House
from tests.people import People, cast_of
from tokenboard.chat import conversation_service
from tokenboard.chat.models import Conversation, Message
from tokenboard.core.db import db

PATIENCE_SECONDS = 30
_WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def _conversation(people: People) -> str:
    alice = people.alice
    talk = Conversation(workspace_id=alice.workspace_id, person_id=alice.id, model="gpt-4o", title="A secret plan")
    db.session.add(talk)
    db.session.flush()
    for position, role in enumerate(("user", "assistant"), start=1):
        row = {"conversation_id": talk.id, "position": position, "role": role, "content": "secret", "status": "done"}
        db.session.add(Message(**row))
    db.session.commit()
    return talk.id


def _wait_until_somebody_waits() -> None:
    """Asked in a transaction of its own each time: within one the view shows what it showed first."""
    until = time.monotonic() + PATIENCE_SECONDS
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watching:
        while not watching.scalar(_WAITING):
            assert time.monotonic() < until, "nobody waits"
            time.sleep(0.01)


def test_deleting_waits_for_an_edit_that_has_begun_and_the_edit_not_for_it(
    postgresql_house: House, fresh_world: None
) -> None:
    """Seen under a web scanner: the deletion held the conversation and wanted a message, the edit the reverse."""
    postgresql_house.empty()
    people = cast_of(postgresql_house)
    with people.app.app_context():
        talk_id = _conversation(people)

        def delete() -> None:
            with people.app.app_context():
                conversation_service.delete(conversation=db.session.get_one(Conversation, talk_id))
                db.session.commit()

        deleting = threading.Thread(target=delete)
        with db.engine.connect() as editing:  # as chat.service.edit does it: the messages, the conversation at the end
            editing.execute(sa.update(Message).where(Message.conversation_id == talk_id).values(tokens=1))
            deleting.start()
            _wait_until_somebody_waits()
            editing.execute(sa.update(Conversation).where(Conversation.id == talk_id).values(model="gpt-4o-mini"))
            editing.commit()
        deleting.join(PATIENCE_SECONDS)

        assert {row.content for row in db.session.scalars(select(Message))} == {""}
