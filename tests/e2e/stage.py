"""A site with something on every page: an administrator with a demo workspace, a payment, a chat, a key, a mail."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.conftest import Visitor, command
from tests.e2e.test_control_room import buy, control

MODEL = "sandbox-swift"


@dataclass
class Stage:
    """The ids that pages are opened with, and the two workspaces."""

    ids: dict[str, str] = field(default_factory=dict)
    own: str = ""
    demo: str = ""


def set_up(ada: Visitor, environ: dict[str, str], sandbox_url: str) -> Stage:
    """Do what people do until every page has something to show."""
    stage = Stage()
    command(environ, "accounts", "make-admin", ada.register("ada"))
    command(environ, "billing", "sync-prices")
    ada.open("/dashboard")
    stage.own = call(ada, "GET", "/api/workspaces")["workspaces"][0]["id"]
    stage.ids["payment"] = buy(ada, sandbox_url)
    ada.open(f"/admin/payments/{stage.ids['payment']}").click("text=Check now")
    ada.page.wait_for_selector("text=credits given")
    control(sandbox_url, "webhooks/deliver")
    _talk(ada, stage)
    key = call(ada, "POST", "/api/keys", {"name": "build bot", "maxBudgetCents": 1_000})
    call(ada, "POST", "/api/keys", {"name": "Open WebUI", "models": [MODEL]})
    stage.ids["key"] = key["key"]["id"]
    _ask_with(ada, key["secret"])
    batch = call(
        ada,
        "POST",
        "/api/admin/promo-codes",
        {"name": "Spring fair", "count": 20, "credits": 50, "idempotencyKey": "tour"},
    )
    stage.ids["batch"] = batch["batch"]["id"]
    _invite(ada, stage)
    _find(ada, stage)
    send(ada, "/demo")
    stage.demo = next(one["id"] for one in call(ada, "GET", "/api/workspaces")["workspaces"] if one["isDemo"])
    return stage


def call(ada: Visitor, method: str, path: str, body: Any = None) -> Any:
    """A JSON call of the signed-in browser."""
    answer = ada.context.request.fetch(
        ada.site + path,
        method=method,
        headers={"X-CSRFToken": _token(ada), "Content-Type": "application/json"},
        data=None if body is None else json.dumps(body),
    )
    assert answer.ok, f"{path}: {answer.status} {answer.text()[:300]}"
    return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text()


def send(ada: Visitor, path: str, **form: str) -> None:
    """A form of the signed-in browser."""
    answer = ada.context.request.post(ada.site + path, form={"csrf_token": _token(ada), **form})
    assert answer.ok, f"{path}: {answer.status}"


def switch(ada: Visitor, workspace_id: str) -> None:
    send(ada, "/workspaces/switch", workspace_id=workspace_id)


def _token(ada: Visitor) -> str:
    return ada.page.locator("input[name=csrf_token]").first.input_value()


def _talk(ada: Visitor, stage: Stage) -> None:
    for message in ("Say hello in three languages.", "Which of them is the oldest? Answer as a short list."):
        body = {"message": message, "model": MODEL}
        known = stage.ids.get("conversation")
        told = call(ada, "POST", "/api/chat", body | ({"conversationId": known} if known else {}))
        meta = json.loads(re.search(r"event: meta\ndata: (.*)", told)[1])
        stage.ids |= {"conversation": meta["conversation_id"], "answer": meta["message_id"]}


def _ask_with(ada: Visitor, secret: str) -> None:
    """A few requests of a program, for the pages about use."""
    for text in ("Name a river.", "Name a mountain.", "Name a lake."):
        answer = ada.context.request.post(
            f"{ada.site}/v1/chat/completions",
            headers={"Authorization": f"Bearer {secret}"},
            data={"model": MODEL, "messages": [{"role": "user", "content": text}], "max_completion_tokens": 40},
        )
        assert answer.ok, answer.text()


def _invite(ada: Visitor, stage: Stage) -> None:
    call(ada, "POST", f"/api/workspaces/{stage.own}/invitations", {"email": "bob@example.com", "role": "member"})


def _find(ada: Visitor, stage: Stage) -> None:
    """Ids that pages name and no call answers."""
    for name, page, pattern in (
        ("transaction", "/credits", r"/credits/transactions/([0-9a-f-]{36})"),
        ("event", "/admin/webhooks", r"/admin/webhooks/([0-9a-f-]{36})"),
        ("request", f"/keys/{stage.ids['key']}", r"/requests/([0-9a-f-]{36})"),
        ("person", "/admin/users", r"/admin/users/([0-9a-f-]{36})"),
        ("price", "/admin/prices", r"/admin/prices/([0-9a-f-]{36})"),
        ("notice", "/dev/outbox", r"/dev/outbox/([0-9a-f-]{36})"),
    ):
        found = re.search(pattern, ada.open(page).content())
        assert found, f"{page} names no {name}"
        stage.ids[name] = found[1]
