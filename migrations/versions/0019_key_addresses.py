"""Addresses and tags of keys; indexes for a key's requests and errors, the books of a month, what the feed gave up."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_EMPTY_LIST = sa.text("'[]'")
_INDEXES: tuple[tuple[str, str, list[str], str], ...] = (
    ("ix_usage_record_key", "usage_record", ["workspace_id", "key_id", "occurred_at", "id"], "key_id IS NOT NULL"),
    (
        "ix_usage_record_errors",
        "usage_record",
        ["workspace_id", "key_id", "occurred_at", "status", "error_code"],
        "status IN ('interrupted', 'failed', 'refused')",
    ),
    ("ix_usage_day_day_on", "usage_day", ["day_on"], ""),
    ("ix_ledger_transaction_created_at", "ledger_transaction", ["created_at"], ""),
    ("ix_spend_batch_dead", "spend_batch", ["received_at"], "state = 'dead'"),
    ("ix_spend_batch_ended", "spend_batch", ["received_at"], "state <> 'new'"),
)


def upgrade() -> None:
    with op.batch_alter_table("virtual_key") as batch:
        batch.add_column(sa.Column("allowed_ips", sa.JSON(), server_default=_EMPTY_LIST, nullable=False))
        batch.add_column(sa.Column("tags", sa.JSON(), server_default=_EMPTY_LIST, nullable=False))
        batch.add_column(sa.Column("client_mark", sa.String(length=64), server_default="", nullable=False))
    for name, table, columns, where in _INDEXES:
        condition = sa.text(where) if where else None
        # It may be there: whoever has many rows makes it beforehand, by hand and CONCURRENTLY (docs/deploy.md).
        op.create_index(name, table, columns, sqlite_where=condition, postgresql_where=condition, if_not_exists=True)


def downgrade() -> None:
    for name, table, _columns, _where in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
    with op.batch_alter_table("virtual_key") as batch:
        for column in ("client_mark", "tags", "allowed_ips"):
            batch.drop_column(column)
