"""What rings when a wallet's balance has changed.

It rings inside the caller's transaction, with the account's id as the sender, so that an outbox row written by a
receiver commits with the entries or not at all. Receivers must not commit and must not call a provider.
A repeated call that changes nothing does not ring.

Most wallets concern nobody, and each call of a model changes one twice. So who watches wallets says by which rows it
knows them, all watchers are asked for in one statement, where PostgreSQL holds or settles in the very same, and only
those are rung whose rows are there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import blinker

from tokenboard.core.direct import Direct
from tokenboard.ledger.driver import Sql, ledger

Watcher = Callable[[str], object]
# In the order of the watchers: who has rows for a wallet.
Concerned = Sequence[bool]

balance_changed = blinker.Signal("A wallet's posted or held credits changed; the sender is the account's id.")
_WATCHED = re.compile(r"/\* watched by (\S+) \*/")
_NOT_WATCHED = "/* not watched */"


class Watchers:
    """Who is rung for the wallets it has rows for."""

    def __init__(self) -> None:
        self._rows: dict[Watcher, str] = {}
        self._asked: Sql | None = None
        self._telling: dict[Sql, Direct] = {}

    def add(self, watcher: Watcher, rows: str) -> None:
        """`rows` is a SELECT from the watcher's own tables on `:wallet_id`. Adding twice is adding once."""
        self._rows[watcher] = rows
        self._asked = Sql("SELECT " + ", ".join(self._columns(":wallet_id")))
        self._telling.clear()

    def _columns(self, wallet: str) -> list[str]:
        return [f"EXISTS ({one.replace(':wallet_id', wallet)})" for one in self._rows.values()]

    def telling(self, statement: Sql) -> Direct:
        """A statement on PostgreSQL that also tells, where it says so, who watches its wallet: in its last columns."""
        known = self._telling.get(statement)
        if known is None:
            told = _WATCHED.sub(lambda found: "".join(f", {one}" for one in self._columns(found[1])), statement.text)
            nothing = ", NULL" * len(self._rows)
            known = self._telling[statement] = Direct(told.replace(_NOT_WATCHED, nothing))
        return known

    def ring(self, wallet_id: str, concerned: Concerned | None) -> None:
        """Ring those who have rows for this wallet; who that is is asked now where it is not known."""
        if self._asked is None:
            return
        if concerned is None:
            concerned = self._ask(self._asked, wallet_id)
        for watcher, is_concerned in zip(list(self._rows), concerned, strict=True):
            if is_concerned:
                watcher(wallet_id)

    def _ask(self, asked: Sql, wallet_id: str) -> Concerned:
        books = ledger()
        values = {"wallet_id": books.id_in(wallet_id)}
        found = books.direct(asked.direct, values) if books.is_postgresql else books.row(asked, values)
        assert found is not None, "every question has its answer"
        return tuple(found)


watchers = Watchers()


def announce(wallet_id: str, concerned: Concerned | None = None) -> None:
    """Ring for one wallet; `concerned` where the statement that changed it has told."""
    watchers.ring(wallet_id, concerned)
    if balance_changed.receivers:
        balance_changed.send(wallet_id)
