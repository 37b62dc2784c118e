"""What is said past SQLAlchemy fails as it would there, and is heard by who listens there."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from tests.conftest import House
from tokenboard.core.db import db
from tokenboard.core.direct import Direct

pytestmark = pytest.mark.postgres

ASKED = Direct("""
SELECT :one + :two,        -- an integer is a bigint, however small
       :id::uuid, :one::int = :one, pg_typeof(:two)::text
""")
ID = "9f0c2a58-3a4d-4a47-8a55-0d7f9a1b2c3d"


@pytest.fixture(autouse=True)
def _inside(postgresql_house: House):
    with postgresql_house.app.app_context():
        yield
        db.session.rollback()


def test_a_row_comes_back_with_ids_as_text():
    assert ASKED.row({"one": 1, "two": 2, "id": ID, "not asked for": 3}) == (3, ID, True, "bigint")
    assert Direct("SELECT 1 WHERE :is_there").row({"is_there": False}) is None


def test_a_list_arrives_as_it_was():
    texts = ["plain", "", 'a "quoted" \\ {brace}, NULL', "NULL", "two\nlines \t ünï", " edge "]
    said = Direct("SELECT :texts::text[], :ids::uuid[]::text[], :numbers::bigint[], :truths::bool[], :none::int[]")

    row = said.row({"texts": texts, "ids": [ID], "numbers": [0, -1, 2**40], "truths": [True, False], "none": []})

    assert row == (texts, [ID], [0, -1, 2**40], [True, False], [])


def test_it_is_said_within_the_sessions_transaction():
    db.session.execute(sa.text("CREATE TEMP TABLE said (number bigint) ON COMMIT DROP"))
    Direct("INSERT INTO said VALUES (:number) RETURNING 1").row({"number": 7})

    assert db.session.scalar(sa.text("SELECT number FROM said")) == 7


def test_a_refusal_is_the_one_sqlalchemy_raises():
    db.session.execute(sa.text("CREATE TEMP TABLE said (number bigint UNIQUE) ON COMMIT DROP"))
    twice = Direct("INSERT INTO said VALUES (:number), (:number) RETURNING 1")

    with pytest.raises(IntegrityError) as refused:
        twice.row({"number": 31_415})

    assert "31415" not in str(refused.value).partition("DETAIL")[0]


def test_a_connection_that_is_gone_is_given_up_and_the_next_one_works():
    ended = Direct("SELECT pg_terminate_backend(pg_backend_pid())")

    with pytest.raises(OperationalError) as lost:
        ended.row({})
    assert lost.value.connection_invalidated
    db.session.rollback()

    assert Direct("SELECT :number").row({"number": 1}) == (1,)


def test_who_listens_to_statements_hears_these_too():
    heard: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        heard.append(" ".join(statement.split()))

    for moment in ("before_cursor_execute", "after_cursor_execute"):
        sa.event.listen(db.engine, moment, note)
    try:
        Direct("SELECT :number + 1").row({"number": 1})
    finally:
        for moment in ("before_cursor_execute", "after_cursor_execute"):
            sa.event.remove(db.engine, moment, note)

    assert heard == ["SELECT $1 + 1"] * 2


def test_what_is_prepared_outlives_a_rollback():
    asked = Direct("SELECT :number + 271828")
    prepared = Direct("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE :text")
    with db.engine.connect() as connection:
        with connection.begin() as begun:
            for _ in range(7):
                asked.row({"number": 1}, connection)
            begun.rollback()

        assert prepared.row({"text": "SELECT $1 + 271828"}, connection) == (1,)
        assert asked.row({"number": 1}, connection) == (271_829,)


def test_a_table_that_a_rollback_took_away_may_come_again():
    counted = Direct("SELECT count(*) FROM said WHERE number > :least")
    with db.engine.connect() as connection:
        for kind in ("bigint", "int", "numeric"):
            with connection.begin() as made:
                connection.execute(sa.text(f"CREATE TEMP TABLE said (number {kind})"))
                connection.execute(sa.text("INSERT INTO said VALUES (1), (2)"))
                assert [counted.row({"least": 1}, connection) for _ in range(7)] == [(1,)] * 7
                made.rollback()
            without = connection.begin()
            with pytest.raises(ProgrammingError):
                counted.row({"least": 1}, connection)
            without.rollback()
