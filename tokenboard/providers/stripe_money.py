"""The part of StripeClient where money has moved or moves: invoices, payments, saved cards, refunds, disputes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial

from tokenboard.providers import stripe_answers as answers, stripe_billing_answers as billing_answers
from tokenboard.providers.stripe_calls import Params, StripeCalls
from tokenboard.providers.stripe_objects import (
    Charge,
    Dispute,
    Invoice,
    InvoiceLine,
    InvoicePayment,
    PaymentIntent,
    Refund,
    SavedCard,
)


class StripeMoney(StripeCalls):
    """See StripeClient."""

    def invoice(self, invoice_id: str) -> Invoice:
        """Raises: PaymentError. Its lines may go on (`has_more_lines`)."""
        found = self._call(self._v1.invoices.retrieve, invoice_id, params={})
        return self._one(billing_answers.invoice, found)

    def invoice_lines(self, invoice_id: str) -> list[InvoiceLine]:
        """All lines of an invoice. Raises: PaymentError."""
        act = partial(self._v1.invoices.line_items.list, invoice_id)
        return list(self._many(billing_answers.invoice_line, act, params={}))

    def invoices(
        self, *, since: datetime | None = None, status: str | None = None, subscription_id: str | None = None
    ) -> Iterator[Invoice]:
        """Newest first; `since` is the invoice's making, not its payment. Raises: PaymentError."""
        params: Params = {} if since is None else {"created": {"gte": int(since.timestamp())}}
        named = (("status", status), ("subscription", subscription_id))
        params |= {name: value for name, value in named if value}
        yield from self._many(billing_answers.invoice, self._v1.invoices.list, params=params)

    def invoice_payments(
        self, *, payment_intent_id: str | None = None, invoice_id: str | None = None
    ) -> list[InvoicePayment]:
        """Which payment paid which invoice. Raises: PaymentError."""
        params: Params = {}
        if invoice_id:
            params["invoice"] = invoice_id
        if payment_intent_id:
            params["payment"] = {"type": "payment_intent", "payment_intent": payment_intent_id}
        return list(self._many(answers.invoice_payment, self._v1.invoice_payments.list, params=params))

    def invoice_of_payment(self, payment_intent_id: str) -> Invoice | None:
        """The invoice a payment intent paid; None for a pack. Raises: PaymentError."""
        found = self.invoice_payments(payment_intent_id=payment_intent_id)
        return self.invoice(found[0].invoice_id) if found else None

    def payment_intent(self, payment_intent_id: str) -> PaymentIntent:
        """Raises: PaymentError."""
        found = self._call(self._v1.payment_intents.retrieve, payment_intent_id, params={})
        return self._one(answers.payment_intent, found)

    def payment_intents(self, customer_id: str | None = None, *, since: datetime) -> list[PaymentIntent]:
        """All since then, of one customer or of everybody, newest first. Raises: PaymentError."""
        params: Params = {"created": {"gte": int(since.timestamp())}}
        if customer_id is not None:
            params["customer"] = customer_id
        return list(self._many(answers.payment_intent, self._v1.payment_intents.list, params=params))

    def charge(self, charge_id: str) -> Charge:
        """Raises: PaymentError."""
        return self._one(answers.charge, self._call(self._v1.charges.retrieve, charge_id, params={}))

    def saved_cards(self, customer_id: str) -> list[SavedCard]:
        """The customer's cards, newest first. Raises: PaymentError."""
        act = partial(self._v1.customers.payment_methods.list, customer_id)
        return list(self._many(answers.saved_card, act, params={"type": "card"}))

    def saved_card(self, customer_id: str) -> SavedCard | None:
        """The card to charge without its owner: the customer's default, else the newest. Raises: PaymentError."""
        found = self.saved_cards(customer_id)
        customer = self._one(answers.customer, self._call(self._v1.customers.retrieve, customer_id, params={}))
        by_choice = sorted(found, key=lambda card: card.id != customer.default_payment_method_id)
        return by_choice[0] if by_choice else None

    def charge_saved_card(
        self,
        *,
        customer_id: str,
        payment_method_id: str,
        amount: int,
        currency: str,
        description: str,
        metadata: Mapping[str, str],
        idempotency_key: str,
    ) -> PaymentIntent:
        """Take money without the person there; `status` says whether it came (`succeeded`) or is on its way.

        Raises: CardDeclined, AuthenticationRequired, other PaymentErrors. Idempotent: by the key, declines included.
        """
        params: Params = {
            "customer": customer_id,
            "payment_method": payment_method_id,
            "amount": amount,
            "currency": currency,
            "description": description,
            "metadata": dict(metadata),
            "off_session": True,
            "confirm": True,
        }
        made = self._call(self._v1.payment_intents.create, params=params, key=idempotency_key)
        return self._one(answers.payment_intent, made)

    def create_refund(
        self,
        payment_intent_id: str,
        *,
        amount: int | None = None,
        metadata: Mapping[str, str],
        idempotency_key: str,
        reason: str = "requested_by_customer",
    ) -> Refund:
        """Give back `amount` minor units, or all that is left. Look at `status`: only `succeeded` counts.

        Raises: PaymentError. Idempotent: by the key.
        """
        params: Params = {"payment_intent": payment_intent_id, "metadata": dict(metadata), "reason": reason}
        if amount is not None:
            params["amount"] = amount
        return self._one(answers.refund, self._call(self._v1.refunds.create, params=params, key=idempotency_key))

    def refund(self, refund_id: str) -> Refund:
        """Raises: PaymentError."""
        return self._one(answers.refund, self._call(self._v1.refunds.retrieve, refund_id, params={}))

    def refunds(self, payment_intent_id: str) -> list[Refund]:
        """All refunds of a payment, newest first. Raises: PaymentError."""
        params: Params = {"payment_intent": payment_intent_id}
        return list(self._many(answers.refund, self._v1.refunds.list, params=params))

    def dispute(self, dispute_id: str) -> Dispute:
        """Raises: PaymentError."""
        return self._one(answers.dispute, self._call(self._v1.disputes.retrieve, dispute_id, params={}))

    def disputes(self, payment_intent_id: str) -> list[Dispute]:
        """All disputes of a payment, newest first. Raises: PaymentError."""
        params: Params = {"payment_intent": payment_intent_id}
        return list(self._many(answers.dispute, self._v1.disputes.list, params=params))
