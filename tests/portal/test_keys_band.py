"""The dashboard's word about keys that are near their budget."""

from __future__ import annotations

import re

from tests.keys.making import CREDIT, make
from tests.metering.calling import Told, begin, fund, price, settle
from tests.people import Browser, People, Someone
from tokenboard.core.clock import today
from tokenboard.core.db import db
from tokenboard.metering.facts import KeyLimit


def _in_team(people: People, someone: Someone) -> Browser:
    browser = people.browser(someone)
    with browser.client.session_transaction() as session:
        session["workspace_id"] = people.team_id
    return browser


def test_a_key_that_has_used_most_of_its_budget_is_named_to_who_sees_it(people: People) -> None:
    with people.app.app_context():
        price()
        fund(people.team_id, 100)
        near = make(people, people.bob, max_budget_micros=CREDIT // 2)
        make(people, people.bob, max_budget_micros=50 * CREDIT)
        limit = KeyLimit(near.key.id, f"{today():%Y-%m}", CREDIT // 2)
        call = begin(people, source="gateway", key_limit=limit, max_output_tokens=400)
        settle(call, usage=Told(100, 400), delivered_bytes=1_600)
        db.session.commit()

    for someone in (people.bob, people.dave):
        page = _in_team(people, someone).get("/dashboard").text
        assert f'href="/keys/{near.key.id}"' in page
        assert re.search(r"has used \$0\.004\d of \$0\.0050 this month", page)
    for someone in (people.vera, people.charlie):
        assert near.key.id not in _in_team(people, someone).get("/dashboard").text
