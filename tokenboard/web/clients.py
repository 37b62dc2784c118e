"""Where a door finds the provider clients that `wiring.py` built, to hand them to a service."""

from __future__ import annotations

from typing import Protocol

from flask import current_app

from tokenboard.providers.chat_client import ChatClient
from tokenboard.providers.costs import CostProvider
from tokenboard.providers.litellm_client import LiteLLMAdmin
from tokenboard.providers.oidc_client import OidcClient
from tokenboard.providers.paystack_client import PaystackClient
from tokenboard.providers.stripe_client import StripeClient


class Clients(Protocol):
    """Every provider TokenBoard talks to, ready to use."""

    def costs(self, provider: str, api_key: str) -> CostProvider:
        """A reader of one organisation's bill, with the key that was given."""
        ...

    def stripe(self) -> StripeClient:
        """Stripe. Raises: NotConfigured when it is off."""
        ...

    def paystack(self) -> PaystackClient:
        """Paystack. Raises: NotConfigured when it is off."""
        ...

    def chat(self) -> ChatClient:
        """The models' upstream. Raises: NotConfigured when it is off."""
        ...

    def litellm(self) -> LiteLLMAdmin:
        """The proxy's admin API. Raises: NotConfigured when there is no proxy."""
        ...

    def oidc(self) -> OidcClient:
        """The sign-in provider. Raises: NotConfigured when none is set up."""
        ...

    def litellm_webhook_secret(self) -> str:
        """What LiteLLM's callback must bring; empty: it is off."""
        ...

    def house_key_hashes(self) -> frozenset[str]:
        """SHA-256 of the keys that TokenBoard itself asks the proxy with."""
        ...

    def mode(self, provider: str) -> str:
        """`live`, `sandbox` or `off`."""
        ...


def clients() -> Clients:
    """The current application's clients."""
    found: Clients = current_app.extensions["clients"]
    return found
