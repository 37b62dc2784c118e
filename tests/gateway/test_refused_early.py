"""`/v1` refuses before anything is held: too often, for a key or the house; from where a key may not be used."""

from __future__ import annotations

from typing import Any

import pytest
from flask import request_finished
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests.gateway.test_gateway import QUESTION, balance
from tests.keys.making import again
from tests.people import People
from tokenboard.core.db import db
from tokenboard.metering.models import MeteredCall
from tokenboard.web.limits import limiter

OPENAI = {"message", "type", "param", "code"}


def _calls(shop: People) -> int:
    with shop.app.app_context():
        return db.session.scalar(select(func.count()).select_from(MeteredCall)) or 0


def _is_too_often(answer: TestResponse) -> dict[str, Any]:
    """The shape that OpenAI's clients know, with when to come again."""
    error: dict[str, Any] = answer.get_json()["error"]
    assert (answer.status_code, answer.mimetype) == (429, "application/json")
    assert set(error) == OPENAI
    assert (error["type"], error["code"], error["param"]) == ("rate_limit_error", "rate_limited", None)
    assert 1 <= int(answer.headers["Retry-After"]) <= 61
    return error


@pytest.mark.parametrize(("limit", "said"), [("rpm_limit", "1 request a minute"), ("tpm_limit", "1 token a minute")])
def test_a_key_past_its_rate_is_refused_as_openai_does(shop, key_of, ask, limit, said):
    made = key_of(**{limit: 1})
    assert ask(made.secret, QUESTION).status_code == 200
    before = balance(shop)

    for body in (QUESTION, QUESTION | {"stream": True}):
        assert said in _is_too_often(ask(made.secret, body))["message"]
    assert balance(shop) == before
    assert _calls(shop) == 1


@pytest.mark.parametrize(
    ("path", "body"), [("/v1/models", None), ("/v1/chat/completions", QUESTION | {"stream": True})]
)
def test_the_houses_own_limit_is_told_as_openai_does(shop, key_of, path, body):
    made = key_of()
    asked = {"method": "GET" if body is None else "POST", "headers": {"Authorization": f"Bearer {made.secret}"}}
    client, counted = shop.app.test_client(use_cookies=False), []

    with request_finished.connected_to(lambda _app, **_: counted.append(limiter.current_limit), shop.app):
        client.open(path, json=body and {}, **asked)  # nothing to answer, and counted
    limiter.limiter.hit(counted[0].limit, *counted[0].request_args, cost=counted[0].remaining)
    answer = client.open(path, json=body, **asked)

    assert "Try again in" in _is_too_often(answer)["message"]
    assert _calls(shop) == 0


def test_a_key_with_a_list_of_addresses_opens_from_there_alone(shop, key_of):
    made, client = key_of(allowed_ips=("203.0.113.0/24", "2001:db8::/48")), shop.app.test_client(use_cookies=False)

    def answer(address: str, **more: Any) -> TestResponse:
        head = {"Authorization": f"Bearer {made.secret}"} | more.pop("headers", {})
        return client.open("/v1/models", headers=head, environ_overrides={"REMOTE_ADDR": address}, **more)

    assert [answer(one).status_code for one in ("203.0.113.9", "2001:db8::7", "::ffff:203.0.113.9")] == [200] * 3
    refused = answer("198.51.100.7", headers={"X-Forwarded-For": "203.0.113.9"})
    error = refused.get_json()["error"]
    assert (refused.status_code, set(error)) == (403, OPENAI)
    assert (error["type"], error["code"]) == ("permission_error", "address_not_allowed")
    assert "may not be used from 198.51.100.7." in error["message"]


def test_from_elsewhere_nothing_is_held_and_the_key_was_not_used(shop, key_of, ask):
    made, before = key_of(allowed_ips=("203.0.113.9",)), balance(shop)

    answer = ask(made.secret, QUESTION | {"stream": True})
    assert (answer.status_code, answer.get_json()["error"]["code"]) == (403, "address_not_allowed")
    assert balance(shop) == before
    assert _calls(shop) == 0
    with shop.app.app_context():
        assert again(made).last_used_at is None
