"""One message in finished texts: what `templates/chat/_message.html` places. Used by the page and by its stream.

An answer that is being written is shown as plain text; once it has ended its Markdown is rendered.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from tokenboard.chat import rules
from tokenboard.chat.markdown import render
from tokenboard.chat.models import Message, Role, Status
from tokenboard.web.filters import credit_amount, credits_exact, milliseconds, number, plural

CONTINUE = "Continue where you stopped."


@dataclass(frozen=True, slots=True)
class Notice:
    """A line under an answer that did not end by itself. `kind` as ui.callout's."""

    kind: str
    title: str
    text: str = ""
    # What can be done about it: `continue`, `top_up`, `again`.
    steps: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as the page shows it."""

    id: str
    is_mine: bool
    is_streaming: bool
    # As it was written; of an answer that is being written, what there is so far.
    text: str
    html: Markup
    model: str
    at: datetime
    # In how many characters `text` ends: where the stream goes on.
    offset: int
    usage: str
    cost: str
    exact_cost: str
    duration: str
    left_out: str
    notice: Notice | None
    can_redo: bool


def view(message: Message, *, text: str | None = None, is_last: bool = True) -> MessageView:
    """`text`: what is recorded of an answer that is being written."""
    is_streaming = message.status == Status.STREAMING
    is_mine = message.role == Role.USER
    shown = message.content if text is None else text
    return MessageView(
        id=message.id,
        is_mine=is_mine,
        is_streaming=is_streaming,
        text=shown,
        html=Markup("") if is_mine or is_streaming else render(shown),
        model=message.model,
        at=message.created_at,
        offset=len(shown),
        usage=_usage(message),
        cost=f"{credit_amount(message.credits_micros)} credits",
        exact_cost=f"{credits_exact(message.credits_micros)} credits",
        duration=_duration(message),
        left_out=_left_out(message.left_out),
        notice=None if is_mine or is_streaming else _notice(message),
        can_redo=not is_streaming and is_last,
    )


def _usage(message: Message) -> str:
    """1,204 in (900 cached) / 310 out."""
    if not message.tokens:
        return ""
    cached = f" ({number(message.cached_tokens)} cached)" if message.cached_tokens else ""
    return f"{number(message.prompt_tokens)} in{cached} / {number(message.completion_tokens)} out"


def _duration(message: Message) -> str:
    """2.1 s (0.4 s first)."""
    if message.latency_ms is None:
        return ""
    first = f" ({milliseconds(message.first_token_ms)} first)" if message.first_token_ms is not None else ""
    return milliseconds(message.latency_ms) + first


def _left_out(count: int) -> str:
    if not count:
        return ""
    subject = plural(count, "earlier message")
    return f"{subject} no longer {'fits' if count == 1 else 'fit'} into what this model can read and " + (
        "was not sent." if count == 1 else "were not sent."
    )


def _notice(message: Message) -> Notice | None:
    """What is said of an ending that was not the model's own."""
    charged = _charged(message)
    if message.status == Status.STOPPED:
        return Notice("", "You stopped this answer.", charged, ("continue",))
    if message.status == Status.LENGTH and message.is_shortened:
        text = "The wallet could pay only for a part of the answer, so it ends here."
        return Notice("warn", "Cut short by the balance", text, ("top_up", "continue"))
    if message.status == Status.LENGTH:
        return Notice("", "The answer reached its greatest length.", "", ("continue",))
    if message.status == Status.INTERRUPTED:
        return Notice("warn", "Interrupted", charged, ("continue",) if message.content else ("again",))
    if message.status == Status.FAILED:
        return Notice("bad", rules.ending_sentence(message.error_code), charged, ("again",))
    return None if message.content else Notice("", "The model answered with nothing.", charged, ("again",))


def _charged(message: Message) -> str:
    if message.credits_micros:
        return f"Charged {credit_amount(message.credits_micros)} credits for what you received."
    return "Nothing was charged."
