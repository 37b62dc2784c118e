"""Connections to PostgreSQL on which prepared statements outlive a rollback.

psycopg forgets them all with every ROLLBACK, in case it has undone a table. Whoever only reads ends with one, each page
and each look before a message is sent, so the long statements of a call were read and planned anew nearly every time:
a begun and settled call after such a look cost the server 9.1 ms of processor time and the client 5.4, with this 3.7
and 4.4 (2026-11-28). PostgreSQL plans a statement again by itself when a table it names has changed or come back.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.errors import error_from_result
from psycopg.generators import execute
from psycopg.pq import ExecStatus, TransactionStatus

_OPEN = (TransactionStatus.INTRANS, TransactionStatus.INERROR)


class LastingConnection(psycopg.Connection[Any]):
    """Rolls back and forgets nothing."""

    def rollback(self) -> None:
        if self.pgconn.transaction_status not in _OPEN:
            super().rollback()
            return
        with self.lock:
            self.pgconn.send_query(b"ROLLBACK")
            ended = self.wait(execute(self.pgconn))[-1]
            if ended.status == ExecStatus.FATAL_ERROR:
                raise error_from_result(ended)
