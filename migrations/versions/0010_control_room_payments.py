"""The inbox's headers and indexes, refunds that are asked about again, sealed promo codes, looks at the providers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("inbox_event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("headers", sa.JSON(), server_default="{}", nullable=False))
        batch_op.create_index("ix_inbox_event_state", ["state", "received_at", "id"], unique=False)
        batch_op.create_index("ix_inbox_event_payment_id", ["payment_id"], unique=False)
        batch_op.create_index("ix_inbox_event_object_id", ["object_id"], unique=False)
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.create_index("ix_payment_state", ["state", "created_at", "id"], unique=False)
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.add_column(sa.Column("next_ask_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("asks", sa.Integer(), server_default="0", nullable=False))
        batch_op.create_index(
            "ix_refund_next_ask",
            ["next_ask_at"],
            unique=False,
            sqlite_where=sa.text("next_ask_at IS NOT NULL"),
            postgresql_where=sa.text("next_ask_at IS NOT NULL"),
        )
    with op.batch_alter_table("promo_batch", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed_codes", sa.Text(), server_default="", nullable=False))
    _create_looks()


def _create_looks() -> None:
    op.create_table(
        "reconcile_run",
        sa.Column("open_key", sa.String(length=10), nullable=True),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.Column("is_healing", sa.Boolean(), nullable=False),
        sa.Column("heals_run_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=False),
        sa.Column("invoices", sa.Integer(), nullable=False),
        sa.Column("transactions", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done')", name=op.f("ck_reconcile_run_state")),
        sa.CheckConstraint("(state = 'done') = (open_key IS NULL)", name=op.f("ck_reconcile_run_open")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconcile_run")),
        sa.UniqueConstraint("open_key", name=op.f("uq_reconcile_run_open_key")),
    )
    with op.batch_alter_table("reconcile_run", schema=None) as batch_op:
        batch_op.create_index("ix_reconcile_run_asked", ["asked_at", "id"], unique=False)

    op.create_table(
        "reconcile_finding",
        sa.Column("run_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(length=10), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("what", sa.String(length=500), nullable=False),
        sa.Column("can_heal", sa.Boolean(), nullable=False),
        sa.Column("healed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problem", sa.String(length=500), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["reconcile_run.id"],
            name=op.f("fk_reconcile_finding_run_id_reconcile_run"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconcile_finding")),
        sa.UniqueConstraint("run_id", "position", name=op.f("uq_reconcile_finding_run_id_position")),
    )


def downgrade() -> None:
    op.drop_table("reconcile_finding")
    op.drop_table("reconcile_run")
    with op.batch_alter_table("promo_batch", schema=None) as batch_op:
        batch_op.drop_column("sealed_codes")
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.drop_index("ix_refund_next_ask")
        batch_op.drop_column("asks")
        batch_op.drop_column("next_ask_at")
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.drop_index("ix_payment_state")
    with op.batch_alter_table("inbox_event", schema=None) as batch_op:
        batch_op.drop_index("ix_inbox_event_object_id")
        batch_op.drop_index("ix_inbox_event_payment_id")
        batch_op.drop_index("ix_inbox_event_state")
        batch_op.drop_column("headers")
