"""What the connections page shows: a card a connection with its state in words, the progress, and the forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Response, request

from tokenboard.core import clock
from tokenboard.core.errors import TokenBoardError, ValidationFailed
from tokenboard.costs import connection_queries, credit_queries
from tokenboard.costs.connecting import SANDBOX_KEYS
from tokenboard.costs.connection_queries import ConnectionPicture
from tokenboard.costs.sync_rules import BACKFILL_DAYS, PROVIDER_NAMES
from tokenboard.web.clients import clients
from tokenboard.web.forms import faults_of
from tokenboard.web.fragments import page, wanted_fragment, with_out_of_band
from tokenboard.workspaces.access import WorkspaceAccess
from tokenboard.workspaces.models import Role

TEMPLATE = "costs/connections.html"
_MODE_NAMES = {"organization": "Organization", "personal": "Personal credits"}


@dataclass(frozen=True, slots=True)
class Card:
    """One connection, in words."""

    picture: ConnectionPicture
    name: str
    mode: str
    status: str  # the badge's text, tone and icon
    tone: str
    icon: str
    trouble: str  # what is wrong and what cures it; empty when nothing is
    note: str  # what the last sync has to say although it went well


def connections_page(allowed: WorkspaceAccess, *, refusal: TokenBoardError | None = None, form: str = "") -> Response:
    """The page, or its progress alone while htmx polls it. `form` names the form that was refused."""
    pictures = connection_queries.pictures(allowed.workspace.id)
    context = _context(allowed, pictures) | _typed(refusal, form)
    status = refusal.status if refusal else 200
    answer = page(TEMPLATE, fragments=("sync_progress", "connection_list"), status=status, **context)
    if wanted_fragment(("sync_progress",)) and not context["syncing"]:
        # The last poll: the list below has new times and perhaps a new state.
        with_out_of_band(answer, TEMPLATE, "connection_list", **(context | {"is_out_of_band": True}))
    return answer


def _context(allowed: WorkspaceAccess, pictures: Sequence[ConnectionPicture]) -> dict[str, object]:
    cards = [_card(one) for one in pictures]
    taken = {one.connection.provider for one in pictures if one.is_live}
    free = [(slug, name) for slug, name in PROVIDER_NAMES.items() if slug not in taken]
    return {
        "workspace": allowed.workspace,
        "cards": cards,
        "syncing": [card for card in cards if card.picture.is_syncing],
        "may_change": allowed.allows(Role.ADMIN),
        "may_sync": allowed.allows(Role.OWNER),
        "free_providers": free,
        "sandbox_key": _sandbox_key(free),
        "balance": credit_queries.prepaid_balance(allowed.workspace.id),
        "backfill_days": BACKFILL_DAYS,
        "today": clock.today(),
        "is_out_of_band": False,
    }


def _sandbox_key(free: Sequence[tuple[str, str]]) -> str:
    """The key that works without a provider, where what can still be connected is the sandbox; else empty."""
    offered = [slug for slug, _ in free if clients().mode(slug) == "sandbox"]
    return SANDBOX_KEYS[offered[0], "organization"] if offered else ""


def _typed(refusal: TokenBoardError | None, form: str) -> dict[str, object]:
    """What a refused form shows again: what was typed, but never a key."""
    faults = dict(faults_of(refusal)) if refusal else {}
    if "apiKey" in faults:
        faults["api_key"] = faults.pop("apiKey")
    kept = ("provider", "mode", "amount_nano", "as_of_on")
    typed = {name: request.form[name] for name in kept if name in request.form} if refusal else {}
    offers_balance = isinstance(refusal, ValidationFailed) and typed.get("mode") == "personal"
    return {"faults": faults, "refused_form": form, "typed": typed, "offers_balance": offers_balance}


def _card(picture: ConnectionPicture) -> Card:
    connection = picture.connection
    status, tone, icon = _state(picture)
    note = picture.latest.error_message if picture.latest and picture.latest.state == "done" else ""
    return Card(
        picture=picture,
        name=PROVIDER_NAMES[connection.provider],
        mode=_MODE_NAMES[connection.mode],
        status=status,
        tone=tone,
        icon=icon,
        trouble=connection.last_error,
        note=note,
    )


def _state(picture: ConnectionPicture) -> tuple[str, str, str]:
    connection = picture.connection
    if not picture.is_live:
        return "Removed, history kept", "", "database"
    if connection.status == "rejected":
        return "Key refused", "bad", "circle-x"
    if connection.last_error:
        return "Stale", "warn", "triangle-alert"
    if picture.is_syncing:
        return "Syncing", "accent", "refresh-cw"
    return "Up to date", "ok", "circle-check"
