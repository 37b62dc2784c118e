"""The sign-in provider's client: what it believes, and everything it does not."""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import responses

from tests.providers.issuer import (
    BACK,
    CLIENT_ID,
    CLIENT_SECRET,
    ISSUER,
    KEY,
    OTHER_KEY,
    Answers,
    by_secret,
    claims,
    signed,
    unsigned,
)
from tokenboard.providers.oidc_client import Claims, OidcClient, OidcFailed


@pytest.fixture
def issuer() -> Iterator[Answers]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        yield Answers(mocked)


def finish(client: OidcClient) -> Claims:
    return client.finish(redirect_uri=BACK, code="code-1", verifier="v" * 48, nonce="n")


def token_request(issuer: Answers) -> Any:
    """What was sent to the token endpoint."""
    return next(call.request for call in issuer.mocked.calls if call.request.url == f"{ISSUER}/token")


def refused(issuer: Answers, id_token: str | None) -> str:
    """The class that a token fails with."""
    client = issuer.client()
    issuer.gives(id_token)
    with pytest.raises(OidcFailed) as failure:
        finish(client)
    return failure.value.kind


def test_a_sign_in_begins_with_state_nonce_and_a_challenge(issuer):
    first, second = (issuer.client().begin(redirect_uri=BACK) for _ in range(2))

    asked = {name: value[0] for name, value in parse_qs(urlsplit(first.url).query).items()}
    challenge = base64.urlsafe_b64encode(hashlib.sha256(first.verifier.encode()).digest()).decode().rstrip("=")
    assert first.url.startswith(f"{ISSUER}/authorize?")
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": BACK,
        "scope": "openid email profile",
        "state": first.state,
        "nonce": first.nonce,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    assert first.verifier not in first.url
    assert len({first.state, second.state, first.nonce, second.nonce, first.verifier, second.verifier}) == 6


def test_asking_again_tells_the_provider_so(issuer):
    asked = parse_qs(urlsplit(issuer.client().begin(redirect_uri=BACK, asks_again=True).url).query)

    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])


def test_a_good_answer_says_who_it_is(issuer):
    client = issuer.client()
    issuer.gives(signed(claims(amr=["pwd", "mfa"], auth_time=1_700_000_000)))

    found = finish(client)

    assert (found.issuer, found.subject, found.email, found.name) == (ISSUER, "subject-1", "zoe@example.com", "Zoe")
    assert (found.email_verified, found.groups, found.has_second_factor) == (True, frozenset({"staff"}), True)
    assert found.authenticated_at == 1_700_000_000
    assert found.id_token not in repr(found)
    sent = parse_qs(token_request(issuer).body)
    assert (sent["code"], sent["code_verifier"], sent["redirect_uri"]) == (["code-1"], ["v" * 48], [BACK])


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"nonce": "another"}, "InvalidClaimError"),
        ({"nonce": None}, "MissingClaimError"),
        ({"aud": "another-client"}, "InvalidClaimError"),
        ({"aud": "another-client", "azp": CLIENT_ID}, "InvalidClaimError"),
        ({"aud": ["another-client"]}, "InvalidClaimError"),
        ({"aud": [CLIENT_ID, "another"], "azp": "another"}, "InvalidClaimError"),
        ({"aud": None}, "MissingClaimError"),
        ({"iss": "https://evil.example"}, "InvalidClaimError"),
        ({"iss": f"{ISSUER}/"}, "InvalidClaimError"),
        ({"iss": None}, "MissingClaimError"),
        ({"exp": 1}, "ExpiredTokenError"),
        ({"exp": None}, "MissingClaimError"),
        ({"iat": None}, "MissingClaimError"),
        ({"nbf": 9_999_999_999}, "InvalidClaimError"),
        ({"sub": None}, "MissingClaimError"),
        ({"sub": 5}, "InvalidClaimError"),
        ({"sub": "x" * 256}, "ValueError"),
        ({"at_hash": "another"}, "InvalidClaimError"),
    ],
)
def test_a_token_for_another_time_place_or_person_is_refused(issuer, change, kind):
    assert refused(issuer, signed(claims(**change))) == kind


@pytest.mark.parametrize(
    "id_token",
    [
        unsigned(claims()),
        unsigned(claims()) + "e30",
        by_secret(claims(), CLIENT_SECRET),
        by_secret(claims(), KEY.as_pem(private=False).decode()),
        signed(claims(), key=OTHER_KEY),
        signed(claims()).rpartition(".")[0] + ".AAAA",
        "not.a.token",
        "",
        None,
    ],
    ids=["none", "none+signature", "HMAC", "HMAC by public key", "other key", "cut", "nonsense", "empty", "missing"],
)
def test_a_token_that_the_issuer_did_not_sign_is_refused(issuer, id_token):
    assert refused(issuer, id_token).endswith("Error")


def test_an_issuer_that_offers_weak_algorithms_is_not_followed(issuer):
    client = issuer.client(id_token_signing_alg_values_supported=["none", "HS256"])
    for id_token in (unsigned(claims()), by_secret(claims(), CLIENT_SECRET)):
        issuer.mocked.remove(responses.POST, f"{ISSUER}/token")
        issuer.gives(id_token)
        with pytest.raises(OidcFailed):
            finish(client)


def test_unknown_key_ids_do_not_make_us_ask_for_keys_without_end(issuer):
    client = issuer.client()
    issuer.gives(signed(claims(), kid="k2"))

    def looked_up() -> int:
        return len([call for call in issuer.mocked.calls if call.request.url == f"{ISSUER}/jwks"])

    for _ in range(3):
        with pytest.raises(OidcFailed):
            finish(client)
    assert looked_up() == 1


@pytest.mark.parametrize("told", [False, None, "true", "false", "True", 1, ["true"]])
def test_verified_is_only_what_the_issuer_calls_true(issuer, told):
    client = issuer.client()
    issuer.gives(signed(claims(email_verified=told)))

    assert finish(client).email_verified is False


def test_what_the_token_leaves_out_is_asked_at_userinfo(issuer):
    client = issuer.client()
    issuer.gives(signed(claims(email=None, email_verified=True, groups=None, name=None)))
    told = {"sub": "subject-1", "email": "zoe@example.com", "email_verified": False, "name": "Z", "groups": "one"}
    issuer.mocked.get(f"{ISSUER}/userinfo", json=told)

    found = finish(client)

    # The token's own `email_verified` spoke of no address: it does not count for this one.
    assert (found.email, found.email_verified, found.name, found.groups) == (
        "zoe@example.com",
        False,
        "Z",
        frozenset({"one"}),
    )


def test_userinfo_about_somebody_else_is_refused(issuer):
    client = issuer.client()
    issuer.gives(signed(claims(email=None)))
    issuer.mocked.get(f"{ISSUER}/userinfo", json={"sub": "another", "email": "alice@example.com"})

    with pytest.raises(OidcFailed):
        finish(client)


@pytest.mark.parametrize("groups", [None, 5, {"a": 1}, [1, None, ""], ""])
def test_groups_of_no_known_shape_are_none(issuer, groups):
    client = issuer.client()
    issuer.gives(signed(claims(groups=groups)))
    issuer.mocked.get(f"{ISSUER}/userinfo", json={"sub": "subject-1"})

    assert finish(client).groups == frozenset()


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500, "json": {}},
        {"body": "<html>", "content_type": "text/html"},
        {"json": []},
        {"json": {}},
        {"json": {"issuer": "https://evil.example"}},
        {"status": 302, "headers": {"Location": "https://evil.example"}},
        {"body": requests.ConnectTimeout()},
        {"body": requests.ConnectionError()},
        {"body": "x" * (1024 * 1024 + 1)},
    ],
)
def test_a_discovery_that_cannot_be_trusted_begins_nothing(issuer, answer):
    issuer.mocked.get(f"{ISSUER}/.well-known/openid-configuration", **answer)

    with pytest.raises(OidcFailed):
        issuer.new_client().begin(redirect_uri=BACK)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("authorization_endpoint", "http://issuer.example/authorize"),
        ("authorization_endpoint", "javascript:alert(1)"),
        ("authorization_endpoint", None),
        ("authorization_endpoint", 5),
    ],
)
def test_only_https_addresses_are_gone_to(issuer, name, address):
    issuer.discovery[name] = address

    with pytest.raises(OidcFailed):
        issuer.client().begin(redirect_uri=BACK)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 400, "json": {"error": "invalid_grant"}},
        {"status": 401, "json": {"error": "invalid_client"}},
        {"status": 500, "body": "oops"},
        {"body": "<html>", "content_type": "text/html"},
        {"status": 302, "headers": {"Location": "https://evil.example"}},
        {"body": requests.ReadTimeout()},
    ],
)
def test_a_token_endpoint_that_refuses_or_breaks_is_one_fact(issuer, answer, caplog):
    client = issuer.client()
    issuer.mocked.post(f"{ISSUER}/token", **answer)

    with caplog.at_level(logging.WARNING), pytest.raises(OidcFailed):
        finish(client)

    assert "code-1" not in caplog.text
    assert CLIENT_SECRET not in caplog.text


def test_the_secret_goes_as_the_issuer_takes_it(issuer):
    def sent(**changed) -> tuple[str, list[str]]:
        client = issuer.client(**changed)
        issuer.gives(signed(claims()))
        finish(client)
        request = token_request(issuer)
        issuer.mocked.reset()
        return request.headers.get("Authorization", ""), parse_qs(request.body).get("client_secret", [])

    assert sent()[0].startswith("Basic ")
    assert sent(token_endpoint_auth_methods_supported=["client_secret_post"]) == ("", [CLIENT_SECRET])


def test_signing_out_leads_to_the_issuer_where_it_has_a_place_for_it(issuer):
    client = issuer.client()

    url = client.sign_out_url(id_token="hint", back_to="http://localhost:8000/login")

    asked = parse_qs(urlsplit(url).query)
    assert url.startswith(f"{ISSUER}/logout?")
    assert (asked["id_token_hint"], asked["client_id"]) == (["hint"], [CLIENT_ID])
    assert asked["post_logout_redirect_uri"] == ["http://localhost:8000/login"]
    issuer.mocked.reset()
    for nothing in (None, "http://issuer.example/logout"):
        assert issuer.client(end_session_endpoint=nothing).sign_out_url(id_token="", back_to="x") is None
        issuer.mocked.reset()
