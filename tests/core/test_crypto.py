"""A sealed secret opens in its own place, with a key that is still there, and nowhere else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, strategies as st

from tokenboard.core import crypto
from tokenboard.core.crypto import CannotUnseal, KeyRing, parse_key_ring

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
ROW = "connection:acme:openai:1"


def _ring(**keys: bytes) -> KeyRing:
    return KeyRing(dict(keys))


@given(st.text())
def test_what_is_sealed_opens_again(secret: str):
    ring = _ring(k1=OLD)

    assert ring.unseal(ring.seal(secret, context=ROW), context=ROW) == secret


def test_a_ciphertext_moved_to_another_row_does_not_open():
    ring = _ring(k1=OLD)
    sealed = ring.seal("sk-admin-1", context=ROW)

    with pytest.raises(CannotUnseal):
        ring.unseal(sealed, context="connection:other:openai:1")


def test_the_same_secret_is_sealed_differently_every_time():
    ring = _ring(k1=OLD)

    assert ring.seal("sk-admin-1", context=ROW) != ring.seal("sk-admin-1", context=ROW)


def test_a_ciphertext_opens_in_one_spelling_only():
    ring = _ring(k1=OLD)
    sealed = ring.seal("sk-admin-1", context=ROW)  # 26 bytes: the last character has four spare bits
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings = [sealed[:-1] + one for one in alphabet if one != sealed[-1]] + [f"{sealed}!", f"{sealed}="]

    for spelling in spellings:
        with pytest.raises(CannotUnseal):
            ring.unseal(spelling, context=ROW)


@pytest.mark.parametrize("position", [3, 8, -1])
def test_a_changed_ciphertext_does_not_open(position: int):
    ring = _ring(k1=OLD)
    sealed = ring.seal("sk-admin-1", context=ROW)
    changed = "A" if sealed[position] != "A" else "B"
    damaged = sealed[:position] + changed + (sealed[position:][1:] if position != -1 else "")

    with pytest.raises(CannotUnseal):
        ring.unseal(damaged, context=ROW)


@pytest.mark.parametrize("text", ["", "v1", "v2.k1.AAAA.AAAA", "v1.k1.!.!", "v1.k1.AAAA.AAAA", "....", "plain secret"])
def test_what_was_never_sealed_does_not_open(text: str):
    with pytest.raises(CannotUnseal):
        _ring(k1=OLD).unseal(text, context=ROW)


def test_after_rotation_the_new_key_writes_and_both_read():
    sealed = _ring(k1=OLD).seal("sk-admin-1", context=ROW)
    rotated = _ring(k2=NEW, k1=OLD)

    assert rotated.unseal(sealed, context=ROW) == "sk-admin-1"
    assert not rotated.is_current(sealed)
    assert rotated.is_current(rotated.seal("sk-admin-1", context=ROW))


def test_without_its_key_a_secret_stays_shut():
    sealed = _ring(k1=OLD).seal("sk-admin-1", context=ROW)

    with pytest.raises(CannotUnseal):
        _ring(k2=NEW).unseal(sealed, context=ROW)


def test_a_key_ring_shows_its_ids_and_no_key():
    ring = _ring(k2=NEW, k1=OLD)

    assert repr(ring) == "KeyRing(k2, k1)"


def test_keys_are_read_in_order_and_a_bare_one_is_called_k1():
    encoded = [base64.b64encode(key).decode() for key in (NEW, OLD)]

    assert list(parse_key_ring(f"k2:{encoded[0]}, k1:{encoded[1]}").keys) == ["k2", "k1"]
    assert parse_key_ring(encoded[1]).keys == {"k1": OLD}


@pytest.mark.parametrize(
    "text", ["", ",", "k1:short", "k1:!!!!", "k1:" + "A" * 44, "a:{0},a:{0}", "a b:{0}", "a.b:{0}"]
)
def test_a_key_ring_that_cannot_be_used_is_refused(text: str):
    with pytest.raises(ValueError):
        parse_key_ring(text.replace("{0}", base64.b64encode(OLD).decode()))


def test_secrets_are_compared_as_bytes_and_an_unset_one_matches_nothing():
    assert crypto.same_secret("é", "é")
    assert not crypto.same_secret("é", "a")
    assert not crypto.same_secret("", "")
    assert not crypto.same_secret("\ud800", "a")


def test_tokens_are_long_and_never_the_same():
    tokens = {crypto.new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert min(map(len, tokens)) >= 43
    assert crypto.token_hash("a") != crypto.token_hash("b")


def test_a_fingerprint_depends_on_its_key():
    assert crypto.fingerprint("sk-1", key="a") == crypto.fingerprint("sk-1", key="a")
    assert crypto.fingerprint("sk-1", key="a") != crypto.fingerprint("sk-1", key="b")
