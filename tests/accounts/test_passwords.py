"""What may be a password, and how it is kept and checked."""

from __future__ import annotations

import bcrypt
import pytest

from tokenboard.accounts import passwords

GOOD = "correct horse battery staple"


@pytest.mark.parametrize(
    "password",
    [
        "short 7",
        "x" * 129,
        "password123",
        "PassWord123",
        "tokenboard2026",
        "qwertyuiop",
        "aaaaaaaaaaaa",
        "alice@example.com",
        "example.com",
        "good enough \ud800 surely",
    ],
)
def test_what_is_easy_to_guess_or_cannot_be_typed_is_refused(password: str):
    assert passwords.fault(password, email="alice@example.com")


@pytest.mark.parametrize("password", [GOOD, "8 chars!", "x y" + "z" * 125, "pässwörter länger", "密码密码密码长一点"])
def test_anything_else_is_taken_without_rules_of_composition(password: str):
    assert passwords.fault(password, email="alice@example.com") is None


def test_the_block_list_is_large_lower_case_and_holds_no_entry_that_its_length_refuses_anyway():
    entries = passwords.blocked()

    assert len(entries) >= 3_000
    assert all(entry == entry.casefold() and len(entry) >= passwords.SHORTEST for entry in entries)


@pytest.mark.parametrize(
    "password",
    [GOOD, " with spaces ", "é" * 60, "x" * 128, "nul\0inside it", "emoji 🐎 horse", "\ud800 lone surrogate"],
)
def test_a_password_matches_itself_and_nothing_else(sqlite_app, password: str):
    with sqlite_app.app_context():
        kept = passwords.hashed(password)

        assert passwords.matches(password, kept)
        assert not passwords.matches(password + "x", kept)
        assert not passwords.matches(password[:-1], kept)


def test_the_end_of_a_long_password_counts(sqlite_app):
    with sqlite_app.app_context():
        assert not passwords.matches("a" * 100 + "b", passwords.hashed("a" * 100 + "c"))


def test_a_composed_and_a_decomposed_accent_are_the_same_password(sqlite_app):
    with sqlite_app.app_context():
        assert passwords.matches("cafe\u0301 au lait", passwords.hashed("caf\u00e9 au lait"))


def test_nobodys_password_never_matches_and_takes_a_hash_all_the_same(sqlite_app, monkeypatch):
    checked = []
    real = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *given: checked.append(given[1]) or real(*given))

    with sqlite_app.app_context():
        assert not passwords.matches(GOOD, "")

    assert [kept[:7] for kept in checked] == [b"$2b$04$"]


def test_what_is_kept_does_not_open_without_the_pepper(sqlite_app):
    with sqlite_app.app_context():
        kept = passwords.hashed(GOOD)

    assert not bcrypt.checkpw(GOOD.encode(), kept.encode())
