"""What rings when a wallet's balance has changed.

It rings inside the caller's transaction, with the account's id as the sender, so that an outbox row written by a
receiver commits with the entries or not at all. Receivers must not commit and must not call a provider.
A repeated call that changes nothing does not ring.

Most wallets concern nobody, and each call of a model changes one twice. So who watches wallets says by which rows it
knows them, all watchers are asked for in one statement, and only those are rung whose rows are there.
"""

from __future__ import annotations

from collections.abc import Callable

import blinker

from tokenboard.ledger.driver import Sql, ledger

Watcher = Callable[[str], object]

balance_changed = blinker.Signal("A wallet's posted or held credits changed; the sender is the account's id.")


class Watchers:
    """Who is rung for the wallets it has rows for."""

    def __init__(self) -> None:
        self._rows: dict[Watcher, str] = {}
        self._asked: Sql | None = None

    def add(self, watcher: Watcher, rows: str) -> None:
        """`rows` is a SELECT from the watcher's own tables on `:wallet_id`. Adding twice is adding once."""
        self._rows[watcher] = rows
        self._asked = Sql("SELECT " + ", ".join(f"EXISTS ({one})" for one in self._rows.values()))

    def ring(self, wallet_id: str) -> None:
        """Ring those who have rows for this wallet."""
        if self._asked is None:
            return
        books = ledger()
        values = {"wallet_id": books.id_in(wallet_id)}
        found = books.direct(self._asked, values) if books.is_postgresql else books.row(self._asked, values)
        assert found is not None, "every question has its answer"
        for watcher, is_concerned in zip(list(self._rows), found, strict=True):
            if is_concerned:
                watcher(wallet_id)


watchers = Watchers()


def announce(wallet_id: str) -> None:
    """Ring for one wallet."""
    watchers.ring(wallet_id)
    if balance_changed.receivers:
        balance_changed.send(wallet_id)
