"""Orders that the provider knows and our database does not: an older backup was restored, and buyers have paid since.

What an order promised travels with its checkout, in one field that is signed: whoever can begin a payment at the
provider without us cannot promise themselves credits, and another installation's orders are not ours. After SECRET_KEY
was changed such an order is only reported. Law: an order comes back under its own id, so that however often it is
found, it is one order and one grant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tokenboard.accounts.models import Person
from tokenboard.audit import service as audit
from tokenboard.billing import payment_queries as queries
from tokenboard.billing.errors import Refused
from tokenboard.billing.models import Payment
from tokenboard.billing.rules import PaymentKind, PaymentState
from tokenboard.core.crypto import fingerprint, same_secret
from tokenboard.core.db import db
from tokenboard.core.parsing import or_none, parse_id
from tokenboard.core.settings import settings
from tokenboard.core.upsert import insert
from tokenboard.providers.paystack_objects import PaystackTransaction
from tokenboard.providers.stripe_objects import CheckoutSession, PaymentIntent
from tokenboard.workspaces.models import Workspace

FOUND = "paid, and its order is not in our books: an older backup was restored?"
_KINDS = {str(kind) for kind in (PaymentKind.PACK, PaymentKind.CUSTOM, PaymentKind.TOP_UP)}


@dataclass(frozen=True, slots=True)
class Lost:
    """A paid order as its provider tells it, its promise checked."""

    id: str
    provider: str
    kind: str
    workspace_id: str
    person_id: str | None
    amount_minor: int
    currency: str
    credits_micros: int


def metadata(payment: Payment, person: Person | None) -> dict[str, str]:
    """What goes to the provider with an order, and comes back with everything it tells of it.

    Without a person: nobody sat there, the saved card is charged.
    """
    promised = Lost(
        id=payment.id,
        provider=payment.provider,
        kind=payment.kind,
        workspace_id=payment.workspace_id,
        person_id=person.id if person else None,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        credits_micros=payment.credits_micros,
    )
    promise = f"{payment.kind}:{payment.credits_micros}:{_signature(promised)}"
    named = {"payment_id": payment.id, "workspace_id": payment.workspace_id, "promise": promise}
    return named | ({"user_id": person.id} if person else {})


def of_session(session: CheckoutSession) -> Lost | None:
    """The order behind a checkout that is paid and unknown here; None when it is not provably ours."""
    return _read("stripe", session.client_reference_id, session.metadata, session.amount_subtotal, session.currency)


def of_intent(intent: PaymentIntent) -> Lost | None:
    """The same behind a charge of a saved card. A checkout's own charge says nothing: its session does."""
    found = _read("stripe", intent.metadata.get("payment_id"), intent.metadata, intent.amount, intent.currency)
    return found if found is not None and found.kind == PaymentKind.TOP_UP else None


def of_transaction(told: PaystackTransaction) -> Lost | None:
    """The same behind a transaction."""
    return _read("paystack", told.reference, told.metadata, told.requested_amount, told.currency)


def _read(
    provider: str, reference: str | None, told: Mapping[str, Any], amount_minor: int, currency: str
) -> Lost | None:
    payment_id, workspace_id, person_id = (
        or_none(parse_id, str(text or "")) for text in (reference, told.get("workspace_id"), told.get("user_id"))
    )
    kind, _, rest = str(told.get("promise", "")).partition(":")
    micros, _, signature = rest.partition(":")
    is_number = micros.isascii() and micros.isdigit() and len(micros) <= 18
    if not (payment_id and workspace_id and kind in _KINDS and is_number):
        return None
    read = Lost(payment_id, provider, kind, workspace_id, person_id, amount_minor, currency, int(micros))
    is_ours = same_secret(signature, _signature(read)) and db.session.get(Workspace, workspace_id) is not None
    return read if is_ours else None


def _signature(order: Lost) -> str:
    facts = (order.id, order.provider, order.kind, order.workspace_id, order.person_id or "")
    sums = (order.amount_minor, order.currency, order.credits_micros)
    return fingerprint("|".join(map(str, ("promise", *facts, *sums))), key=settings().secret_key)


def restore(lost: Lost) -> Payment:
    """Write the order anew, unpaid: whoever found it settles it. Idempotent. Raises: Refused."""
    is_there = lost.person_id is not None and db.session.get(Person, lost.person_id) is not None
    values = {
        "id": lost.id,
        "workspace_id": lost.workspace_id,
        "person_id": lost.person_id if is_there else None,
        "provider": lost.provider,
        "kind": lost.kind,
        "state": PaymentState.STARTED,
        "intent_key": f"restored:{lost.id}",
        "title": "Credits (restored order)",
        "amount_minor": lost.amount_minor,
        "currency": lost.currency,
        "credits_micros": lost.credits_micros,
    }
    once = insert(Payment).values(**values).on_conflict_do_nothing(index_elements=["id"])
    if db.session.scalar(once.returning(Payment.id)) is not None:
        facts = {"provider": lost.provider, "credits_micros": lost.credits_micros}
        audit.record(
            "billing.order_restored",
            actor=lost.provider,
            subject=lost.id,
            workspace_id=lost.workspace_id,
            facts=facts,
        )
    found = queries.by_id(lost.id)
    if found is None or found.provider != lost.provider or found.workspace_id != lost.workspace_id:
        raise Refused(f"The order {lost.id} is another one here.", payment_id=lost.id)
    return found
