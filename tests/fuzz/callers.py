"""Sends any call of the API as somebody who may: the right token, key or signature; real ids where there are some."""

from __future__ import annotations

import hashlib
import hmac
import json as jsonlib
import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.billing.events import signed
from tests.conftest import ADMIN_API_KEY, CRON_SECRET, METRICS_TOKEN
from tests.people import Bearer, People, Someone
from tokenboard.accounts.models import Person
from tokenboard.core.db import db, new_id
from tokenboard.keys import key_service
from tokenboard.keys.rules import Limits
from tokenboard.workspaces.models import Workspace

_PART = re.compile(r"\{\w+\}")


class Callers:
    """Alice, who owns the team; Ada for the operator's calls; a program's key; the operator's secrets."""

    def __init__(self, people: People) -> None:
        self.people = people
        self.app: Flask = people.app
        self._tokens: dict[str, str] = {}
        self._key = _virtual_key(people)

    def send(
        self, route: str, *, ids: tuple[str, ...] = (), json: Any = None, query: Any = None, **more: Any
    ) -> TestResponse:
        """`POST /api/keys/{keyId}/rotate` with ids for its parts; made-up ones where none are given."""
        method, _, path = route.partition(" ")
        for value in (*ids, *[new_id()] * path.count("{")):
            path = _PART.sub(value, path, count=1)
        body = None if json is None else jsonlib.dumps(json).encode()
        return self.open(route, method=method, path=path, data=body, query_string=query, **more)

    def open(
        self, route: str, *, data: bytes | None, headers: dict[str, str] | None = None, **more: Any
    ) -> TestResponse:
        """The same with bytes. A call may have ended its own session: then it is sent again with another."""
        answer = self._open(route, data, headers, more)
        if answer.status_code == 401 and self._tokens:
            self._tokens.clear()
            answer = self._open(route, data, headers, more)
        return answer

    def _open(
        self, route: str, data: bytes | None, headers: dict[str, str] | None, more: dict[str, Any]
    ) -> TestResponse:
        kind = {"Content-Type": "application/json"} if data is not None else {}
        own = self.credential(route) | _signature(route, data or b"")
        taken = {name.lower() for name in own}
        given = {name: value for name, value in (headers or {}).items() if name.lower() not in taken}
        headers = kind | given | own
        client = self.app.test_client(use_cookies=False)
        answer = client.open(data=data, headers=headers, **more)
        answer.get_data()  # a stream is heard to its end
        answer.close()
        return answer

    def credential(self, route: str) -> dict[str, str]:
        """What opens this call."""
        path = route.partition(" ")[2]
        if path.startswith("/v1/"):
            return {"Authorization": f"Bearer {self._key}"}
        if path in ("/api/credits/grant", "/api/billing/sync-prices"):
            return {"X-Admin-Key": ADMIN_API_KEY}
        if path.startswith("/api/cron/"):
            return {"Authorization": f"Bearer {CRON_SECRET}"}
        if path == "/metrics":
            return {"Authorization": f"Bearer {METRICS_TOKEN}"}
        if path == "/api/webhooks/litellm":
            return {"Authorization": "Bearer sandbox-callback"}
        if path.startswith(("/api/webhooks/", "/api/billing/webhook")):
            return {}
        return self._bearer(self.people.ada if path.startswith("/api/admin/") else self.people.alice)

    def _bearer(self, someone: Someone) -> dict[str, str]:
        if someone.id not in self._tokens:
            self._tokens[someone.id] = Bearer(self.app, someone).token
        return {"Authorization": f"Bearer {self._tokens[someone.id]}"}


def _signature(route: str, body: bytes) -> dict[str, str]:
    """As the sandbox's Stripe and Paystack sign."""
    if route.endswith(("/webhooks/stripe", "/billing/webhook")):
        return {"Stripe-Signature": signed(body, "whsec_sandbox")}
    if route.endswith("/webhooks/paystack"):
        return {"x-paystack-signature": hmac.new(b"sk_test_sandbox", body, hashlib.sha512).hexdigest()}
    return {}


def _virtual_key(people: People) -> str:
    with people.app.app_context():
        made = key_service.create_key(
            workspace=db.session.get_one(Workspace, people.team_id),
            person=db.session.get_one(Person, people.alice.id),
            name="fuzz",
            limits=Limits(),
        )
        db.session.commit()
        secret = made.secret
    assert secret is not None
    return secret
