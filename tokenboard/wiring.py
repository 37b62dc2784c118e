"""Builds the provider clients from the settings. Nothing global is set at import; one set an application.

Also connects the ledger's signal `balance_changed`.
"""

from __future__ import annotations

from flask import Flask

from tokenboard.core.config import Settings
from tokenboard.providers.anthropic_client import AnthropicClient
from tokenboard.providers.costs import CostProvider
from tokenboard.providers.http import Http
from tokenboard.providers.openai_client import OpenAIClient
from tokenboard.wallet import low_balance_service

LIVE_BASE_URLS = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
_SANDBOX_PATHS = {"openai": "/openai/v1", "anthropic": "/anthropic"}


class WiredClients:
    """The clients of one application. A base URL in the environment wins over the sandbox; the sandbox over live."""

    def __init__(self, settings: Settings, http: Http | None = None) -> None:
        self._settings = settings
        self._http = http or Http()

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
        """`sandbox` where the address is the sandbox's, else `live`: a workspace brings its own key."""
        sandbox = self._settings.sandbox_url
        return "sandbox" if sandbox and self.base_url(provider).startswith(sandbox) else "live"

    def costs(self, provider: str, api_key: str) -> CostProvider:
        """A reader of one organisation's bill."""
        client = OpenAIClient if provider == "openai" else AnthropicClient
        return client(api_key=api_key, base_url=self.base_url(provider), http=self._http)


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its clients, and connect the ledger's one signal to who listens."""
    app.extensions["clients"] = WiredClients(settings)
    low_balance_service.connect()
