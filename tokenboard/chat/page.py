"""The chat page in finished texts: the list of conversations, the open one, the composer with its estimate.

Law: everything is read here, in a fixed number of queries; the template only places it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from tokenboard.accounts.models import Person
from tokenboard.chat import model_choice, queries, service
from tokenboard.chat.forms import SHORT_ANSWER_TOKENS
from tokenboard.chat.message_view import MessageView, view
from tokenboard.chat.model_choice import ModelChoice
from tokenboard.chat.models import Conversation, Message, Status
from tokenboard.chat.queries import Shelf
from tokenboard.core.db import new_id
from tokenboard.core.errors import TokenBoardError
from tokenboard.ledger.errors import InsufficientCredits
from tokenboard.metering import queries as metering_queries, service as metering
from tokenboard.metering.facts import CallOrder, Estimate
from tokenboard.wallet import queries as wallet
from tokenboard.web.filters import credit_amount
from tokenboard.workspaces.models import Workspace

PATH = "/chat"
SHOWN_MESSAGES = 60
SHOWN_CONVERSATIONS = 40
SUGGESTIONS = (
    ("Explain", "Explain how prices per million tokens work, with one example."),
    ("Write", "Write a short, friendly e-mail that moves a meeting to next Tuesday."),
    ("Code", "Write a Python function that groups a list of dates by month, with a test."),
)


@dataclass(frozen=True, slots=True)
class Sidebar:
    """The conversations, in groups."""

    shelves: tuple[Shelf, ...]
    search: str
    older_href: str
    is_first_page: bool


@dataclass(frozen=True, slots=True)
class EstimateLine:
    """What stands under the composer."""

    text: str
    left: str
    # The chosen model's price: a drop-down on a phone has no room for it.
    price: str = ""
    # The wallet may not pay for the whole answer; `cheaper` names a model that costs less.
    is_tight: bool = False
    warning: str = ""
    cheaper: str = ""


@dataclass(frozen=True, slots=True)
class Acts:
    """What decides the composer's button."""

    running_id: str
    models: tuple[ModelChoice, ...]
    can_pay: bool


@dataclass(frozen=True, slots=True)
class Composer:
    """The form below the messages."""

    action: str
    key: str
    draft: str
    models: tuple[ModelChoice, ...]
    model: ModelChoice | None
    is_short: bool
    can_pay: bool
    running_id: str
    estimate: EstimateLine
    refusal: str = ""
    is_unpaid: bool = False
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Room:
    """The open conversation, or an empty one."""

    conversation: Conversation | None
    title: str
    messages: tuple[MessageView, ...]
    earlier_href: str
    cost: str
    composer: Composer
    suggestions: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody has typed or chosen so far."""

    text: str = ""
    model: str | None = None
    is_short: bool = False


def sidebar(person: Person, workspace: Workspace, *, search: str, cursor: str | None) -> Sidebar:
    """Two reads: the pinned ones, a page of the rest."""
    mine = {"person_id": person.id, "workspace_id": workspace.id, "search": search}
    pinned = () if cursor else queries.conversations(**mine, is_pinned=True, limit=queries.MOST_PINNED).conversations
    rest = queries.conversations(**mine, is_pinned=False, cursor=cursor, limit=SHOWN_CONVERSATIONS)
    more = {"q": search} if search else {}
    older = f"{PATH}?{urlencode(more | {'cursor': rest.next_cursor})}" if rest.next_cursor else ""
    return Sidebar(queries.shelves(pinned, rest.conversations), search, older, not cursor)


def room(
    person: Person,
    workspace: Workspace,
    conversation: Conversation | None,
    *,
    draft: Draft,
    before: int | None = None,
    refusal: TokenBoardError | None = None,
) -> Room:
    """The conversation with its composer."""
    shown = queries.latest(conversation.id, before=before, limit=SHOWN_MESSAGES) if conversation else None
    messages = shown.messages if shown else ()
    running = next((one.id for one in messages if one.status == Status.STREAMING), "")
    earlier = ""
    if conversation and shown and shown.next_cursor:
        earlier = f"{PATH}/{conversation.id}?before={shown.next_cursor}"
    return Room(
        conversation=conversation,
        title=conversation.title if conversation else "New chat",
        messages=_views(messages, may_redo=before is None),
        earlier_href=earlier if conversation else "",
        cost=total(conversation),
        composer=_composer(person, workspace, conversation, draft, running, refusal),
        suggestions=tuple((word, text, f"{PATH}?{urlencode({'draft': text})}") for word, text in SUGGESTIONS),
    )


def total(conversation: Conversation | None) -> str:
    """What all answers of a conversation cost so far."""
    return f"{credit_amount(conversation.credits_micros)} credits" if conversation else ""


def _views(messages: Sequence[Message], *, may_redo: bool) -> tuple[MessageView, ...]:
    return tuple(
        view(
            one,
            text=metering_queries.recorded_text(one.id) if one.status == Status.STREAMING else None,
            is_last=may_redo,
        )
        for one in messages
    )


def _composer(
    person: Person,
    workspace: Workspace,
    conversation: Conversation | None,
    draft: Draft,
    running_id: str,
    refusal: TokenBoardError | None,
) -> Composer:
    offered = model_choice.choices()
    wanted = [draft.model, conversation.model if conversation else queries.last_model(person.id)]
    model = model_choice.chosen(offered, wanted)
    line = estimate_line(person, workspace, conversation, replace(draft, model=model.id if model else None), offered)
    fields: dict[str, list[str]] = getattr(refusal, "fields", {})
    return Composer(
        action=f"{PATH}/{conversation.id}" if conversation else PATH,
        key=new_id(),
        draft=draft.text,
        models=tuple(offered),
        model=model,
        is_short=draft.is_short,
        can_pay=wallet.balance(workspace).available_micros > 0,
        running_id=running_id,
        estimate=line,
        refusal=refusal.message if refusal and not fields else "",
        is_unpaid=isinstance(refusal, InsufficientCredits),
        faults=tuple(sentence for sentences in fields.values() for sentence in sentences),
    )


def order_for(person: Person, workspace: Workspace, conversation: Conversation | None, draft: Draft) -> CallOrder:
    """What would be sent if the draft were sent now. Raises: ModelNotOffered."""
    order = CallOrder(
        workspace=workspace,
        person_id=person.id,
        source=service.SOURCE,
        model=draft.model or "",
        messages=(),
        max_output_tokens=SHORT_ANSWER_TOKENS if draft.is_short else None,
    )
    said = queries.history(conversation.id) if conversation else []
    sent, _ = service.trimmed(order=order, history=[*said, {"role": "user", "content": draft.text}])
    return replace(order, messages=sent)


def estimate_line(
    person: Person,
    workspace: Workspace,
    conversation: Conversation | None,
    draft: Draft,
    offered: Sequence[ModelChoice],
) -> EstimateLine:
    """About what an answer costs, and whether the wallet can pay for it."""
    available = max(0, wallet.balance(workspace).available_micros)
    left = f"{credit_amount(available)} credits left"
    if not draft.model:
        return EstimateLine(model_choice.NOTHING_OFFERED, left)
    try:
        found = metering.estimate(order=order_for(person, workspace, conversation, draft))
    except TokenBoardError as refusal:
        return EstimateLine(refusal.message, left, is_tight=True)
    text, price = f"About {_range(found)} credits for this answer", _price(draft.model, offered)
    if found.high_micros <= available:
        return EstimateLine(text, left, price)
    cheaper = _cheaper(draft.model, offered)
    return EstimateLine(text, left, price, is_tight=True, warning=_warning(found), cheaper=cheaper)


def _price(model: str, offered: Sequence[ModelChoice]) -> str:
    return next((f"{one.id}: {one.price} (credits)" for one in offered if one.id == model), "")


def _range(found: Estimate) -> str:
    low, high = credit_amount(found.low_micros), credit_amount(found.high_micros)
    return low if low == high else f"{low}–{high}"


def _warning(found: Estimate) -> str:
    if not found.is_affordable:
        return "The balance does not cover even a short answer."
    return f"The balance covers an answer of up to {found.max_output_tokens:,} tokens; a longer one ends there."


def _cheaper(model: str, offered: Sequence[ModelChoice]) -> str:
    found = model_choice.cheapest(offered)
    here = next((one for one in offered if one.id == model), None)
    return found.id if found and here and found.output_micros < here.output_micros else ""
