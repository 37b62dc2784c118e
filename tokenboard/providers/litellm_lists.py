"""Everything the proxy knows of a kind, for comparing in bulk: keys, users, customers, page by page.

`/customer/list` gives all rows at once up to 1.106 and pages of at most 100 from 1.109 on: read until a page brings
nothing new. Source: reference "LiteLLM", sections 5 and 6, November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tokenboard.providers import litellm_answers as answers
from tokenboard.providers.litellm_errors import ProxyBadAnswer
from tokenboard.providers.litellm_objects import ProxyCustomer, ProxyKey, ProxyUser
from tokenboard.providers.reading import Unreadable, object_of

PAGE_ROWS = 100
MOST_PAGES = 10_000


def keys(ask: Callable[[str], Any]) -> dict[str, ProxyKey]:
    """By token."""
    found: dict[str, ProxyKey] = {}
    for page in range(1, MOST_PAGES):
        answer = ask(f"/key/list?page={page}&size={PAGE_ROWS}&return_full_object=true")
        rows = answer.get("keys") if isinstance(answer, dict) else None
        fresh = _read(rows, answers.key, lambda one: one.token)
        found |= fresh
        if len(fresh) < PAGE_ROWS:
            break
    return found


def users(ask: Callable[[str], Any]) -> dict[str, ProxyUser]:
    """By id."""
    found: dict[str, ProxyUser] = {}
    for page in range(1, MOST_PAGES):
        answer = ask(f"/user/list?page={page}&page_size={PAGE_ROWS}")
        rows = answer.get("users") if isinstance(answer, dict) else None
        fresh = _read(rows, answers.user, lambda one: one.user_id)
        if not fresh.keys() - found.keys():
            break
        found |= fresh
        if len(fresh) < PAGE_ROWS:
            break
    return found


def customers(ask: Callable[[str], Any]) -> dict[str, ProxyCustomer]:
    """By id, as the proxy spells it."""
    found: dict[str, ProxyCustomer] = {}
    for page in range(1, MOST_PAGES):
        rows = ask(f"/customer/list?page={page}&page_size={PAGE_ROWS}")
        fresh = _read(rows, answers.customer, lambda one: one.user_id)
        if not fresh.keys() - found.keys():
            break
        found |= fresh
        if len(fresh) != PAGE_ROWS:  # a short page, or all of them at once
            break
    return found


def _read(rows: object, read: Callable[[Mapping[str, object]], Any], name: Callable[[Any], str]) -> dict[str, Any]:
    if not isinstance(rows, list):
        raise ProxyBadAnswer(status=200, detail="the list is none")
    try:
        return {name(one): one for one in (read(object_of(row, "row")) for row in rows)}
    except Unreadable as error:
        raise ProxyBadAnswer(status=200, detail=str(error)) from error
