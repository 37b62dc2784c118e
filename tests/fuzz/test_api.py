"""Whatever is sent to the API, it answers as the OpenAPI document says and never breaks.

In the suite a few requests for each call, the same ones every time; `./run fuzz` sends 20,000 others.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from typing import Any
from unittest import SkipTest

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings, strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.generation import GenerationMode
from schemathesis.transport.wsgi import WSGI_TRANSPORT
from werkzeug.test import TestResponse

from tests.conftest import House
from tests.fuzz.callers import Callers
from tests.house.cells import samples
from tests.house.judging import Judge
from tests.house.test_openapi import MAY_BE_DOWN, _plain
from tests.people import People, cast_of
from tokenboard.ops.openapi_routes import document
from tokenboard.web.limits import limiter

WHOLE = int(os.environ.get("FUZZ_REQUESTS", "0"))
SECONDS = 8.0  # in the suite, whatever the machine
EACH = 1  # in the suite, for each call, of what fits and of what does not
# Ends the caller's own session or account; the next request would not be let in.
LEAVES = {"DELETE /api/account"}


class Fuzzer:
    """Sends cases and counts what came back."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.people = cast_of(house)
        with self.people.app.app_context():
            self.judge = Judge(document())
        self._begin()
        self.statuses: Counter[int] = Counter()
        self.faults: dict[str, str] = {}

    def _begin(self) -> None:
        """The town as it was, so that what calls before have deleted is there again."""
        self.people = cast_of(self.house)
        self.callers = Callers(self.people)
        self.ids = _ids(self.people)

    def run(self, operation: Any, mode: GenerationMode, examples: int) -> None:
        """So many cases of one call. What cannot be made (nothing to get wrong) is none."""
        route = f"{operation.method.upper()} {operation.path}"
        if WHOLE:
            self._begin()
        ids = self.ids.get(_plain(route), ())

        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            derandomize=not WHOLE,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), is_real=st.booleans())
        def send(case: Any, is_real: bool) -> None:
            self._send(route, case, ids if is_real else ())

        try:
            send()
        except (Unsatisfiable, SkipTest):
            return

    def _send(self, route: str, case: Any, ids: tuple[str, ...]) -> None:
        if ids and case.path_parameters:
            case.path_parameters = dict(zip(case.path_parameters, ids, strict=False)) | {}
        told = WSGI_TRANSPORT.serialize_case(case)
        data = told.pop("data", None)
        if "json" in told:
            data = _bytes(told.pop("json"))
        answer = self.callers.open(
            route,
            method=told["method"],
            path=told["path"],
            query_string=told.get("query_string"),
            headers={name: str(value) for name, value in told["headers"].items() if _can_be_sent(str(value))},
            data=data,
        )
        self.statuses[answer.status_code] += 1
        self._note(route, answer, data)

    def _note(self, route: str, answer: TestResponse, data: bytes | None) -> None:
        faults = self.judge.faults(route, answer) if answer.status_code != 405 else []
        if answer.status_code >= 500 and route not in MAY_BE_DOWN:
            faults.append(f"broke: {answer.text[:200]}")
        for fault in faults:
            self.faults.setdefault(f"{route}: {fault}", repr(data)[:300])


def _bytes(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "replace")


def _can_be_sent(value: str) -> bool:
    return value.isprintable() and value.isascii()


def _ids(people: People) -> dict[str, tuple[str, ...]]:
    """Real ids for the addresses of calls."""
    return {_plain(call): sample.ids for call, sample in samples(people).items()}


@pytest.fixture
def fuzzer(sqlite_app: Flask, sqlite_house: House, monkeypatch: pytest.MonkeyPatch) -> Fuzzer:
    monkeypatch.setattr(limiter, "enabled", False)
    return Fuzzer(sqlite_house)


def test_nothing_that_is_sent_breaks_the_api_or_is_answered_otherwise_than_told(fuzzer: Fuzzer) -> None:
    schema = schemathesis.openapi.from_dict(fuzzer.judge.document)
    operations: list[Any] = [one.ok() for one in schema.get_all_operations()]  # type: ignore[union-attr]
    each = max(EACH, WHOLE // (2 * len(operations)))
    begun = time.monotonic()

    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for operation in operations:
            is_spared = f"{operation.method.upper()} {operation.path}" in LEAVES
            if not is_spared and (WHOLE or time.monotonic() - begun < SECONDS):
                fuzzer.run(operation, mode, each)

    sys.stdout.write(f"{fuzzer.statuses.total():,} requests: {dict(sorted(fuzzer.statuses.items()))}" + "\n")
    if fuzzer.faults:
        pytest.fail("\n".join(f"{fault}: {data}" for fault, data in fuzzer.faults.items()), pytrace=False)
