"""One trouble is one alert, however often and from wherever it is raised."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

import time_machine
from flask import Flask
from sqlalchemy import select

from tokenboard.audit.alerts import open_alerts, raise_alert, resolve_alert
from tokenboard.audit.models import Alert
from tokenboard.core.db import db


def _raise(subject: str = "acme", severity: str = "warning", message: str = "The key was refused.") -> None:
    raise_alert("costs.rejected", subject=subject, severity=severity, message=message)  # type: ignore[arg-type]
    db.session.commit()


def test_the_same_trouble_is_counted_not_repeated(app: Flask):
    with app.app_context():
        with time_machine.travel(datetime(2026, 11, 1, tzinfo=UTC), tick=False):
            _raise()
        with time_machine.travel(datetime(2026, 11, 2, tzinfo=UTC), tick=False):
            _raise(severity="critical", message="It is refused still.")

        (alert,) = open_alerts()

    assert alert.times == 2
    assert (alert.severity, alert.message) == ("critical", "It is refused still.")
    assert alert.raised_at == datetime(2026, 11, 1, tzinfo=UTC)
    assert alert.last_raised_at == datetime(2026, 11, 2, tzinfo=UTC)


def test_two_workers_at_once_raise_one_alert(app: Flask):
    ready = threading.Barrier(4)

    def work() -> None:
        with app.app_context():
            ready.wait(5)
            _raise()

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(15)

    with app.app_context():
        assert [alert.times for alert in db.session.scalars(select(Alert))] == [4]


def test_resolved_trouble_can_be_raised_anew(app: Flask):
    with app.app_context():
        _raise()
        resolve_alert("costs.rejected", subject="acme")
        db.session.commit()
        assert open_alerts() == []
        _raise()

        (alert,) = open_alerts()
        assert alert.times == 1
        assert len(db.session.scalars(select(Alert)).all()) == 2


def test_resolving_what_was_never_raised_does_nothing(app: Flask):
    with app.app_context():
        resolve_alert("costs.rejected", subject="acme")
        db.session.commit()

        assert open_alerts() == []


def test_the_most_pressing_alert_comes_first(app: Flask):
    with app.app_context():
        for subject, severity in (("a", "info"), ("b", "critical"), ("c", "warning")):
            _raise(subject, severity)

        assert [alert.severity for alert in open_alerts()] == ["critical", "warning", "info"]


def test_an_alert_that_rolls_back_is_not_raised(app: Flask):
    with app.app_context():
        raise_alert("costs.rejected", subject="acme", severity="info", message="m")
        db.session.rollback()

        assert open_alerts() == []


def test_an_alert_tells_no_secret(app: Flask):
    with app.app_context():
        _raise(message="The key sk-admin-abcdefghij was refused.")

        assert open_alerts()[0].message == "The key sk-admin-[hidden] was refused."
