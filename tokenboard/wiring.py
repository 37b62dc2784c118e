"""Builds the provider clients from the settings. Nothing global is set at import; one set an application.

Also connects the signals: the ledger's `balance_changed`, metering's `call_settled`.
"""

from __future__ import annotations

import hashlib

from flask import Flask

from tokenboard.billing import topup_service
from tokenboard.chat import closing
from tokenboard.core.config import Settings
from tokenboard.core.errors import NotConfigured
from tokenboard.keys import cap_watch, leaver_watch, targets
from tokenboard.providers.anthropic_client import AnthropicClient
from tokenboard.providers.chat_client import ChatClient, ChatLimits
from tokenboard.providers.costs import CostProvider
from tokenboard.providers.http import Http
from tokenboard.providers.litellm_client import LiteLLMAdmin
from tokenboard.providers.oidc_client import OidcClient
from tokenboard.providers.openai_client import OpenAIClient
from tokenboard.providers.payment_wire import PaymentWire
from tokenboard.providers.paystack_client import LIVE_BASE_URL as LIVE_PAYSTACK, PaystackClient
from tokenboard.providers.stripe_client import StripeClient
from tokenboard.wallet import low_balance_service

LIVE_BASE_URLS = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
_SANDBOX_PATHS = {"openai": "/openai/v1", "anthropic": "/anthropic", "stripe": "/stripe", "paystack": "/paystack"}
_PAYMENT_KEYS = {"stripe": "stripe_secret_key", "paystack": "paystack_secret_key"}
_SANDBOX_PAYMENT_KEY = "sk_test_sandbox"
_SANDBOX_CHAT_PATH = "/litellm"
_SANDBOX_CHAT_KEY = "sk-sandbox"
_SANDBOX_MASTER_KEY = "sk-sandbox-master"
_SANDBOX_CALLBACK_SECRET = "sandbox-callback"  # noqa: S105 - opens nothing but the sandbox
_MASTER_KEY_NAME = "litellm_proxy_master_key"  # some versions write this instead of the hash
_SANDBOX_WEBHOOK_SECRET = "whsec_sandbox"  # noqa: S105 - opens nothing but the sandbox


class WiredClients:
    """The clients of one application. A base URL in the environment wins over the sandbox; the sandbox over live."""

    def __init__(self, settings: Settings, http: Http | None = None, *, chat_limits: ChatLimits | None = None) -> None:
        self._settings = settings
        self._http = http or Http()
        self._payment_wire = PaymentWire()
        self._payments: dict[str, StripeClient | PaystackClient] = {}
        self._chat_limits = chat_limits
        self._chat: ChatClient | None = None
        self._litellm: LiteLLMAdmin | None = None
        self._oidc: OidcClient | None = None

    def base_url(self, provider: str) -> str:
        """Where a provider is asked."""
        configured = {
            "openai": self._settings.openai_admin_base_url,
            "anthropic": self._settings.anthropic_admin_base_url,
        }[provider]
        if configured:
            return configured
        if self._settings.sandbox_url:
            return self._settings.sandbox_url + _SANDBOX_PATHS[provider]
        return LIVE_BASE_URLS[provider]

    def mode(self, provider: str) -> str:
        """`live`, `sandbox` or `off`. A bill's reader is never off: a workspace brings its own key.

        `chat` is where models are asked, `litellm` the proxy's admin API.
        """
        if provider in _PAYMENT_KEYS:
            key = getattr(self._settings, _PAYMENT_KEYS[provider])
            return "live" if key else "sandbox" if self._settings.sandbox_url else "off"
        if provider in ("chat", "litellm"):
            return self._chat_mode() if provider == "chat" else self._litellm_mode()
        sandbox = self._settings.sandbox_url
        return "sandbox" if sandbox and self.base_url(provider).startswith(sandbox) else "live"

    def chat(self) -> ChatClient:
        """Where models are asked: LiteLLM, else any OpenAI-compatible API, else the sandbox. Raises: NotConfigured."""
        if self._chat is None:
            self._chat = ChatClient(*self._chat_place(), limits=self._chat_limits)
        return self._chat

    def _chat_mode(self) -> str:
        here = self._settings
        if here.litellm_base_url:
            is_sandbox = bool(here.sandbox_url) and here.litellm_base_url.startswith(here.sandbox_url)
            return "sandbox" if is_sandbox else "live"
        if here.openai_base_url or here.openai_api_key:
            return "live"
        return "sandbox" if here.sandbox_url else "off"

    def _chat_place(self) -> tuple[str, str]:
        """The base URL and the key."""
        here, mode = self._settings, self._chat_mode()
        litellm_key = here.litellm_chat_key or here.litellm_master_key
        if mode == "sandbox":
            base = here.litellm_base_url or here.sandbox_url + _SANDBOX_CHAT_PATH
            return base, litellm_key or _SANDBOX_CHAT_KEY
        if mode == "off":
            raise NotConfigured("Chat is off: set LITELLM_BASE_URL or OPENAI_API_KEY.", setting="LITELLM_BASE_URL")
        if not here.litellm_base_url:
            return here.openai_base_url or LIVE_BASE_URLS["openai"], here.openai_api_key
        if not litellm_key:
            raise NotConfigured("Chat has no key: set LITELLM_CHAT_KEY.", setting="LITELLM_CHAT_KEY")
        return here.litellm_base_url, litellm_key

    def litellm(self) -> LiteLLMAdmin:
        """The proxy's admin API, for keys and their budgets. Raises: NotConfigured."""
        if self._litellm is None:
            self._litellm = LiteLLMAdmin(*self._litellm_place())
        return self._litellm

    def litellm_webhook_secret(self) -> str:
        """What LiteLLM's callback must bring; empty: it is off."""
        sandbox = _SANDBOX_CALLBACK_SECRET if self._litellm_mode() == "sandbox" else ""
        return self._settings.litellm_webhook_secret or sandbox

    def house_key_hashes(self) -> frozenset[str]:
        """How the proxy names the keys that TokenBoard itself asks with: what they use is settled here already."""
        if self._litellm_mode() == "sandbox":
            keys = {self._chat_place()[1], self._litellm_place()[1], _SANDBOX_CHAT_KEY}
        else:
            keys = {self._settings.litellm_chat_key, self._settings.litellm_master_key}
        return frozenset(hashlib.sha256(key.encode()).hexdigest() for key in keys if key) | {_MASTER_KEY_NAME}

    def _litellm_mode(self) -> str:
        here, mode = self._settings, self._chat_mode()
        return mode if mode == "sandbox" or (here.litellm_base_url and here.litellm_master_key) else "off"

    def _litellm_place(self) -> tuple[str, str]:
        """The base URL and the master key."""
        here, mode = self._settings, self._litellm_mode()
        if mode == "off":
            setting = "LITELLM_MASTER_KEY" if here.litellm_base_url else "LITELLM_BASE_URL"
            raise NotConfigured(f"Keys are not mirrored to LiteLLM: set {setting}.", setting=setting)
        if mode == "sandbox":
            base = here.litellm_base_url or here.sandbox_url + _SANDBOX_CHAT_PATH
            return base, here.litellm_master_key or _SANDBOX_MASTER_KEY
        return here.litellm_base_url, here.litellm_master_key

    def stripe(self) -> StripeClient:
        """Stripe: ours with our key, else the sandbox's. Raises: NotConfigured."""
        if "stripe" not in self._payments:
            self._payments["stripe"] = self._new_stripe()
        return self._payments["stripe"]  # type: ignore[return-value]  # put there just above

    def paystack(self) -> PaystackClient:
        """Paystack: ours with our key, else the sandbox's. Raises: NotConfigured."""
        if "paystack" not in self._payments:
            self._payments["paystack"] = self._new_paystack()
        return self._payments["paystack"]  # type: ignore[return-value]  # put there just above

    def _new_stripe(self) -> StripeClient:
        here = self._settings
        if self._require_on("stripe") == "live":
            secrets, base = here.stripe_webhook_secret, here.stripe_api_base
            return StripeClient(here.stripe_secret_key, base, secrets, wire=self._payment_wire)
        base = here.stripe_api_base or here.sandbox_url + _SANDBOX_PATHS["stripe"]
        secrets = here.stripe_webhook_secret or (_SANDBOX_WEBHOOK_SECRET,)
        return StripeClient(_SANDBOX_PAYMENT_KEY, base, secrets, wire=self._payment_wire)

    def _new_paystack(self) -> PaystackClient:
        here = self._settings
        if self._require_on("paystack") == "live":
            key, *former = here.paystack_secret_key
            base = here.paystack_base_url or LIVE_PAYSTACK
            return PaystackClient(key, base, self._payment_wire, former_keys=former)
        base = here.paystack_base_url or here.sandbox_url + _SANDBOX_PATHS["paystack"]
        return PaystackClient(_SANDBOX_PAYMENT_KEY, base, self._payment_wire)

    def _require_on(self, provider: str) -> str:
        mode = self.mode(provider)
        if mode == "off":
            name = provider.capitalize()
            setting = f"{provider.upper()}_SECRET_KEY"
            raise NotConfigured(f"Payments through {name} are off: set {setting}.", setting=setting)
        return mode

    def oidc(self) -> OidcClient:
        """The sign-in provider. Raises: NotConfigured."""
        if self._oidc is None:
            self._oidc = self._new_oidc()
        return self._oidc

    def _new_oidc(self) -> OidcClient:
        here = self._settings
        if not here.has_oidc:
            raise NotConfigured("No sign-in provider is set up: set OIDC_DISCOVERY_URL.", setting="OIDC_DISCOVERY_URL")
        return OidcClient(
            discovery_url=here.oidc_discovery_url,
            client_id=here.oidc_client_id,
            client_secret=here.oidc_client_secret,
            groups_claim=here.oidc_groups_claim,
        )

    def costs(self, provider: str, api_key: str) -> CostProvider:
        """A reader of one organisation's bill."""
        client = OpenAIClient if provider == "openai" else AnthropicClient
        return client(api_key=api_key, base_url=self.base_url(provider), http=self._http)


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its clients, and connect the signals to who listens."""
    app.extensions["clients"] = WiredClients(settings)
    low_balance_service.connect()
    topup_service.connect()
    targets.connect()
    closing.connect()
    cap_watch.connect()
    leaver_watch.connect()
