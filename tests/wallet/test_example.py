"""The worked example: /example-ai and POST /api/example/use-credits spend one credit, once, and answer."""

from __future__ import annotations

import re
from collections.abc import Callable

from werkzeug.test import TestResponse

from tests.people import Bearer, Browser, People, Someone

PAGE, CALL = "/example-ai", "/api/example/use-credits"
HTMX = {"HX-Request": "true", "HX-Target": "feature"}
Program = Callable[[Someone], Bearer]
Open = Callable[[Someone | None], Browser]
Posted = Callable[[str], int]


def _empty(people: People, someone: Someone) -> None:
    body = {"amount": 1000, "reason": "all of it", "idempotencyKey": "all"}
    assert people.bearer(someone).post("/api/credits/spend", json=body).status_code == 200


def _form(page: str) -> dict[str, str]:
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key
    return {"key": key.group(1), "prompt": "Two words."}


def test_the_call_spends_a_credit_and_answers(people: People, bearer: Program, posted: Posted):
    answer = bearer(people.alice).post(CALL, json={"prompt": "Two words. One."})

    assert answer.status_code == 200
    assert {"balance": 999, "credits": 1}.items() <= answer.json.items()
    assert answer.json["answer"].startswith("3 words in 2 sentences")
    assert posted(people.alice.workspace_id) == 999_000_000


def test_with_a_key_the_call_spends_once_and_another_prompt_is_a_conflict(
    people: People, bearer: Program, posted: Posted
):
    program, asked = bearer(people.alice), {"prompt": "a", "idempotencyKey": "test-123"}
    first = program.post(CALL, json=asked)

    assert program.post(CALL, json=asked).json == first.json
    assert program.post(CALL, json=asked | {"prompt": "b"}).status_code == 409
    assert posted(people.alice.workspace_id) == 999_000_000


def test_a_key_of_the_example_and_one_of_spend_do_not_meet(people: People, bearer: Program):
    program = bearer(people.alice)
    program.post(CALL, json={"idempotencyKey": "test-123"})
    spent = program.post("/api/credits/spend", json={"amount": 2, "reason": "x", "idempotencyKey": "test-123"})

    assert spent.json["balance"] == 997


def test_the_call_needs_no_body_but_somebody_who_may_spend(people: People, bearer: Program):
    assert bearer(people.alice).post(CALL).status_code == 200
    team = {"workspaceId": people.team_id}
    assert bearer(people.vera).post(CALL, json=team).status_code == 403
    assert bearer(people.charlie).post(CALL, json=team).status_code == 404
    assert bearer(people.bob).post(CALL, json=team).json["code"] == "insufficient_credits"


def test_the_page_shows_the_price_the_balance_and_the_code(people: People, browser: Open):
    page = browser(people.alice).get(PAGE).text

    assert "Count for 1 credit" in page
    assert "$0.01" in page
    assert "1,000 left" in page
    assert "/api/credits/spend" in page


def test_the_form_spends_once_however_often_it_is_sent(people: People, browser: Open, posted: Posted):
    alice = browser(people.alice)
    form = _form(alice.get(PAGE).text)

    first, again = alice.post(PAGE, form), alice.post(PAGE, form)

    assert "2 words in 1 sentence" in first.text
    assert "Spent 1 credit" in first.text
    assert "The same key again: nothing more was spent" in again.text
    assert _form(first.text)["key"] != form["key"]
    assert posted(people.alice.workspace_id) == 999_000_000


def test_htmx_gets_the_feature_with_the_pill_beside_it(people: People, browser: Open):
    alice = browser(people.alice)

    answer = alice.post(PAGE, _form(alice.get(PAGE).text), headers=HTMX)

    assert answer.text.lstrip().startswith('<section id="feature"')
    pill = answer.text.partition('id="balance_pill"')[2]
    assert 'hx-swap-oob="true"' in pill.partition(">")[0]
    assert "999 credits" in pill
    assert "<html" not in answer.text


def test_at_nought_it_offers_to_ask_for_credits_and_takes_nothing(people: People, browser: Open, posted: Posted):
    _empty(people, people.alice)
    alice = browser(people.alice)
    before = alice.get(PAGE)

    refused = alice.post(PAGE, _form(before.text), headers=HTMX)

    assert "Get credits" in before.text
    assert (refused.status_code, "Not enough credits" in refused.text) == (402, True)
    assert "0 credits" in refused.text.partition('id="balance_pill"')[2]
    assert posted(people.alice.workspace_id) == 0


def test_a_text_that_is_too_long_is_refused_at_its_field(people: People, browser: Open, posted: Posted):
    alice = browser(people.alice)

    refused = alice.post(PAGE, _form(alice.get(PAGE).text) | {"prompt": "x" * 2_001})

    assert (refused.status_code, "At most 2000 characters." in refused.text) == (422, True)
    assert posted(people.alice.workspace_id) == 1_000_000_000


def test_the_page_is_for_members(people: People, browser: Open, give: Callable[..., TestResponse]):
    give(workspaceId=people.team_id, amount=5)
    vera = browser(people.vera)
    with vera.client.session_transaction() as session:
        session["workspace_id"] = people.team_id

    assert vera.get(PAGE).status_code == 403
    assert browser(None).get(PAGE).status_code == 303
