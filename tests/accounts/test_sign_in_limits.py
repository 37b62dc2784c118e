"""How often one may try to sign in: enough for a person, too little for guessing, and nobody can shut somebody out."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from limits import parse_many
from werkzeug.test import TestResponse

from tests.people import People
from tokenboard.web import limits

WRONG = "wrong password"


def attempt(
    people: People, email: str, password: str = WRONG, *, address: str = "127.0.0.1", client: FlaskClient | None = None
) -> TestResponse:
    browser = client or people.app.test_client()
    body = {"email": email, "password": password}
    return browser.post("/api/auth/login", json=body, environ_overrides={"REMOTE_ADDR": address})


def from_everywhere(people: People, email: str, times: int) -> list[int]:
    return [attempt(people, email, address=f"198.51.100.{number}").status_code for number in range(times)]


def test_the_sixth_try_a_minute_for_one_e_mail_has_to_wait_and_others_do_not(sqlite_people):
    answers = [attempt(sqlite_people, "alice@example.com") for _ in range(6)]

    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert answers[-1].json["code"] == "rate_limited"
    assert attempt(sqlite_people, "bob@example.com", sqlite_people.bob.password).status_code == 200


def test_another_spelling_of_an_e_mail_is_the_same_e_mail(sqlite_people):
    spellings = ["alice@example.com", " ALICE@example.com ", "\uff41lice@example.com", "al\uff49ce@example.com"]
    for spelling in [*spellings, "alice@\uff45xample.com"]:
        attempt(sqlite_people, spelling)

    assert attempt(sqlite_people, "alic\uff45@example.com").status_code == 429


def test_one_address_cannot_try_one_password_on_everybody(sqlite_people):
    answers = [attempt(sqlite_people, f"person{number}@example.com").status_code for number in range(31)]

    assert answers == [401] * 30 + [429]


def test_the_addresses_of_one_ipv6_subscriber_count_as_one(sqlite_people):
    answers = [attempt(sqlite_people, "alice@example.com", address=f"2001:db8:1:2::{n}").status_code for n in range(6)]

    assert answers == [401] * 5 + [429]
    assert attempt(sqlite_people, "alice@example.com", address="2001:db8:1:3::1").status_code == 401


def test_refused_tries_for_one_e_mail_make_strangers_wait(sqlite_people):
    assert from_everywhere(sqlite_people, "alice@example.com", 9) == [401] * 8 + [429]
    assert from_everywhere(sqlite_people, "bob@example.com", 1) == [401]


def test_the_wait_grows_with_the_tries():
    steps = parse_many(limits.SIGN_IN_REFUSED)

    assert [step.get_expiry() for step in steps] == [60, 600, 3600]
    assert [step.amount for step in steps] == sorted({step.amount for step in steps})


def test_what_succeeds_makes_nobody_wait(sqlite_people):
    good = sqlite_people.alice.password
    for number in range(10):
        attempt(sqlite_people, "alice@example.com", good, address=f"203.0.113.{number}")

    assert from_everywhere(sqlite_people, "alice@example.com", 8) == [401] * 8


@pytest.mark.parametrize("has_signed_out", [False, True])
def test_nobody_is_kept_out_of_a_browser_they_know(sqlite_people, has_signed_out):
    alice, own = sqlite_people.alice, sqlite_people.app.test_client()
    attempt(sqlite_people, alice.email, alice.password, client=own)
    if has_signed_out:
        own.delete_cookie("tb_session")
    assert 429 in from_everywhere(sqlite_people, alice.email, 30)
    for _ in range(6):
        attempt(sqlite_people, alice.email)  # even from her own address

    assert attempt(sqlite_people, alice.email, alice.password).status_code == 429
    assert attempt(sqlite_people, alice.email, alice.password, client=own).status_code == 200


def test_a_known_browser_is_known_for_who_signed_in_there_only(sqlite_people):
    own = sqlite_people.app.test_client()
    attempt(sqlite_people, "charlie@example.com", sqlite_people.charlie.password, client=own)
    from_everywhere(sqlite_people, "alice@example.com", 30)

    assert attempt(sqlite_people, "alice@example.com", client=own).status_code == 429


def test_a_known_browser_cannot_guess_without_end(sqlite_people):
    own = sqlite_people.app.test_client()
    attempt(sqlite_people, "alice@example.com", sqlite_people.alice.password, client=own)

    assert [attempt(sqlite_people, "alice@example.com", client=own).status_code for _ in range(6)][-1] == 429


def test_a_made_up_device_is_a_stranger(sqlite_people):
    client = sqlite_people.app.test_client()
    client.set_cookie("tb_device", "WyJhIixbXV0.made.up")
    from_everywhere(sqlite_people, "alice@example.com", 30)

    assert attempt(sqlite_people, "alice@example.com", client=client).status_code == 429


def test_the_devices_cookie_tells_no_script_and_no_other_site(sqlite_people):
    answer = attempt(sqlite_people, "alice@example.com", sqlite_people.alice.password)

    (cookie,) = [one for one in answer.headers.getlist("Set-Cookie") if one.startswith("tb_device=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "alice" not in cookie


def test_both_doors_share_their_limit(sqlite_people):
    browser = sqlite_people.browser()
    for _ in range(5):
        browser.post("/login", {"email": "alice@example.com", "password": WRONG})

    assert attempt(sqlite_people, "alice@example.com").status_code == 429
