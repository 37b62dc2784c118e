"""The one signal: a wallet's balance has changed.

It rings inside the caller's transaction, with the account's id as the sender, so that an outbox row written by a
receiver commits with the entries or not at all. Receivers must not commit and must not call a provider.
A repeated call that changes nothing does not ring.
"""

from __future__ import annotations

import blinker

balance_changed = blinker.Signal("A wallet's posted or held credits changed; the sender is the account's id.")


def announce(wallet_id: str) -> None:
    """Ring for one wallet."""
    if balance_changed.receivers:
        balance_changed.send(wallet_id)
