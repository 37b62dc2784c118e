"""Secrets never reach what is written down."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from tokenboard.core import logging as our_logging
from tokenboard.core.redaction import redact, redact_value

CANARIES = [
    "sk-abcdefghijklmnop1234",
    "sk-admin-AbC123_dEf456-GhI",
    "sk-ant-api03-AAAABBBBCCCC",
    "sk-proj-zzzzyyyyxxxx",
    "sk_live_51HxyzABCDEF",
    "rk_test_51HxyzABCDEF",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "Bearer abc.def-ghi_jkl",
    "Basic dXNlcjpwYXNzd29yZA==",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    "__Host-tb=eyJzaWduX2luIjoiYWJj",
    "tb_session=eyJzaWduX2luIjoiYWJj",
    "postgres://alice:hunter2hunter2@db:5432/x",
    "rediss://:hunter2hunter2@cache:6379",
]


@pytest.mark.parametrize("canary", CANARIES)
def test_a_secret_in_running_text_is_hidden(canary: str):
    told = redact(f"the provider said: {canary} is not valid")

    assert canary not in told
    assert "[hidden]" in told
    assert told.startswith("the provider said: ")
    assert told.endswith(" is not valid")


def test_an_address_is_masked_but_recognisable():
    assert redact("sent to alice.smith@example.com") == "sent to a…@example.com"


def test_ordinary_text_stays_as_it_is():
    text = "sync of 180 days at https://api.openai.com/v1/organization/costs took 3.1 s (task-force, risk-free)"

    assert redact(text) == text


@pytest.mark.parametrize(
    "name", ["password", "apiKey", "api_key", "Authorization", "set-cookie", "sealed_secret", "jwtToken"]
)
def test_a_field_is_hidden_by_its_name_however_harmless_it_looks(name: str):
    assert redact_value(name, "harmless") == "[hidden]"
    assert redact_value("outer", {name: "harmless", "page": 2}) == {name: "[hidden]", "page": 2}


def test_numbers_and_flags_stay_what_they_are():
    assert redact_value("tokens", 12) == 12
    assert redact_value("is_secret", True) is True
    assert redact_value("ratio", 0.5) == 0.5


@pytest.mark.parametrize("piece", ["a.", "a-", "x://", "tb=", "eyJa.", "sk-", "Bearer "])
def test_a_long_text_is_read_in_no_time(piece: str):
    begun = time.thread_time()
    redact(piece * (120_000 // len(piece)))

    assert time.thread_time() - begun < 2


def test_what_is_endless_is_cut():
    assert len(redact("x" * 10_000)) < 5_000


def _written(capsys: pytest.CaptureFixture[str], act: Callable[[], None]) -> list[dict[str, Any]]:
    """The JSON lines an act leaves, through the writer every process uses."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    our_logging.configure_logging("INFO")
    try:
        act()
    finally:
        root.handlers, root.level = handlers, level
        our_logging.clear()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_log_line_is_json_with_its_request_and_without_secrets(capsys: pytest.CaptureFixture[str]):
    def act() -> None:
        our_logging.bind(request_id="abc123")
        logging.getLogger("anything").warning("key %s failed", CANARIES[1], extra={"password": "p4ssw0rd", "page": 2})

    (line,) = _written(capsys, act)

    assert (line["request_id"], line["level"], line["page"]) == ("abc123", "warning", 2)
    assert "p4ssw0rd" not in json.dumps(line)
    assert CANARIES[1] not in json.dumps(line)


def test_a_traceback_carries_no_secret(capsys: pytest.CaptureFixture[str]):
    def act() -> None:
        try:
            raise ValueError(f"refused key {CANARIES[0]}")
        except ValueError:
            logging.getLogger("anything").exception("it broke")

    (line,) = _written(capsys, act)

    assert "Traceback" in line["exception"]
    assert CANARIES[0] not in json.dumps(line)


def test_a_line_break_in_a_value_forges_no_line(capsys: pytest.CaptureFixture[str]):
    forged = '\n{"level": "info", "event": "forged"}\r\n'

    lines = _written(capsys, lambda: logging.getLogger("anything").warning("from outside: %s", forged))

    assert len(lines) == 1
