"""How many statements a piece of work sends to the database."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import event

from tokenboard.core.db import db


@dataclass
class Counted:
    """The statements that were sent, without those that only begin or end a transaction."""

    statements: list[str] = field(default_factory=list)

    @property
    def number(self) -> int:
        return len(self.statements)


@pytest.fixture
def count_queries() -> Callable[[], contextlib.AbstractContextManager[Counted]]:
    """`with count_queries() as counted: …` inside an application context; then `counted.number`."""

    @contextlib.contextmanager
    def counting() -> Iterator[Counted]:
        counted = Counted()

        def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            if statement.split()[0] not in {"BEGIN", "SAVEPOINT", "RELEASE"}:
                counted.statements.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        try:
            yield counted
        finally:
            event.remove(db.engine, "before_cursor_execute", note)

    return counting
