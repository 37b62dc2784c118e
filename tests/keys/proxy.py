"""A LiteLLM proxy of twenty lines: what the mirror asks of it, kept in dictionaries."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from tokenboard.keys.rules import secret_hash
from tokenboard.providers.litellm_errors import AlreadyThere, NotThere, ProxyUnavailable
from tokenboard.providers.litellm_objects import ProxyCustomer, ProxyKey, ProxyUser


@dataclass
class Proxy:
    """`spend` moves a counter; `is_down` refuses everything."""

    keys: dict[str, ProxyKey] = field(default_factory=dict)
    users: dict[str, ProxyUser] = field(default_factory=dict)
    customers: dict[str, ProxyCustomer] = field(default_factory=dict)
    is_down: bool = False

    def _answer(self) -> None:
        if self.is_down:
            raise ProxyUnavailable(status=503)

    def generate_key(
        self, *, secret: str, alias: str, user_id: str, max_budget_nano: int | None, **more: Any
    ) -> ProxyKey:
        self._answer()
        if any(one.alias == alias for one in self.keys.values()):
            raise AlreadyThere(status=400)
        token = secret_hash(secret)
        limits = (tuple(more["models"]), more["rpm_limit"], more["tpm_limit"], None)
        self.keys[token] = ProxyKey(token, alias, secret[:10], user_id, 0, max_budget_nano, False, *limits)
        return self.keys[token]

    def update_key(self, token: str, **changes: Any) -> ProxyKey:
        self._change(token, max_budget_nano=changes["max_budget_nano"], models=tuple(changes["models"]))
        return self.keys[token]

    def keys_info(self, tokens: list[str]) -> dict[str, ProxyKey]:
        self._answer()
        return {token: self.keys[token] for token in tokens if token in self.keys}

    def key_by_alias(self, alias: str) -> ProxyKey | None:
        self._answer()
        return next((one for one in self.keys.values() if one.alias == alias), None)

    def block_key(self, token: str) -> None:
        self._change(token, is_blocked=True)

    def unblock_key(self, token: str) -> None:
        self._change(token, is_blocked=False)

    def delete_keys(self, tokens: list[str]) -> None:
        self._answer()
        for token in tokens:
            self.keys.pop(token, None)

    def _change(self, token: str, **changes: Any) -> None:
        self._answer()
        if token not in self.keys:
            raise NotThere(status=404)
        self.keys[token] = replace(self.keys[token], **changes)

    def user_info(self, user_id: str) -> ProxyUser | None:
        self._answer()
        return self.users.get(user_id)

    def set_user_budget(self, user_id: str, max_budget_nano: int | None) -> None:
        self._answer()
        known = self.users.get(user_id)
        self.users[user_id] = ProxyUser(user_id, known.spend_nano if known else 0, max_budget_nano)

    def customer_info(self, email: str) -> ProxyCustomer | None:
        self._answer()
        return self.customers.get(email)

    def set_customer_budget(self, email: str, max_budget_nano: int) -> None:
        self._answer()
        known = self.customers.get(email)
        self.customers[email] = ProxyCustomer(email, known.spend_nano if known else 0, "b", max_budget_nano)

    def is_ready(self) -> bool:
        return not self.is_down

    def count(self, token: str, nano: int) -> None:
        """The proxy counts a request of this key and its user."""
        key = self.keys[token]
        self.keys[token] = replace(key, spend_nano=key.spend_nano + nano)
        user = self.users[key.user_id]
        self.users[key.user_id] = replace(user, spend_nano=user.spend_nano + nano)
