"""What LiteLLM reports: deliveries of its callback, a line a request, how far its log is read."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_UUID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _spend_batch()
    _spend_line()
    _spend_cursor()


def downgrade() -> None:
    for table in ("spend_cursor", "spend_line", "spend_batch"):
        op.drop_table(table)


def _spend_batch() -> None:
    op.create_table(
        "spend_batch",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("body_bytes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=4), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", _INSTANT, nullable=False),
        sa.Column("last_error", sa.String(length=300), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=True),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("done_at", _INSTANT, nullable=True),
        sa.CheckConstraint("state IN ('new', 'done', 'dead')", name=op.f("ck_spend_batch_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spend_batch")),
        sa.UniqueConstraint("digest", name=op.f("uq_spend_batch_digest")),
    )
    op.create_index(
        "ix_spend_batch_due",
        "spend_batch",
        ["next_attempt_at"],
        sqlite_where=sa.text("state = 'new'"),
        postgresql_where=sa.text("state = 'new'"),
    )


def _spend_line() -> None:
    op.create_table(
        "spend_line",
        sa.Column("request_key", sa.String(length=110), nullable=False),
        sa.Column("kind", sa.String(length=9), nullable=False),
        sa.Column("feed", sa.String(length=8), nullable=False),
        sa.Column("call_id", _UUID, nullable=True),
        sa.Column("workspace_id", _UUID, nullable=True),
        sa.Column("key_id", _UUID, nullable=True),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("end_user", sa.String(length=254), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano", sa.BigInteger(), nullable=False),
        sa.Column("expected_nano", sa.BigInteger(), nullable=True),
        sa.Column("is_success", sa.Boolean(), nullable=False),
        sa.Column("error_code", sa.String(length=40), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("booked_at", _INSTANT, nullable=False),
        sa.CheckConstraint(
            "kind IN ('charge', 'reconcile', 'refused', 'foreign', 'odd')", name=op.f("ck_spend_line_kind")
        ),
        sa.CheckConstraint("feed IN ('callback', 'log')", name=op.f("ck_spend_line_feed")),
        sa.CheckConstraint("cost_nano >= 0", name=op.f("ck_spend_line_cost")),
        sa.PrimaryKeyConstraint("request_key", name=op.f("pk_spend_line")),
    )
    op.create_index("ix_spend_line_kind_started_at", "spend_line", ["kind", "started_at"])
    op.create_index("ix_spend_line_call_id", "spend_line", ["call_id"])


def _spend_cursor() -> None:
    op.create_table(
        "spend_cursor",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("read_to", _INSTANT, nullable=True),
        sa.Column("lease_token", sa.String(length=36), nullable=False),
        sa.Column("lease_until", _INSTANT, nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=300), nullable=False),
        sa.Column("read_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_spend_cursor")),
    )
