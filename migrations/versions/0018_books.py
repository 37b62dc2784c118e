"""Closed months: what the provider's bill, the meter and the ledger said when a month was closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_UUID = sa.Uuid(as_uuid=False)
_TABLES = ("books_close", "books_line", "books_day")
_SUMS = (
    *("requests", "bill_nano", "metered_nano", "foreign_nano", "unpriced_nano", "outside_nano", "discount_nano"),
    *("late_nano", "paid_micros", "paid_nano", "markup_nano", "shrinkage_nano"),
)


def upgrade() -> None:
    op.create_table(
        "books_close",
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("closed_by", sa.String(length=40), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_on", sa.Date(), nullable=True),
        sa.Column("id", _UUID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_books_close")),
        sa.UniqueConstraint("month", name=op.f("uq_books_close_month")),
    )
    _of_close("books_line", [sa.Column("model", sa.String(length=200), nullable=False)], _SUMS)
    _of_close("books_day", [], ("metered_micros", "other_micros"))
    for table in _TABLES:
        _refuse_changes(table)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)


def _of_close(table: str, more: list[sa.Column], sums: tuple[str, ...]) -> None:  # type: ignore[type-arg]
    op.create_table(
        table,
        sa.Column("close_id", _UUID, nullable=False),
        sa.Column("day_on", sa.Date(), nullable=False),
        *more,
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in sums),
        sa.ForeignKeyConstraint(["close_id"], ["books_close.id"], name=op.f(f"fk_{table}_close_id_books_close")),
        sa.PrimaryKeyConstraint("close_id", "day_on", *(one.name for one in more), name=op.f(f"pk_{table}")),
        sqlite_with_rowid=False,
    )


def _refuse_changes(table: str) -> None:
    """Append-only in the database itself, as in 0007. `refuse_change()` came with 0003."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for act in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
