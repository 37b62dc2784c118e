"""Provider costs: connections, sync runs, imported days, roll-ups, budgets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "budget",
        sa.Column("workspace_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("project_id", sa.String(length=120), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_budget_amount")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_budget_workspace_id_workspace"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget")),
        sa.UniqueConstraint(
            "workspace_id", "project_id", "month", name=op.f("uq_budget_workspace_id_project_id_month")
        ),
    )
    op.create_table(
        "connection",
        sa.Column("workspace_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("provider", sa.String(length=12), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=False),
        sa.Column("key_fingerprint", sa.String(length=64), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("last_synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_full_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=False),
        sa.Column("last_error_code", sa.String(length=40), nullable=False),
        sa.Column("next_sync_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("mode IN ('organization', 'personal')", name=op.f("ck_connection_mode")),
        sa.CheckConstraint("provider IN ('openai', 'anthropic')", name=op.f("ck_connection_provider")),
        sa.CheckConstraint("status IN ('active', 'rejected', 'removed')", name=op.f("ck_connection_status")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["person.id"], name=op.f("fk_connection_created_by_id_person"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_connection_workspace_id_workspace"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connection")),
    )
    with op.batch_alter_table("connection", schema=None) as batch_op:
        batch_op.create_index("ix_connection_status_next_sync_at", ["status", "next_sync_at"], unique=False)
        batch_op.create_index(
            "uq_connection_live",
            ["workspace_id", "provider"],
            unique=True,
            sqlite_where=sa.text("status <> 'removed'"),
            postgresql_where=sa.text("status <> 'removed'"),
        )

    op.create_table(
        "typed_balance",
        sa.Column("workspace_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("provider", sa.String(length=12), nullable=False),
        sa.Column("amount_nano", sa.BigInteger(), nullable=False),
        sa.Column("as_of_on", sa.Date(), nullable=False),
        sa.Column("entered_by_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["entered_by_id"], ["person.id"], name=op.f("fk_typed_balance_entered_by_id_person"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_typed_balance_workspace_id_workspace"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_typed_balance")),
    )
    with op.batch_alter_table("typed_balance", schema=None) as batch_op:
        batch_op.create_index("ix_typed_balance_workspace_id_entered_at", ["workspace_id", "entered_at"], unique=False)

    op.create_table(
        "budget_alert",
        sa.Column("budget_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("step", sa.String(length=10), nullable=False),
        sa.Column("spent_nano", sa.BigInteger(), nullable=False),
        sa.Column("limit_nano", sa.BigInteger(), nullable=False),
        sa.Column("forecast_nano", sa.BigInteger(), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("step IN ('50', '80', '100', 'forecast')", name=op.f("ck_budget_alert_step")),
        sa.ForeignKeyConstraint(
            ["budget_id"], ["budget.id"], name=op.f("fk_budget_alert_budget_id_budget"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget_alert")),
        sa.UniqueConstraint("budget_id", "month", "step", name=op.f("uq_budget_alert_budget_id_month_step")),
    )
    op.create_table(
        "cost_day",
        sa.Column("connection_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("amount_nano", sa.BigInteger(), nullable=False),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_cost_day_connection_id_connection"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", "on_day", name=op.f("pk_cost_day")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cost_row",
        sa.Column("connection_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.String(length=120), nullable=False),
        sa.Column("line_item", sa.String(length=200), nullable=False),
        sa.Column("api_key_id", sa.String(length=120), nullable=False),
        sa.Column("amount_nano", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_cost_row_connection_id_connection"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", "on_day", "line", name=op.f("pk_cost_row")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cost_total",
        sa.Column("connection_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("dimension", sa.String(length=10), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("amount_nano", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("dimension IN ('project', 'line_item', 'api_key')", name=op.f("ck_cost_total_dimension")),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_cost_total_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "dimension", "on_day", "key", name=op.f("pk_cost_total")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "credit_snapshot",
        sa.Column("connection_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_nano", sa.BigInteger(), nullable=False),
        sa.Column("used_nano", sa.BigInteger(), nullable=False),
        sa.Column("available_nano", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_credit_snapshot_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_snapshot")),
    )
    with op.batch_alter_table("credit_snapshot", schema=None) as batch_op:
        batch_op.create_index("ix_credit_snapshot_connection_id_seen_at", ["connection_id", "seen_at"], unique=False)

    op.create_table(
        "provider_name",
        sa.Column("connection_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("external_id", sa.String(length=120), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("is_archived", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_provider_name_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "kind", "external_id", name=op.f("pk_provider_name")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "seen_model",
        sa.Column("connection_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_seen_model_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "model", name=op.f("pk_seen_model")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sync_run",
        sa.Column("connection_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("reason", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("since_on", sa.Date(), nullable=False),
        sa.Column("until_on", sa.Date(), nullable=False),
        sa.Column("reached_on", sa.Date(), nullable=False),
        sa.Column("revised_days", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=36), nullable=False),
        sa.Column("error_code", sa.String(length=40), nullable=False),
        sa.Column("error_message", sa.Text(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint(
            "reason IN ('backfill', 'hourly', 'daily', 'manual', 'cron')", name=op.f("ck_sync_run_reason")
        ),
        sa.CheckConstraint("state IN ('waiting', 'running', 'done', 'failed')", name=op.f("ck_sync_run_state")),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_sync_run_connection_id_connection"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_run")),
    )
    with op.batch_alter_table("sync_run", schema=None) as batch_op:
        batch_op.create_index("ix_sync_run_connection_id_queued_at", ["connection_id", "queued_at"], unique=False)
        batch_op.create_index("ix_sync_run_state_next_attempt_at", ["state", "next_attempt_at"], unique=False)
        batch_op.create_index(
            "uq_sync_run_running",
            ["connection_id"],
            unique=True,
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )
        batch_op.create_index(
            "uq_sync_run_waiting",
            ["connection_id"],
            unique=True,
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )

    op.create_table(
        "usage_row",
        sa.Column("connection_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.String(length=120), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("api_key_id", sa.String(length=120), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id"], ["connection.id"], name=op.f("fk_usage_row_connection_id_connection"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("connection_id", "on_day", "kind", "line", name=op.f("pk_usage_row")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "usage_total",
        sa.Column("connection_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("dimension", sa.String(length=10), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("dimension IN ('project', 'model', 'api_key')", name=op.f("ck_usage_total_dimension")),
        sa.ForeignKeyConstraint(
            ["connection_id"],
            ["connection.id"],
            name=op.f("fk_usage_total_connection_id_connection"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("connection_id", "dimension", "on_day", "key", name=op.f("pk_usage_total")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cost_revision",
        sa.Column("connection_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("old_nano", sa.BigInteger(), nullable=False),
        sa.Column("new_nano", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["connection_id", "on_day"],
            ["cost_day.connection_id", "cost_day.on_day"],
            name=op.f("fk_cost_revision_connection_id_cost_day"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost_revision")),
    )
    with op.batch_alter_table("cost_revision", schema=None) as batch_op:
        batch_op.create_index(
            "ix_cost_revision_connection_id_on_day", ["connection_id", "on_day", "seen_at"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("cost_revision", schema=None) as batch_op:
        batch_op.drop_index("ix_cost_revision_connection_id_on_day")

    op.drop_table("cost_revision")
    op.drop_table("usage_total")
    op.drop_table("usage_row")
    with op.batch_alter_table("sync_run", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_sync_run_waiting",
            sqlite_where=sa.text("state = 'waiting'"),
            postgresql_where=sa.text("state = 'waiting'"),
        )
        batch_op.drop_index(
            "uq_sync_run_running",
            sqlite_where=sa.text("state = 'running'"),
            postgresql_where=sa.text("state = 'running'"),
        )
        batch_op.drop_index("ix_sync_run_state_next_attempt_at")
        batch_op.drop_index("ix_sync_run_connection_id_queued_at")

    op.drop_table("sync_run")
    op.drop_table("seen_model")
    op.drop_table("provider_name")
    with op.batch_alter_table("credit_snapshot", schema=None) as batch_op:
        batch_op.drop_index("ix_credit_snapshot_connection_id_seen_at")

    op.drop_table("credit_snapshot")
    op.drop_table("cost_total")
    op.drop_table("cost_row")
    op.drop_table("cost_day")
    op.drop_table("budget_alert")
    with op.batch_alter_table("typed_balance", schema=None) as batch_op:
        batch_op.drop_index("ix_typed_balance_workspace_id_entered_at")

    op.drop_table("typed_balance")
    with op.batch_alter_table("connection", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_connection_live",
            sqlite_where=sa.text("status <> 'removed'"),
            postgresql_where=sa.text("status <> 'removed'"),
        )
        batch_op.drop_index("ix_connection_status_next_sync_at")

    op.drop_table("connection")
    op.drop_table("budget")
