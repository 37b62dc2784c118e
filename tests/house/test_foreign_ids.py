"""Every id of another workspace or person, wherever a request can carry one: answered as an id that never was.

In path, query, form and JSON, beside the caller's own workspace too: 404, the same words as for a made-up id, and not a
row is written. Source: reference/security.md 8, item 3; reference/reliability.md 6, P12.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import redis
from flask import Flask

from tests.house.cells import samples
from tests.house.foreign_rows import alices_ids
from tests.house.sampled import Sampled
from tests.house.test_matrix import Row, _ask, _is_to_come, _rows
from tests.house.watching import Watch
from tests.people import Browser, People, Someone
from tokenboard.core.db import new_id

UNKNOWN = new_id()
# Whether a person or a demo exists is none of a stranger's business either, but these are asked with a link, not an id.
BY_LINK = {"the invited address", "who has the link", "administrator", "anyone", "signed in, development only"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request with somebody else's id in it, and the same with a made-up one."""

    row: Row
    foreign: Sampled
    unknown: Sampled


def test_somebody_elses_id_is_answered_as_one_that_never_was_and_writes_nothing(
    sqlite_people: People, redis_url: str
) -> None:
    asked = list(_everything(sqlite_people))
    charlie = _asker(sqlite_people, sqlite_people.charlie)

    found = _faults(sqlite_people.app, charlie, asked, redis_url)
    assert not found, "\n".join(found)
    assert len({one.row.call for one in asked}) > 90


def test_what_is_one_persons_alone_is_hidden_from_their_admins_and_the_sites_administrator_too(
    sqlite_people: People, redis_url: str
) -> None:
    people = sqlite_people
    asked = [one for one in _persons_own(people) if "/keys/" not in one.row.path]  # an admin manages the team's keys
    for other in (people.dave, people.ada):
        assert _faults(people.app, _asker(people, other), asked, redis_url) == [], other.name


def test_a_member_is_refused_another_members_key_and_writes_nothing(sqlite_people: People, redis_url: str) -> None:
    people = sqlite_people
    bob = _asker(people, people.bob)
    asked = [one for one in _persons_own(people) if "/keys/" in one.row.path]
    with Watch(people.app) as watch:
        for one in asked:
            before = watch.rows()
            redis.Redis.from_url(redis_url).flushdb()
            assert _ask(bob, one.row, one.foreign).status_code in {403, 404}, one.row.call
            assert watch.rows() == before, one.row.call


def _asker(people: People, someone: Someone) -> Browser:
    browser = people.browser(someone)
    with browser.client.session_transaction() as session:
        session["workspace_id"] = people.team_id  # forged, as far as it goes
    return browser


def _faults(app: Flask, browser: Browser, asked: list[Asked], redis_url: str) -> list[str]:
    line, found = redis.Redis.from_url(redis_url), []
    with Watch(app) as watch:
        before = watch.rows()
        for one in asked:
            line.flushdb()  # so many requests are not what rate limits are for
            theirs, nobodys = _ask(browser, one.row, one.foreign), _ask(browser, one.row, one.unknown)
            told = one.row.call, theirs.status_code, nobodys.status_code
            apart = set(_read(theirs.text, one.foreign)) ^ set(_read(nobodys.text, one.unknown))
            if theirs.status_code not in {404, 422} or theirs.status_code != nobodys.status_code or apart:
                found.append(f"{told}: told apart by {sorted(apart)}")
            if watch.has_moved() and watch.rows() != before:
                found.append(f"{told}: wrote")
                before = watch.rows()
    return found


def _everything(people: People) -> Iterator[Asked]:
    """Rows of the map that carry a workspace's ids, with the foreign workspace named, and with the caller's own."""
    sent, own = samples(people), people.charlie.workspace_id
    for row in _rows():
        sample = sent[row.call]
        if row.who_may in BY_LINK or row.who_may.startswith(("bearer", "key")) or _is_to_come(row, people.app):
            continue
        if sample.names_workspace:
            yield _both(row, sample, people.team_id)
        if sample.ids and sample.ids[0] != people.team_id and row.who_may != "whose it is":
            yield _both(row, _swapped(sample, people.team_id, own), people.team_id)
        if len(sample.ids) > 1 and sample.ids[0] == people.team_id:
            yield _both(row, replace(sample, ids=(own, *sample.ids[1:])), people.team_id, spared=own)
    yield from _persons_own(people)
    yield from _nested(people)


def _persons_own(people: People) -> Iterator[Asked]:
    ids, sent = alices_ids(people), samples(people)
    rows = {row.call: row for row in _rows()}
    missing = {row.call for row in rows.values() if row.who_may == "whose it is" and row.step < 6} - set(ids)
    assert missing - {call for call in missing if _is_to_come(rows[call], people.app)} == set()
    for call, own in ids.items():
        yield _both(rows[call], replace(sent[call], ids=own), people.team_id)


def _nested(people: People) -> Iterator[Asked]:
    """Ids inside bodies and queries that lead to a row of their own."""
    conversation = alices_ids(people)["GET /chat/:conversationId"][0]
    own = people.charlie.workspace_id
    bodies = (
        ("POST /api/chat", Sampled(json={"message": "Hi", "conversationId": conversation, "workspaceId": own})),
        ("POST /chat/estimate", Sampled(form={"message": "Hi", "conversation_id": conversation})),
        ("POST /api/workspaces/:id/transfer", Sampled((own,), json={"personId": people.alice.id})),
    )
    rows = {row.call: row for row in _rows()}
    for call, sample in bodies:
        yield _both(rows[call], sample, people.team_id, spared=own)


def _both(row: Row, sample: Sampled, team_id: str, spared: str = "") -> Asked:
    """The request, and the same with every foreign id made up."""
    foreign = {team_id, *sample.ids, *_nested_ids(sample)} - {spared}
    made_up = sample
    for one in foreign:
        made_up = _swapped(made_up, one, UNKNOWN, in_path=True)
    return Asked(row, sample, made_up)


def _nested_ids(sample: Sampled) -> set[str]:
    names = ("conversationId", "conversation_id", "personId")
    return {str(value) for sent in (sample.json, sample.form) for name, value in sent.items() if name in names}


def _swapped(sample: Sampled, old: str, new: str, *, in_path: bool = False) -> Sampled:
    def put(sent: dict[str, Any]) -> dict[str, Any]:
        return {name: new if value == old else value for name, value in sent.items()}

    ids = tuple(new if one == old else one for one in sample.ids) if in_path else sample.ids
    return replace(sample, ids=ids, query=put(sample.query), json=put(sample.json), form=put(sample.form))


def _read(text: str, sample: Sampled) -> list[str]:
    """What an answer says, line by line, without tags, the ids that were asked for and the request's own."""
    said = re.sub(r"<[^>]+>", "\n", text)
    for one in sample.ids:
        said = said.replace(one, "ID")
    return [line.strip() for line in re.sub(r"\b[0-9a-f]{16}\b", "REQUEST", said).splitlines() if line.strip()]
