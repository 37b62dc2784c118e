"""Samples of the control room's routes: a person of its own for every cell, since some cells shut somebody out."""

from __future__ import annotations

from sqlalchemy import select

from tests.house.sampled import Sampled
from tests.people import People
from tokenboard.accounts.models import Person
from tokenboard.audit.alerts import raise_alert
from tokenboard.audit.models import Alert
from tokenboard.core.crypto import new_token
from tokenboard.core.db import db, new_id
from tokenboard.core.jobs import job_queue
from tokenboard.metering.models import ModelPrice

_PRICE = {"input": "1", "output": "2", "cached": "", "markup": "", "state": "offered"}


def control_samples(people: People) -> dict[str, Sampled]:
    """By the map's own spelling."""
    with people.app.app_context():
        somebody, alert, price, job = _somebody(), _alert(), _price(), _job()
    whose, said = Sampled((somebody,)), {"text": "the matrix", "kind": "info", "form_key": new_id()}
    return {
        "GET /admin/users/:id": whose,
        "POST /admin/users/:id/cap": Sampled((somebody,), form={"cap": "5"}),
        "POST /admin/users/:id/disable": whose,
        "POST /admin/users/:id/enable": whose,
        "POST /admin/users/:id/administrator": Sampled((somebody,), form={"is_admin": "1"}),
        "POST /admin/users/:id/view": Sampled((somebody,), form={"reason": "the matrix"}),
        "POST /admin/users/caps": Sampled(form={"table": "bob@example.com,5"}),
        "POST /admin/users/caps/apply": Sampled(form={"table": "bob@example.com,5"}),
        "PATCH /api/admin/users/:id": Sampled((somebody,), json={"monthlyBudgetCents": 5}),
        "POST /admin/alerts": Sampled(form={"message": "the matrix", "severity": "info"}),
        "POST /admin/alerts/:id/acknowledge": Sampled((alert,)),
        "POST /api/admin/alerts": Sampled(json={"message": "the matrix"}),
        "POST /api/admin/alerts/:id/acknowledge": Sampled((alert,)),
        "POST /api/admin/alerts/:id/resolve": Sampled((alert,)),
        "POST /admin/jobs/:jobId/retry": Sampled((job,)),
        "POST /admin/jobs/:jobId/cancel": Sampled((job,)),
        "GET /admin/prices/:id": Sampled((price,)),
        "POST /admin/prices/:id": Sampled((price,), form=_PRICE),
        "POST /admin/prices/:id/give-up": Sampled((price,)),
        "POST /admin/announcements": Sampled(form=said),
        "POST /admin/announcements/:id/end": Sampled((new_id(),)),
        "POST /announcements/:id/dismiss": Sampled((new_id(),)),
    }


def _somebody() -> str:
    person = Person(email=f"{new_token().lower().replace('_', '-')}@example.com")
    db.session.add(person)
    db.session.commit()
    return person.id


def _alert() -> str:
    subject = new_token()
    raise_alert("matrix", subject=subject, severity="info", message="for the matrix")
    db.session.commit()
    return db.session.scalars(select(Alert.id).where(Alert.open_key == f"matrix:{subject}")).one()


def _price() -> str:
    """By hand, so that it can be given up."""
    row = ModelPrice(model=new_token(), version=1, input_nano_per_mtok=1, output_nano_per_mtok=1, source="admin")
    db.session.add(row)
    db.session.commit()
    return row.id


def _job() -> str:
    job_id = new_token()
    job_queue().enqueue("ops.tidy", job_id=job_id)
    return job_id
