"""LiteLLM's admin API, as keys and their mirror need it: keys, users, customers, budgets, the spend log.

Laws: only free endpoints; a budget is written as an absolute value, so that every call may be made twice; a customer's
own budget row is edited, never a shared one; keys travel in a body or header, never in an address or a log line;
questions and absolute writes are asked again once when the line breaks, making a key is not (its alias finds it again).
Source: reference "LiteLLM", sections 3 to 8; OpenAPI document of 1.106.2, November 2026.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from urllib.parse import urlencode

from tokenboard.core.money import json_number, usd_from_nano
from tokenboard.providers import litellm_answers as answers, litellm_lists
from tokenboard.providers.http import clean_base_url
from tokenboard.providers.litellm_errors import (
    PROVIDER,
    AlreadyThere,
    LiteLLMError,
    NotThere,
    ProxyBadAnswer,
    ProxyTimedOut,
    ProxyUnavailable,
    refusal,
)
from tokenboard.providers.litellm_objects import ProxyCustomer, ProxyKey, ProxyUser, SpendPage, SpendRecord
from tokenboard.providers.litellm_records import logged_record
from tokenboard.providers.reading import Unreadable, list_of, object_of
from tokenboard.providers.wire import Faults, Limits, Wire

SPEND_PAGE_ROWS = 500  # of about 10 KB; the proxy allows 1,000
_LIMITS = Limits(read_seconds=15, answer_seconds=25, answer_bytes_max=32 * 1024 * 1024)
_UNLIMITED: dict[str, object] = {"max_budget": None}

Fact = TypeVar("Fact")


class LiteLLMWire(Wire):
    """Carries requests to a LiteLLM proxy."""

    faults = Faults(LiteLLMError, ProxyTimedOut, ProxyUnavailable, ProxyBadAnswer)
    log_name = "litellm call"


class LiteLLMAdmin:
    """One proxy, asked with its master key, which it never shows."""

    def __init__(self, base_url: str, master_key: str, wire: LiteLLMWire | None = None, *, retries: int = 1) -> None:
        self._base_url = clean_base_url(base_url)
        self._master_key = master_key
        self._wire = wire or LiteLLMWire(_LIMITS)
        self._retries = retries

    def __repr__(self) -> str:
        return f"LiteLLMAdmin({self._base_url})"

    # ---- Keys ----

    def generate_key(
        self,
        *,
        secret: str,
        alias: str,
        user_id: str,
        max_budget_nano: int | None,
        models: Sequence[str] = (),
        rpm_limit: int | None = None,
        tpm_limit: int | None = None,
        expires_in_seconds: int | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> ProxyKey:
        """Make the proxy know a key of ours. Raises: AlreadyThere when the alias is taken; other LiteLLMErrors."""
        body = {
            "key": secret,
            "key_alias": alias,
            "user_id": user_id,
            "models": list(models),
            "metadata": dict(metadata or {}),
            "rpm_limit": rpm_limit,
            "tpm_limit": tpm_limit,
        } | _budget(max_budget_nano)
        if expires_in_seconds is not None:
            body["duration"] = f"{max(1, expires_in_seconds)}s"
        return self._fact(answers.key, self._once("POST", "/key/generate", body, secret))

    def update_key(self, token: str, **changes: object) -> ProxyKey:
        """Change only these fields of a key; budgets in `max_budget_nano`. Raises: NotThere, other LiteLLMErrors."""
        if "max_budget_nano" in changes:
            nano = changes.pop("max_budget_nano")
            changes |= _budget(nano if isinstance(nano, int) else None)
        return self._fact(answers.key, self._ask("POST", "/key/update", {"key": token} | changes))

    def key_info(self, token: str) -> ProxyKey:
        """Raises: NotThere, other LiteLLMErrors."""
        answer = object_of(self._ask("GET", f"/key/info?{urlencode({'key': token})}"), "answer")
        return self._fact(lambda row: answers.key(row, token), answer.get("info"))

    def key_by_alias(self, alias: str) -> ProxyKey | None:
        """The key of this name; the way back after an answer that was lost. Raises: LiteLLMError."""
        query = urlencode({"key_alias": alias, "return_full_object": "true", "size": 10})
        rows = self._rows(self._ask("GET", f"/key/list?{query}"), "keys")
        found = [self._fact(answers.key, row) for row in rows if isinstance(row, dict)]
        return next((one for one in found if one.alias == alias), None)

    def keys_info(self, tokens: Sequence[str]) -> dict[str, ProxyKey]:
        """A few keys, by token; what the proxy does not know is missing. Raises: LiteLLMError.

        One question each: `/v2/key/info` answers without the tokens, in an order of its own.
        """
        found: dict[str, ProxyKey] = {}
        for token in tokens:
            with contextlib.suppress(NotThere):
                found[token] = self.key_info(token)
        return found

    def block_key(self, token: str) -> None:
        """Raises: NotThere, other LiteLLMErrors."""
        self._ask("POST", "/key/block", {"key": token})

    def unblock_key(self, token: str) -> None:
        """Raises: NotThere, other LiteLLMErrors."""
        self._ask("POST", "/key/unblock", {"key": token})

    def delete_keys(self, tokens: Sequence[str]) -> None:
        """Gone afterwards, also when they were before. Raises: LiteLLMError."""
        try:
            self._ask("POST", "/key/delete", {"keys": list(tokens)})
        except NotThere:
            return

    # ---- Users: a workspace, over all its keys ----

    def user_info(self, user_id: str) -> ProxyUser | None:
        """None when the proxy knows no such user. Raises: LiteLLMError."""
        try:
            return self._fact(answers.user, self._ask("GET", f"/user/info?{urlencode({'user_id': user_id})}"))
        except NotThere:
            return None

    def set_user_budget(self, user_id: str, max_budget_nano: int | None) -> None:
        """The user's budget, made if it is missing, without a key of its own. Raises: LiteLLMError."""
        body = {"user_id": user_id, "auto_create_key": False, "user_role": "internal_user"} | _budget(max_budget_nano)
        try:
            self._ask("POST", "/user/new", body)
        except AlreadyThere:
            self._ask("POST", "/user/update", {"user_id": user_id} | _budget(max_budget_nano))

    # ---- Customers: a person, by e-mail ----

    def customer_info(self, email: str) -> ProxyCustomer | None:
        """None when the proxy has never heard of this person. Raises: LiteLLMError."""
        try:
            return self._fact(answers.customer, self._ask("GET", f"/customer/info?{urlencode({'end_user_id': email})}"))
        except NotThere:
            return None

    def set_customer_budget(self, email: str, max_budget_nano: int) -> None:
        """The person's own budget, zero included. Raises: LiteLLMError.

        `/customer/update` ignores zero and edits shared rows, so the customer gets a budget row of its own, and that
        row is written (reference "LiteLLM", 5).
        """
        budget_id = self._own_budget(email)
        answer = self._ask("POST", "/budget/update", {"budget_id": budget_id} | _budget(max_budget_nano))
        if answer is None:  # 200 with `null`: the row is gone
            raise NotThere(status=200, detail="the customer's budget row is gone")

    def _own_budget(self, email: str) -> str:
        found = self.customer_info(email)
        if found is None:
            found = self._new_customer(email)
        if found.budget_id is None:  # made by traffic: a first budget gives it a row
            body = {"user_id": email} | _budget(1_000_000_000)
            found = self._fact(answers.customer, self._ask("POST", "/customer/update", body))
        if found.budget_id is None:
            found = self.customer_info(email)
        if found is None or found.budget_id is None:
            raise ProxyBadAnswer(detail="the customer has no budget row")
        return found.budget_id

    def _new_customer(self, email: str) -> ProxyCustomer:
        try:
            body = {"user_id": email} | _budget(1_000_000_000)
            return self._fact(answers.customer, self._once("POST", "/customer/new", body))
        except AlreadyThere:  # by traffic, at this very moment
            found = self.customer_info(email)
            if found is None:
                raise
            return found

    # ---- Everything, for comparing ----

    def keys(self) -> dict[str, ProxyKey]:
        """Every key, by token. Raises: LiteLLMError."""
        return litellm_lists.keys(lambda path: self._ask("GET", path))

    def users(self) -> dict[str, ProxyUser]:
        """Every user, by id. Raises: LiteLLMError."""
        return litellm_lists.users(lambda path: self._ask("GET", path))

    def customers(self) -> dict[str, ProxyCustomer]:
        """Every customer, by id. Raises: LiteLLMError."""
        return litellm_lists.customers(lambda path: self._ask("GET", path))

    # ---- Spend ----

    def spend_logs(self, *, since: datetime, until: datetime, page: int, rows: int = SPEND_PAGE_ROWS) -> SpendPage:
        """One page of the log, by start time, oldest first; the last one is short. Raises: LiteLLMError."""
        query = {
            "start_date": _stamp(since),
            "end_date": _stamp(until),
            "page": page,
            "page_size": rows,
            "sort_by": "startTime",
            "sort_order": "asc",
        }
        found = self._rows(self._ask("GET", f"/spend/logs/v2?{urlencode(query)}"), "data")
        records = [_readable(row) for row in found]
        kept = tuple(one for one in records if one is not None)
        return SpendPage(kept, rows=len(found), unreadable=len(found) - len(kept))

    def is_ready(self) -> bool:
        """Whether the proxy and its database answer."""
        try:
            answer = self._once("GET", "/health/readiness", None)
        except LiteLLMError:
            return False
        return isinstance(answer, dict) and answer.get("db") == "connected"

    # ---- The line ----

    def _ask(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:
        """Ask, and once more when that may help: everything asked here may be asked twice. Raises: LiteLLMError."""
        for _ in range(self._retries):
            try:
                return self._once(method, path, body)
            except ProxyUnavailable:
                continue
        return self._once(method, path, body)

    def _once(self, method: str, path: str, body: Mapping[str, object] | None, *secrets: str) -> Any:
        headers = {"Authorization": f"Bearer {self._master_key}", "Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        reply = self._wire.send(PROVIDER, method, self._base_url + path, headers, text)
        try:
            answer = json.loads(reply.body, parse_float=Decimal)
        except (ValueError, RecursionError) as error:
            if reply.status >= 400:
                raise refusal(reply.status, {}) from error
            raise ProxyBadAnswer(status=reply.status, detail="the answer is not readable JSON") from error
        if reply.status >= 400:
            raise refusal(reply.status, answer, self._master_key, *secrets)
        if reply.status != 200:
            raise ProxyBadAnswer(status=reply.status, detail=f"status {reply.status} where 200 was expected")
        return answer

    def _fact(self, read: Callable[[Mapping[str, Any]], Fact], answer: object) -> Fact:
        try:
            return read(object_of(answer, "answer"))
        except Unreadable as error:
            raise ProxyBadAnswer(status=200, detail=str(error)) from error

    def _rows(self, answer: object, name: str) -> list[Any]:
        try:
            return list_of(object_of(answer, "answer").get(name), name)
        except Unreadable as error:
            raise ProxyBadAnswer(status=200, detail=str(error)) from error


def _budget(nano: int | None) -> dict[str, object]:
    """A budget in USD as the proxy takes it; None is no limit."""
    return dict(_UNLIMITED) if nano is None else {"max_budget": json_number(usd_from_nano(nano))}


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _readable(row: object) -> SpendRecord | None:
    try:
        return logged_record(object_of(row, "row"))
    except Unreadable:
        return None


def key_token(secret: str) -> str:
    """What the proxy calls a key: its SHA-256 in hex (`hash_token` in LiteLLM's proxy/utils.py)."""
    return hashlib.sha256(secret.encode()).hexdigest()
