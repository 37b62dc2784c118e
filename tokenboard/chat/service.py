"""What is done in a conversation: ask, ask again, edit and resend, stop. An answer is paid for before it is begun.

Laws: an answer's row, the hold for it and what it replaces are one transaction, so that every answer that is being
written has a metered call, and metering's end of the call is the answer's end (`closing.py`). Rows are written before
the wallet is touched, and the conversation's own row after it: the order in which an ending locks them too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import update

from tokenboard.accounts.models import Person
from tokenboard.chat import queries, rules
from tokenboard.chat.errors import AnswerRunning, AskedAtOnce, NotAnswerable
from tokenboard.chat.models import Conversation, Message, Role, Status
from tokenboard.core.clock import now
from tokenboard.core.db import db, new_id
from tokenboard.core.errors import NotFound
from tokenboard.core.upsert import insert
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.errors import IdempotencyConflict, InsufficientCredits
from tokenboard.metering import price_queries, service as metering
from tokenboard.metering.facts import CallOrder, OpenCall
from tokenboard.metering.rules import Tariff, least_tokens, most_micros, output_limit, size_of
from tokenboard.wallet.credits_page import credit_value_nano
from tokenboard.workspaces.models import Workspace

SOURCE = "chat"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to say, and to which model."""

    person: Person
    workspace: Workspace
    text: str
    model: str
    conversation: Conversation | None = None
    max_output_tokens: int | None = None
    # The caller's name for the act, and what it was used for (rules.request_key, rules.request_hash).
    request_key: str | None = None
    request_hash: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """An answer to be. `call` is None when it was asked for before with the same key."""

    conversation: Conversation
    answer: Message
    call: OpenCall | None = None
    messages: tuple[dict[str, Any], ...] = ()


def ask(*, wish: Wish) -> Asked:
    """A new message, and the credits held for its answer.

    Idempotent: by the wish's key. Raises: AnswerRunning, AskedAtOnce, IdempotencyConflict, and all that
    `metering.begin` refuses.
    """
    known = _asked_before(wish)
    if known:
        return known
    conversation = _continued(wish) if wish.conversation else _begun(wish)
    position = queries.last_position(conversation.id)
    answer = _insert_answer(wish, conversation, position + 2)
    _add_question(conversation, wish.text, position + 1)
    return _held(wish, conversation, answer)


def refuse_unpayable(*, wish: Wish) -> None:
    """A look before anything is written: with nothing left only a free model answers. Raises: InsufficientCredits."""
    balance = ledger.balance(wish.workspace.ledger_account_id)
    if balance.available_micros > 0:
        return
    price = price_queries.offered(wish.model)
    tariff = Tariff(price, price_queries.markup_for(price), credit_value_nano())
    least = least_tokens(output_limit(wish.max_output_tokens, price.max_output_tokens))
    required = most_micros(tariff, size_of([{"role": Role.USER, "content": wish.text}], 0, None), least)
    if required and not (wish.request_key and queries.by_request_key(wish.request_key)):
        raise InsufficientCredits(
            posted_micros=balance.posted_micros, held_micros=balance.held_micros, required_micros=required
        )


def _continued(wish: Wish) -> Conversation:
    """The conversation's row as this transaction sees it: the wish was read in one before."""
    assert wish.conversation is not None, "asked only where there is one"
    found = db.session.get(Conversation, wish.conversation.id)
    if found is None or found.deleted_at is not None:
        raise NotFound
    return found


def _asked_before(wish: Wish) -> Asked | None:
    found = queries.by_request_key(wish.request_key) if wish.request_key else None
    if found is None:
        return None
    if found.request_hash != wish.request_hash:
        raise IdempotencyConflict
    return Asked(db.session.get_one(Conversation, found.conversation_id), found)


def regenerate(*, wish: Wish, answer: Message) -> Asked:
    """Another answer to the same message. It and all after it are marked as replaced.

    Raises: NotAnswerable, AnswerRunning, and all that `metering.begin` refuses.
    """
    assert wish.conversation is not None, "an answer stands in a conversation"
    question = queries.question_before(answer)
    if answer.role != Role.ASSISTANT or answer.replaced_at or question is None:
        raise NotAnswerable("Only an answer that is still shown can be written again.")
    conversation = _continued(wish)
    _refuse_while_writing(conversation)
    position = queries.last_position(conversation.id)
    _replace_from(conversation, answer.position)
    return _held(wish, conversation, _insert_answer(wish, conversation, position + 1))


def edit(*, wish: Wish, message: Message) -> Asked:
    """A person's message in other words, and a new answer. It and all after it are marked as replaced.

    Raises: NotAnswerable, AnswerRunning, and all that `metering.begin` refuses.
    """
    assert wish.conversation is not None, "a message stands in a conversation"
    if message.role != Role.USER or message.replaced_at:
        raise NotAnswerable("Only a message of yours that is still shown can be edited.")
    _refuse_while_writing(wish.conversation)
    _replace_from(wish.conversation, message.position)
    return ask(wish=wish)


def stop(*, answer: Message) -> bool:
    """Ask whoever writes an answer to end it. Whether it was still being written."""
    return answer.status == Status.STREAMING and metering.request_stop(call_id=answer.id)


def _refuse_while_writing(conversation: Conversation) -> None:
    if queries.streaming(conversation.id):
        raise AnswerRunning


def _replace_from(conversation: Conversation, position: int) -> None:
    later = (Message.conversation_id == conversation.id, Message.position >= position, Message.replaced_at.is_(None))
    db.session.execute(update(Message).where(*later).values(replaced_at=now()))


def _begun(wish: Wish) -> Conversation:
    conversation = Conversation(
        id=new_id(),
        workspace_id=wish.workspace.id,
        person_id=wish.person.id,
        title=rules.title_from(wish.text),
        model=wish.model,
    )
    db.session.add(conversation)
    db.session.flush()
    return conversation


def _add_question(conversation: Conversation, text: str, position: int) -> None:
    db.session.add(
        Message(
            conversation_id=conversation.id,
            position=position,
            role=Role.USER,
            content=text,
            status=Status.DONE,
            tokens=rules.estimated_tokens(text),
        )
    )
    db.session.flush()


def _insert_answer(wish: Wish, conversation: Conversation, position: int) -> Message:
    """The answer's row, empty. Two tabs, or one key twice, meet at the database's unique indexes."""
    values = {
        "id": new_id(),
        "conversation_id": conversation.id,
        "position": position,
        "role": Role.ASSISTANT,
        "status": Status.STREAMING,
        "model": wish.model,
        "request_key": wish.request_key,
        "request_hash": wish.request_hash,
        "created_at": now(),
    }
    statement = insert(Message).values(**values).on_conflict_do_nothing().returning(Message.id)
    if db.session.scalar(statement) is None:
        if queries.streaming(conversation.id) and not (wish.request_key and queries.by_request_key(wish.request_key)):
            raise AnswerRunning
        raise AskedAtOnce
    return db.session.get_one(Message, values["id"])


def _held(wish: Wish, conversation: Conversation, answer: Message) -> Asked:
    """The order placed with metering: from here on the wallet is reserved."""
    order = _order(wish, conversation, answer)
    sent, left_out = trimmed(order=order, history=queries.history(conversation.id))
    call = metering.begin(order=replace(order, messages=sent))
    answer.left_out, answer.is_shortened = left_out, call.is_shortened
    conversation.model, conversation.updated_at = wish.model, now()
    db.session.flush()
    return Asked(conversation, answer, call, tuple(dict(one) for one in sent))


def _order(wish: Wish, conversation: Conversation, answer: Message) -> CallOrder:
    return CallOrder(
        workspace=wish.workspace,
        person_id=wish.person.id,
        source=SOURCE,
        model=wish.model,
        messages=(),
        max_output_tokens=wish.max_output_tokens,
        call_id=answer.id,
        conversation_id=conversation.id,
        message_id=answer.id,
        keeps_text=True,
    )


def trimmed(*, order: CallOrder, history: list[dict[str, str]]) -> tuple[list[rules.Sent], int]:
    """What of a conversation fits into the model's window, and how many messages do not. Raises: ModelNotOffered."""
    price = price_queries.offered(order.model)
    kept = output_limit(order.max_output_tokens, price.max_output_tokens)
    return rules.fitting(history, window_tokens=price.max_input_tokens, kept_for_answer=kept)
