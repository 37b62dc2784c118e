"""Judges an exchange with Paystack by Paystack's own OpenAPI file.

Not judged: the answers of /charge; every documented sample fails the file's own schema. There the samples' keys are the
judge (test_paystack_spec.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable

import requests
from openapi_core import OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse

from tests.contract.recorded import Exchange
from tests.contract.shared import text_of

Judge = Callable[[Exchange], None]
UNJUDGED_ANSWERS = ("/paystack/charge",)


def judge_of(base_url: str) -> Judge:
    """Raises when a call, or its answer, breaks Paystack's specification."""
    described = json.loads(text_of("specs/paystack.openapi.json"))
    rules = OpenAPI.from_dict({**described, "servers": [{"url": base_url}]})

    def check(exchange: Exchange) -> None:
        asked = RequestsOpenAPIRequest(exchange.request)
        rules.validate_request(asked)
        if not str(exchange.request.path_url).startswith(UNJUDGED_ANSWERS):
            rules.validate_response(asked, RequestsOpenAPIResponse(_answer(exchange)))

    return check


def _answer(exchange: Exchange) -> requests.Response:
    told = requests.Response()
    told.status_code, told._content = exchange.status, exchange.body
    told.headers.update(exchange.headers)
    return told
