"""Making, changing, pausing, replacing and revoking a key, as its holder meets it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from tests.keys.making import again, make
from tokenboard.core.clock import now
from tokenboard.core.db import db
from tokenboard.core.errors import ValidationFailed
from tokenboard.keys import key_service, queries, using
from tokenboard.keys.errors import KeyIsRevoked, KeyNotUsable, KeyPaused
from tokenboard.keys.rules import PREFIX, PauseReason, Window, secret_hash, window_name


def test_a_new_key_opens_at_once_and_its_secret_is_not_kept(shop):
    made = make(shop)
    row = queries.secrets_of(made.key.id)[0]

    assert made.secret.startswith(PREFIX)
    assert using.open_key(made.secret).key.id == made.key.id
    assert row.hash == secret_hash(made.secret)
    assert made.secret not in repr([getattr(row, column.key) for column in row.__table__.columns])


def test_a_request_that_is_sent_twice_makes_one_key_and_shows_its_secret_once(shop):
    first = make(shop, client_key="build-1")
    second = make(shop, client_key="build-1")

    assert second.key.id == first.key.id
    assert second.secret is None
    assert len(queries.secrets_of(first.key.id)) == 1


@pytest.mark.parametrize("secret", ["", "sk-tb-", "sk-tb-unknown", "sk-other", "sk-tb-" + "x" * 500, "sk-tb-\x00"])
def test_an_unknown_secret_opens_nothing(shop, secret):
    with pytest.raises(KeyNotUsable):
        using.open_key(secret)


def test_a_paused_key_says_why_and_opens_again_when_resumed(shop):
    made = make(shop)
    key_service.pause(key=made.key, actor=shop.alice.id, reason=PauseReason.CREDITS)
    db.session.commit()

    with pytest.raises(KeyPaused, match="Add credits"):
        using.open_key(made.secret)

    key_service.resume(key=made.key, actor=shop.alice.id)
    assert using.open_key(made.secret).key.id == made.key.id


def test_a_revoked_key_is_like_one_that_never_was_and_stays_revoked(shop):
    made = make(shop)
    key_service.revoke(key=made.key, actor=shop.alice.id)
    key_service.revoke(key=made.key, actor=shop.alice.id)
    db.session.commit()

    with pytest.raises(KeyNotUsable):
        using.open_key(made.secret)
    with pytest.raises(KeyIsRevoked):
        key_service.resume(key=made.key, actor=shop.alice.id)


def test_both_secrets_open_a_key_until_the_overlap_is_over(shop):
    made = make(shop)
    fresh = key_service.rotate(key=made.key, actor=shop.alice.id, overlap=timedelta(hours=1))
    db.session.commit()

    assert using.open_key(fresh).key.id == using.open_key(made.secret).key.id
    with time_machine.travel(now() + timedelta(hours=1, seconds=1), tick=False):
        assert using.open_key(fresh).key.id == made.key.id
        with pytest.raises(KeyNotUsable):
            using.open_key(made.secret)


def test_replacing_again_does_not_lengthen_an_overlap(shop):
    made = make(shop)
    key_service.rotate(key=made.key, actor=shop.alice.id, overlap=timedelta(minutes=5))
    key_service.rotate(key=made.key, actor=shop.alice.id, overlap=timedelta(days=7))

    first, second, third = queries.secrets_of(made.key.id)
    assert first.valid_until < now() + timedelta(minutes=6)
    assert second.valid_until > now() + timedelta(days=6)
    assert third.valid_until is None


def test_an_overlap_has_a_longest_time(shop):
    made = make(shop)

    with pytest.raises(ValidationFailed):
        key_service.rotate(key=made.key, actor=shop.alice.id, overlap=timedelta(days=31))


def test_a_key_ends_at_its_expiry(shop):
    made = make(shop, expires_at=now() + timedelta(days=1))

    with time_machine.travel(now() + timedelta(days=1, seconds=1), tick=False), pytest.raises(KeyNotUsable):
        using.open_key(made.secret)


def test_when_a_key_was_used_is_noted_once_a_minute(shop):
    made = make(shop)
    using.note_use(made.key, network="203.0.113.0/24")
    first = again(made).last_used_at
    using.note_use(made.key, network="198.51.100.0/24")

    assert again(made).last_used_at == first
    assert again(made).last_used_from == "203.0.113.0/24"


def test_a_budget_counts_in_utc_days_and_months(shop):
    at = now().replace(year=2026, month=11, day=30, hour=23, minute=59)

    assert [window_name(one, at) for one in (Window.TOTAL, Window.DAY, Window.MONTH)] == [
        "total",
        "2026-11-30",
        "2026-11",
    ]
