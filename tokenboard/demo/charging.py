"""What made-up requests cost: the windows of their keys, an entry of the ledger for each, what usage keeps of them.

As requests are booked that a proxy reports (keys/spend_effects.py), in the same order of locks: `count_windows`, then
`charge`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tokenboard.core.settings import settings
from tokenboard.demo.cast import Cast
from tokenboard.demo.traffic import Request
from tokenboard.keys import rules
from tokenboard.keys.rules import Window
from tokenboard.ledger import service as ledger
from tokenboard.ledger.results import Posting, Spend
from tokenboard.metering import cap_service
from tokenboard.metering.facts import UsageFact
from tokenboard.metering.rules import charged_micros
from tokenboard.metering.worth import credit_value_nano

PREFIX = "demo"
_WORDS = {"chat": "Chat", "gateway": "API call", "openwebui": "Open WebUI"}


def charge(people: Cast, requests: Sequence[Request]) -> list[UsageFact]:
    """Pay for these requests, at the instant that is told; what usage is to keep of them."""
    micros = {_key(people, one): _micros(one) for one in requests}
    postings: dict[str, Posting] = {}
    for is_late in (False, True):
        paid = [one for one in requests if (one.source == "key") is is_late]
        spends = [Spend(micros[key], key, _words(one), key) for one in paid if micros[key := _key(people, one)]]
        if spends:
            wallet_id = people.workspace.ledger_account_id
            found = ledger.spend_batch(wallet_id=wallet_id, spends=spends, may_overdraw=is_late)
            postings |= dict(zip((one.key for one in spends), found, strict=True))
    return [_fact(people, one, micros[key], postings.get(key)) for one in requests if (key := _key(people, one))]


def needed_micros(requests: Sequence[Request]) -> int:
    """What these requests cost together."""
    return sum(map(_micros, requests))


def _key(people: Cast, request: Request) -> str:
    """The name of a request's entry and of its record, for ever."""
    return f"{PREFIX}:{people.workspace.id}:{request.day}:{request.number}"


def _micros(request: Request) -> int:
    return charged_micros(request.cost_nano_usd, markup=settings().credit_markup, credit_value_nano=credit_value_nano())


def _words(request: Request) -> str:
    """What the statement says."""
    if request.source == "key":
        return f"{request.model} with a key at LiteLLM"
    return f"{_WORDS[request.source]}: {request.model}"


def count_windows(people: Cast, requests: Sequence[Request]) -> None:
    """Count what keys use in the windows of their budgets."""
    spent: dict[tuple[str, str, str], int] = defaultdict(int)
    for request in requests:
        amount = _micros(request) if request.key else 0
        if amount:
            key = people.keys[request.key]
            spent["key", key.id, rules.window_name(Window(key.budget_window), request.at)] += amount
    cap_service.add_spent_to(windows=spent)


def _fact(people: Cast, request: Request, micros: int, posting: Posting | None) -> UsageFact:
    key = people.keys.get(request.key)
    return UsageFact(
        dedupe_key=_key(people, request),
        workspace_id=people.workspace.id,
        source=request.source,
        model=request.model,
        status=request.status,
        occurred_at=request.at,
        person_id=people.people[request.who] if request.who else key.person_id if key else None,
        key_id=key.id if key else None,
        prompt_tokens=request.prompt_tokens,
        cached_tokens=request.cached_tokens,
        completion_tokens=request.completion_tokens,
        credits_micros=micros,
        cost_nano_usd=request.cost_nano_usd,
        markup=str(settings().credit_markup),
        latency_ms=request.latency_ms,
        first_token_ms=request.first_token_ms,
        error_code=request.error_code,
        is_background=request.is_background,
        transaction_id=posting.transaction_id if posting else None,
        balance_after_micros=posting.balance.posted_micros if posting else None,
    )
