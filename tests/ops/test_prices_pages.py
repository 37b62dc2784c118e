"""/admin/prices: models by filter, a price rehearsed and only then saved, versions, giving it up."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from sqlalchemy import select

from tests.people import Browser, People, Someone
from tokenboard.accounts.models import SignIn
from tokenboard.audit.models import AuditEntry
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.metering import price_queries
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.models import ModelPrice
from tokenboard.metering.usage_service import ingest
from tokenboard.workspaces.models import Workspace

PAGE = "/admin/prices"
WISH = {"input": "4", "cached": "", "output": "16", "markup": "1.5", "state": "offered"}
Open = Callable[[Someone | None], Browser]


@pytest.fixture
def price_id(people: People) -> str:
    """`atlas` at $2 in and $8 out, used by two teams and a demo; `void` without a price."""
    with people.app.app_context():
        facts = {"source": "litellm", "provider": "sandbox"}
        atlas = ModelPrice(
            model="atlas", version=1, input_nano_per_mtok=2_000_000_000, output_nano_per_mtok=8_000_000_000, **facts
        )
        void = ModelPrice(model="void", version=1, is_offered=False, problem="No source knows a price.", **facts)
        db.session.add_all([atlas, void])
        for workspace_id, days in ((people.team_id, 1), (people.charlie.workspace_id, 29), (people.team_id, 31)):
            ingest(records=[used(workspace_id, days)])
        db.session.get_one(Workspace, people.bob.workspace_id).is_demo = True
        ingest(records=[used(people.bob.workspace_id, 1)])
        db.session.commit()
        return atlas.id


def used(workspace_id: str, days_ago: int) -> UsageFact:
    """A million tokens in: $2, 200 credits."""
    return UsageFact(
        dedupe_key=f"call:{new_id()}",
        workspace_id=workspace_id,
        source="chat",
        model="atlas",
        status="ok",
        occurred_at=now() - timedelta(days=days_ago),
        prompt_tokens=1_000_000,
        credits_micros=200_000_000,
        cost_nano_usd=2_000_000_000,
    )


def current(people: People) -> ModelPrice:
    with people.app.app_context():
        return price_queries.versions("atlas")[0]


def test_models_are_listed_by_what_they_are(people: People, browser: Open, price_id: str):
    ada = browser(people.ada)

    def names(query: str) -> set[str]:
        return set(re.findall(r'<th scope="row"><a [^>]*>(\w+)</a>', ada.get(f"{PAGE}?{query}").text))

    assert names("") == {"atlas", "void"}
    assert names("show=offered") == {"atlas"}
    assert names("show=trouble") == {"void"}
    assert names("q=ATL") == {"atlas"}
    assert names("show=hand") == set()


def test_a_price_is_rehearsed_on_the_last_thirty_days_and_changes_nothing(people: People, browser: Open, price_id: str):
    shown = browser(people.ada).get(f"{PAGE}/{price_id}?{urlencode(WISH)}").text

    # Two customers, a million tokens each: 2 × $2 became 2 × $4, sold at half as much again.
    assert "+$8.00 of revenue in 30 days. 2\N{NO-BREAK SPACE}customers would have paid more, 0 less" in shown
    told = ("$4.00", "$12.00", "+$4.00", "Acme", "+400", "Margin at old cost")
    assert [words for words in told if words not in shown] == []
    assert current(people).version == 1


def test_saving_writes_a_version_and_the_audit_log_says_what_changed(people: People, browser: Open, price_id: str):
    ada = browser(people.ada)

    answer = ada.post(f"{PAGE}/{price_id}", WISH)

    row = current(people)
    assert answer.headers["Location"] == f"{PAGE}/{row.id}"
    assert (row.version, row.source, row.input_nano_per_mtok, row.markup) == (2, "admin", 4_000_000_000, "1.5")
    with people.app.app_context():
        facts = db.session.scalars(select(AuditEntry.facts).where(AuditEntry.act == "metering.price_set")).one()
    assert facts["input_nano_per_mtok"] == [2_000_000_000, 4_000_000_000]
    assert facts["markup"] == ["", "1.5"]
    assert ada.get(f"{PAGE}/{price_id}").headers["Location"] == f"{PAGE}/{row.id}"
    assert "by hand" in ada.get(f"{PAGE}/{row.id}").text
    assert ada.post(f"{PAGE}/{row.id}/give-up").status_code == 303
    with people.app.app_context():
        assert db.session.get_one(ModelPrice, row.id).replaced_at is not None


def test_another_price_since_the_rehearsal_is_not_overwritten(people: People, browser: Open, price_id: str):
    ada = browser(people.ada)
    ada.post(f"{PAGE}/{price_id}", WISH)

    assert ada.post(f"{PAGE}/{price_id}", WISH | {"input": "5"}).status_code == 409
    assert current(people).input_nano_per_mtok == 4_000_000_000


def test_saving_asks_again_who_sits_there(people: People, browser: Open, price_id: str):
    ada = browser(people.ada)
    with people.app.app_context():
        for row in db.session.scalars(select(SignIn)):
            row.proven_at = now() - timedelta(minutes=16)
        db.session.commit()

    assert ada.post(f"{PAGE}/{price_id}", WISH).headers["Location"].startswith("/confirm")
    assert ada.post(f"{PAGE}/{price_id}/give-up").headers["Location"].startswith("/confirm")
    assert current(people).version == 1


@pytest.mark.parametrize(
    "wrong",
    [{"input": "-1"}, {"input": ""}, {"input": "0"}, {"markup": "0"}, {"cached": "5"}, {"state": "x"}, {"output": "0"}],
)
def test_a_price_that_cannot_be_is_refused_and_says_why(sqlite_people: People, wrong: dict[str, str]):
    people = sqlite_people
    with people.app.app_context():
        row = ModelPrice(model="a", version=1, input_nano_per_mtok=1, output_nano_per_mtok=1, source="litellm")
        db.session.add(row)
        db.session.commit()

    assert people.browser(people.ada).post(f"{PAGE}/{row.id}", WISH | wrong).status_code == 422


def test_a_model_is_made_free_or_taken_off(people: People, browser: Open, price_id: str):
    ada = browser(people.ada)

    ada.post(f"{PAGE}/{price_id}", WISH | {"state": "free"})
    free = current(people)
    ada.post(f"{PAGE}/{free.id}", WISH | {"state": "off"})
    off = current(people)

    assert (free.is_free, free.is_offered, free.input_nano_per_mtok) == (True, True, 0)
    assert (off.is_free, off.is_offered, off.input_nano_per_mtok) == (False, False, 4_000_000_000)
