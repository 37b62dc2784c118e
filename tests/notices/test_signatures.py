"""Signatures as the Standard Webhooks specification writes them."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from tokenboard.notices.signatures import new_secret, signed_headers


def test_the_specifications_own_example_comes_out():
    # standard-webhooks/standard-webhooks, libraries/python/tests (the same constants in every language there)
    headers = signed_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-id"] == "msg_p5jXN8AQM9LWM0D4loKWxJek"
    assert headers["webhook-timestamp"] == "1614265330"


def test_every_part_is_signed():
    secret = new_secret()
    base = signed_headers("a", 1, b"{}", secret)["webhook-signature"]

    changed = [signed_headers("b", 1, b"{}", secret), signed_headers("a", 2, b"{}", secret)]
    changed += [signed_headers("a", 1, b"[]", secret), signed_headers("a", 1, b"{}", new_secret())]
    assert base not in [headers["webhook-signature"] for headers in changed]


def test_a_fresh_secret_is_256_bits_in_the_specifications_spelling():
    secret = new_secret()
    key = base64.b64decode(secret.removeprefix("whsec_"))

    assert secret.startswith("whsec_")
    assert len(key) == 32
    assert new_secret() != secret
    expected = base64.b64encode(hmac.new(key, b"a.1.{}", hashlib.sha256).digest()).decode()
    assert signed_headers("a", 1, b"{}", secret)["webhook-signature"] == f"v1,{expected}"


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "not base64 at all"])
def test_what_is_no_secret_signs_nothing(secret: str):
    with pytest.raises(ValueError):
        signed_headers("a", 1, b"{}", secret)
