"""For the tests of accounts."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy import event

from tokenboard.core.db import db


@pytest.fixture
def count_queries() -> Callable[[Flask], AbstractContextManager[list[str]]]:
    """The SELECTs sent inside a `with`."""

    @contextlib.contextmanager
    def counting(app: Flask) -> Iterator[list[str]]:
        asked: list[str] = []

        def note(_connection, _cursor, statement, *_more):
            if statement.lstrip().upper().startswith("SELECT"):
                asked.append(statement)

        with app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield asked
        finally:
            event.remove(engine, "before_cursor_execute", note)

    return counting
