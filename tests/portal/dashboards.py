"""What the tests of the dashboard share: a team's bill, its browser, and what is read on a page."""

from __future__ import annotations

import re
from datetime import date

from tests.costs.bills import Bill
from tests.people import Browser, People, Someone
from tokenboard.core.clock import days_between

USD = 1_000_000_000


def in_team(people: People, someone: Someone) -> Browser:
    browser = people.browser(someone)
    browser.post("/workspaces/switch", {"workspace_id": people.team_id})
    return browser


def write(workspace_id: str) -> Bill:
    """Two projects, seven weeks, 10 dollars a day together; the 11th cost 60 more."""
    days = {
        day: [("proj_a", "gpt-4o, input", "key_1", 7 * USD), ("proj_b", "web search", "", 3 * USD)]
        for day in days_between(date(2026, 9, 1), date(2026, 11, 20))
    }
    days[date(2026, 11, 11)].append(("proj_b", "=evil", "", 60 * USD))
    return Bill.of(workspace_id).tell(days).saw_models("gpt-4o").names({"proj_a": "Search", "proj_b": "Chat & <b>"})


def text(html: str) -> str:
    """What is read: no tags, plain spaces."""
    plain = re.sub(r"<[^>]+>", " ", html).replace("\xa0", " ").replace("&amp;", "&").replace("&lt;", "<")
    return " ".join(plain.replace("&gt;", ">").replace("&#34;", '"').split())
