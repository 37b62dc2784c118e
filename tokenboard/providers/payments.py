"""What can go wrong at a payment provider, as named facts; shared by Stripe and Paystack.

    PaymentError
    ├── CardDeclined              the bank said no; nothing was charged
    │   └── AuthenticationRequired  the bank wants to ask the person, who is not there
    ├── KeyRefused                our secret key is wrong, revoked or too weak for this
    ├── RateLimited               too many calls; nothing happened
    ├── Unavailable               5xx or no connection; whether it happened is not known
    │   └── TimedOut              no complete answer in time
    ├── BadAnswer                 an answer that cannot be read or trusted
    ├── NotFound                  the provider does not know this object
    ├── IdempotencyMismatch       this idempotency key was used for something else
    └── InvalidRequest            the provider calls our request wrong
        └── DuplicateReference    Paystack knows this reference already: verify it instead

    WebhookRefused
    ├── SecretMissing             nothing to verify with: answer 503, never accept unsigned
    ├── SignatureRefused          forged, altered, too old or from the future: 400
    └── EventUnreadable           signed, and still not an event: 400

Laws: `user_message` is a whole sentence for the person who waits; `detail` is the provider's own words, cleaned and
redacted; neither ever holds a secret. `is_outcome_unknown` says that the act may have happened: only the same act with
the same idempotency key, or a question, may follow.
"""

from __future__ import annotations

from typing import ClassVar

PROVIDER_NAMES = {"stripe": "Stripe", "paystack": "Paystack"}


class PaymentError(Exception):
    """A payment provider did not do what was asked for."""

    sentence: ClassVar[str] = "{name} did not answer as expected. Try again later."
    is_transient: ClassVar[bool] = False
    is_outcome_unknown: ClassVar[bool] = False

    def __init__(
        self, provider: str, *, status: int | None = None, code: str = "", detail: str = "", request_id: str = ""
    ) -> None:
        self.provider = provider
        self.status = status
        self.code = code
        self.detail = detail
        self.request_id = request_id
        self.user_message = self._told()
        super().__init__(self.user_message)

    def _told(self) -> str:
        return self.sentence.format(name=PROVIDER_NAMES[self.provider])

    def __str__(self) -> str:
        facts = " ".join(str(fact) for fact in (self.provider, self.status, self.code, self.request_id) if fact)
        return f"{type(self).__name__} ({facts}){f': {self.detail}' if self.detail else ''}"

    __repr__ = __str__


_DECLINES = {
    "insufficient_funds": "The card has insufficient funds.",
    "expired_card": "The card has expired.",
    "incorrect_cvc": "The card's security code is wrong.",
    "lost_card": "The bank declined the card.",
    "stolen_card": "The bank declined the card.",
}


class CardDeclined(PaymentError):
    """The bank declined. `code` is the decline code, `payment_intent_id` the payment that failed."""

    sentence = "{reason} Nothing was charged. Use another card, or ask your bank."

    def __init__(self, provider: str, *, payment_intent_id: str = "", code: str = "", **facts: object) -> None:
        self.payment_intent_id = payment_intent_id
        super().__init__(provider, code=code, **facts)  # type: ignore[arg-type]  # the same keywords, handed on

    def _told(self) -> str:
        return self.sentence.format(reason=_DECLINES.get(self.code, "The bank declined the card."))


class AuthenticationRequired(CardDeclined):
    """The bank wants its customer to confirm; a charge without the person cannot do that."""

    sentence = "Your bank wants you to confirm this payment. Nothing was charged; pay once yourself to confirm."


class KeyRefused(PaymentError):
    """The operator must look at the secret key; the buyer can do nothing."""

    sentence = "Payments through {name} are not available right now. Nothing was charged; the operator must act."


class RateLimited(PaymentError):
    """Nothing happened; it may be asked again a little later."""

    sentence = "{name} is busy. Nothing was charged; try again in a minute."
    is_transient = True


class Unavailable(PaymentError):
    """The provider is down, or the connection is; the act may have happened."""

    sentence = "{name} cannot be reached right now. If you were charged, it will show here by itself; nothing is lost."
    is_transient = True
    is_outcome_unknown = True


class TimedOut(Unavailable):
    """No complete answer in time; the act may have happened."""

    sentence = "{name} took too long to answer. If you were charged, it will show here by itself; nothing is lost."


class BadAnswer(PaymentError):
    """The answer cannot be read or trusted; the act may have happened."""

    sentence = "{name} sent an answer that could not be read. If you were charged, it will show here by itself."
    is_transient = True
    is_outcome_unknown = True


class NotFound(PaymentError):
    """The provider knows no such object."""

    sentence = "{name} does not know this payment."


class IdempotencyMismatch(PaymentError):
    """Our key was used for other parameters: a fault of ours, and nothing happened twice."""

    sentence = "This was already begun with other particulars. Start again."


class InvalidRequest(PaymentError):
    """The provider calls our request wrong; asking the same again will not help."""

    sentence = "{name} did not accept this payment as it was asked for. Nothing was charged."


class DuplicateReference(InvalidRequest):
    """The reference exists already: what became of it is to be verified."""

    sentence = "This payment was already begun; look at its state."


class WebhookRefused(Exception):
    """A delivery that must not be believed. The message is for the log and the provider's page of failures."""


class SecretMissing(WebhookRefused):
    """No webhook secret is configured."""


class SignatureRefused(WebhookRefused):
    """The signature is absent, wrong, too old or from the future."""


class EventUnreadable(WebhookRefused):
    """Properly signed, but no event in it."""
