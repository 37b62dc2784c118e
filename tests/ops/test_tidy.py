"""What nobody needs any more goes; what may still be asked for stays."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, select

from tests.people import People
from tokenboard.accounts.models import OneTimeToken, SignIn
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.notices.models import Notice
from tokenboard.ops.models import Heartbeat
from tokenboard.ops.tasks import tidy


def _ago(**span: float):
    return now() - timedelta(**span)


def _notice(key: str, state: str, days: float) -> Notice:
    facts = {"channel": "email", "kind": "k", "address": "a@example.com", "body": "b", "idempotency_key": key}
    return Notice(
        **facts, state=state, created_at=_ago(days=days), sent_at=_ago(days=days) if state == "sent" else None
    )


def test_old_rows_go_and_the_rest_stays(people: People):
    def sign_in(name: str, **facts: object) -> SignIn:
        return SignIn(person_id=people.alice.id, token_hash=name, **facts)

    with people.app.app_context():
        db.session.add_all(
            [
                Heartbeat(name="old", beat_at=_ago(hours=2)),
                Heartbeat(name="fresh", beat_at=_ago(minutes=2)),
                _notice("old", "sent", 31),
                _notice("fresh", "sent", 29),
                _notice("waiting", "waiting", 200),
                _notice("dead", "dead", 89),
                _notice("long dead", "dead", 91),
                OneTimeToken(purpose="reset", token_hash="used", expires_at=now(), used_at=_ago(days=8)),
                OneTimeToken(purpose="reset", token_hash="over", expires_at=_ago(days=8)),
                OneTimeToken(purpose="reset", token_hash="open", expires_at=now() + timedelta(minutes=9)),
                sign_in("long ended", ended_at=_ago(days=91)),
                sign_in("forgotten", last_seen_at=_ago(days=91)),
                sign_in("ended", ended_at=_ago(days=89)),
                sign_in("live"),
            ]
        )
        db.session.commit()

        tidy()

        def names(column):
            return set(db.session.scalars(select(column)))

        assert names(Heartbeat.name) == {"fresh"}
        assert names(Notice.idempotency_key) == {"fresh", "waiting", "dead"}
        assert names(OneTimeToken.token_hash) >= {"open"}
        assert not names(OneTimeToken.token_hash) & {"used", "over"}
        assert {"ended", "live"} <= names(SignIn.token_hash)
        assert not names(SignIn.token_hash) & {"long ended", "forgotten"}

        kept = db.session.scalar(select(func.count()).select_from(Notice))
        tidy()
        assert db.session.scalar(select(func.count()).select_from(Notice)) == kept
