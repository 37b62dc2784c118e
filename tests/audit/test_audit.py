"""The audit log is written with the act, keeps no secret, and cannot be changed by anybody."""

from __future__ import annotations

import pytest
import structlog
from flask import Flask
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import DatabaseError

from tokenboard.audit.models import AuditEntry
from tokenboard.audit.service import record
from tokenboard.core.db import db


def _one() -> AuditEntry:
    return db.session.scalars(select(AuditEntry)).one()


def test_an_act_is_written_down_with_where_it_came_from(app: Flask):
    with app.app_context(), structlog.contextvars.bound_contextvars(request_id="req-12345", ip_address="192.0.2.7"):
        record("costs.connected", actor="alice-id", subject="row-1", facts={"provider": "openai", "days": 180})
        db.session.commit()

        entry = _one()

    assert (entry.act, entry.actor, entry.subject) == ("costs.connected", "alice-id", "row-1")
    assert (entry.request_id, entry.ip_address) == ("req-12345", "192.0.2.7")
    assert entry.facts == {"provider": "openai", "days": 180}


def test_a_secret_among_the_facts_is_hidden(app: Flask):
    facts = {"api_key": "anything", "note": "was sk-admin-abcdefghij", "email": "alice@example.com"}
    with app.app_context():
        record("costs.connected", actor="cli", facts=facts)
        db.session.commit()

        kept = _one().facts

    assert kept == {"api_key": "[hidden]", "note": "was sk-admin-[hidden]", "email": "a…@example.com"}


def test_an_act_that_is_rolled_back_leaves_no_entry(app: Flask):
    with app.app_context():
        record("costs.connected", actor="cli")
        db.session.rollback()

        assert db.session.scalars(select(AuditEntry)).all() == []


@pytest.mark.parametrize(
    "change",
    [
        update(AuditEntry).values(actor="nobody"),
        delete(AuditEntry),
        text("UPDATE audit_entry SET facts = '{}'"),
        text("DELETE FROM audit_entry"),
    ],
    ids=["update", "delete", "bare update", "bare delete"],
)
def test_the_database_itself_refuses_to_change_or_delete_an_entry(app: Flask, change):
    with app.app_context():
        record("costs.connected", actor="alice-id")
        db.session.commit()

        with pytest.raises(DatabaseError, match="append-only"):
            db.session.execute(change)
        db.session.rollback()

        assert _one().actor == "alice-id"
