"""/admin/alerts and /api/admin/alerts: listed, taken up, resolved, raised by hand."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlalchemy import select

from tests.people import Browser, People, Someone
from tokenboard.audit.alerts import raise_alert
from tokenboard.audit.models import Alert, AuditEntry
from tokenboard.core.db import db

PAGE, API = "/admin/alerts", "/api/admin/alerts"
Open = Callable[[Someone | None], Browser]


def raised(people: People, subject: str = "acme", severity: str = "warning") -> str:
    with people.app.app_context():
        raise_alert("costs.rejected", subject=subject, severity=severity, message=f"The key of {subject} was refused.")  # type: ignore[arg-type]
        db.session.commit()
        return db.session.scalars(select(Alert.id).where(Alert.open_key == f"costs.rejected:{subject}")).one()


def test_an_alert_is_taken_up_then_resolved_and_both_are_audited(people: People, browser: Open):
    alert, ada = raised(people), browser(people.ada)

    assert "Open 1" in ada.get(PAGE).text
    for _ in range(2):
        assert ada.post(f"{PAGE}/{alert}/acknowledge").status_code == 303
    taken = ada.get(f"{PAGE}?state=acknowledged").text
    for _ in range(2):
        assert ada.post(f"{PAGE}/{alert}/resolve").status_code == 303
    resolved = ada.get(f"{PAGE}?state=resolved").text

    assert "taken up by Ada" in taken
    assert "resolved by Ada" in resolved
    assert "Nothing here" in ada.get(f"{PAGE}?state=open").text
    with people.app.app_context():
        acts = db.session.scalars(select(AuditEntry.act).where(AuditEntry.act.startswith("ops."))).all()
    assert sorted(acts) == ["ops.alert_acknowledged", "ops.alert_resolved"]


def test_older_alerts_follow_by_keyset(sqlite_people: People):
    people = sqlite_people
    made = [raised(people, f"s{n}") for n in range(31)]
    ada = people.browser(people.ada)

    first = ada.get(PAGE).text
    older = re.search(r'href="([^"]*cursor=[^"]*)"', first)[1].replace("&amp;", "&")
    shown = first + ada.get(older).text

    assert [one for one in made if shown.count(f"/{one}/resolve") != 1] == []


def test_one_is_raised_by_hand(people: People, browser: Open):
    ada = browser(people.ada)

    assert ada.post(PAGE, {"message": "Bank holiday: no refunds.", "severity": "critical"}).status_code == 303
    assert ada.post(PAGE, {"message": "x", "severity": "loud"}).status_code == 422

    assert "Bank holiday: no refunds." in ada.get(f"{PAGE}?severity=critical").text
    assert "Bank holiday" in ada.get("/admin").text


def test_programs_list_take_up_resolve_and_raise(people: People):
    alert, ada = raised(people), people.bearer(people.ada)

    raised_one = ada.post(API, {"message": "By a program.", "severity": "info"})
    listed = ada.get(f"{API}?status=open&limit=1").json
    taken = ada.post(f"{API}/{alert}/acknowledge").json["alert"]
    done = ada.post(f"{API}/{alert}/resolve").json["alert"]

    assert raised_one.status_code == 201
    assert listed["nextCursor"] == listed["alerts"][0]["id"]
    assert (taken["status"], done["status"]) == ("acknowledged", "resolved")
    assert done["resolvedAt"]
    assert ada.post(f"{API}/{people.team_id}/resolve").status_code == 404
    assert people.bearer(people.alice).get(API).status_code == 404
