"""Metering: prices, calls, caps, usage records with their roll-ups; what the house absorbs; a person's budget."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_SUMS = (
    *("requests", "errors", "prompt_tokens", "cached_tokens", "completion_tokens", "reasoning_tokens"),
    *("credits_micros", "cost_nano_usd"),
)


def upgrade() -> None:
    _cap_window()
    _ledger_house_transfer()
    _model_price()
    _usage_day()
    _usage_record()
    _usage_workspace_day()
    _metered_call()
    _call_piece()
    _person()
    _refuse_changes("ledger_house_transfer")


def downgrade() -> None:
    with op.batch_alter_table("person") as batch:
        batch.drop_column("monthly_budget_cents")
    for table in (
        *("call_piece", "metered_call", "usage_workspace_day", "usage_record", "usage_day", "model_price"),
        *("ledger_house_transfer", "cap_window"),
    ):
        op.drop_table(table)


def _sums() -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in _SUMS]


def _histograms() -> list[sa.Column[Any]]:
    """Sixteen columns each, between fixed bounds."""
    names = [f"{of}_{number}" for of in ("latency", "first_token") for number in range(16)]
    return [sa.Column(name, sa.Integer(), nullable=False) for name in names]


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


def _cap_window() -> None:
    op.create_table(
        "cap_window",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("subject_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("month", sa.String(length=10), nullable=False),
        sa.Column("spent_micros", sa.BigInteger(), nullable=False),
        sa.Column("held_micros", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('person', 'member', 'key')", name=op.f("ck_cap_window_kind")),
        sa.CheckConstraint("held_micros >= 0", name=op.f("ck_cap_window_held")),
        sa.PrimaryKeyConstraint("kind", "subject_id", "month", name=op.f("pk_cap_window")),
        postgresql_with={"fillfactor": "70"},
        sqlite_with_rowid=False,
    )


def _ledger_house_transfer() -> None:
    op.create_table(
        "ledger_house_transfer",
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=False),
        sa.Column("input_hash", sa.String(length=32), nullable=False),
        sa.Column("debit_account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("credit_account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("kind IN ('absorption')", name=op.f("ck_ledger_house_transfer_kind")),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_ledger_house_transfer_amount")),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name=op.f("ck_ledger_house_transfer_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_house_transfer")),
    )
    op.create_index("uq_ledger_house_transfer_key", "ledger_house_transfer", ["kind", "idempotency_key"], unique=True)


def _model_price() -> None:
    op.create_table(
        "model_price",
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("mode", sa.String(length=10), nullable=False),
        sa.Column("input_nano_per_mtok", sa.BigInteger(), nullable=True),
        sa.Column("cached_input_nano_per_mtok", sa.BigInteger(), nullable=True),
        sa.Column("output_nano_per_mtok", sa.BigInteger(), nullable=True),
        sa.Column("max_input_tokens", sa.BigInteger(), nullable=True),
        sa.Column("max_output_tokens", sa.BigInteger(), nullable=True),
        sa.Column("provider", sa.String(length=60), nullable=False),
        sa.Column("source", sa.String(length=12), nullable=False),
        sa.Column("markup", sa.String(length=20), nullable=False),
        sa.Column("is_free", sa.Boolean(), nullable=False),
        sa.Column("is_offered", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint(
            "NOT is_offered OR (is_free AND source = 'admin') "
            "OR (input_nano_per_mtok > 0 AND (output_nano_per_mtok > 0 OR mode = 'embedding'))",
            name=op.f("ck_model_price_offered"),
        ),
        sa.CheckConstraint("mode IN ('chat', 'embedding')", name=op.f("ck_model_price_mode")),
        sa.CheckConstraint("source IN ('litellm', 'genai-prices', 'admin')", name=op.f("ck_model_price_source")),
        sa.CheckConstraint(
            "NOT is_free OR (input_nano_per_mtok = 0 AND output_nano_per_mtok = 0)", name=op.f("ck_model_price_free")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_price")),
    )
    op.create_index(
        "uq_model_price_current",
        "model_price",
        ["model"],
        unique=True,
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_index("uq_model_price_version", "model_price", ["model", "version"], unique=True)


def _usage_day() -> None:
    op.create_table(
        "usage_day",
        sa.Column("workspace_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("key_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        *_sums(),
        *_histograms(),
        sa.PrimaryKeyConstraint(
            "workspace_id", "day_on", "person_id", "source", "key_id", "model", name=op.f("pk_usage_day")
        ),
        sqlite_with_rowid=False,
    )


def _usage_record() -> None:
    op.create_table(
        "usage_record",
        sa.Column("dedupe_key", sa.String(length=160), nullable=False),
        sa.Column("workspace_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("key_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("call_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("request_id", sa.String(length=120), nullable=True),
        sa.Column("conversation_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("message_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cached_tokens", sa.BigInteger(), nullable=False),
        sa.Column("completion_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=False),
        sa.Column("credits_micros", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano_usd", sa.BigInteger(), nullable=False),
        sa.Column("absorbed_micros", sa.BigInteger(), nullable=False),
        sa.Column("price_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("markup", sa.String(length=20), nullable=False),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("first_token_ms", sa.Integer(), nullable=True),
        sa.Column("status", sa.String(length=12), nullable=False),
        sa.Column("error_code", sa.String(length=40), nullable=False),
        sa.Column("is_estimated", sa.Boolean(), nullable=False),
        sa.Column("is_background", sa.Boolean(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("balance_after_micros", sa.BigInteger(), nullable=True),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint(
            "source IN ('chat', 'gateway', 'key', 'openwebui', 'openwebui_direct')", name=op.f("ck_usage_record_source")
        ),
        sa.CheckConstraint(
            "status IN ('ok', 'stopped', 'length', 'interrupted', 'failed', 'refused')",
            name=op.f("ck_usage_record_status"),
        ),
        sa.CheckConstraint(
            "credits_micros >= 0 AND cost_nano_usd >= 0 AND absorbed_micros >= 0", name=op.f("ck_usage_record_amounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_usage_record")),
    )
    op.create_index(
        "ix_usage_record_workspace_id_occurred_at", "usage_record", ["workspace_id", "occurred_at", "id"], unique=False
    )
    op.create_index("uq_usage_record_dedupe_key", "usage_record", ["dedupe_key"], unique=True)


def _usage_workspace_day() -> None:
    op.create_table(
        "usage_workspace_day",
        sa.Column("workspace_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("day_on", sa.Date(), nullable=False),
        *_sums(),
        *_histograms(),
        sa.PrimaryKeyConstraint("workspace_id", "day_on", name=op.f("pk_usage_workspace_day")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_usage_workspace_day_day_on", "usage_workspace_day", ["day_on"], unique=False)


def _metered_call() -> None:
    op.create_table(
        "metered_call",
        sa.Column("workspace_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("wallet_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("membership_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("cap_month", sa.String(length=7), nullable=False),
        sa.Column("key_window", sa.String(length=10), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("model", sa.String(length=120), nullable=False),
        sa.Column("price_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("markup", sa.String(length=20), nullable=False),
        sa.Column("key_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("conversation_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("message_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("is_background", sa.Boolean(), nullable=False),
        sa.Column("keeps_text", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("hold_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("held_micros", sa.BigInteger(), nullable=False),
        sa.Column("prompt_bytes", sa.BigInteger(), nullable=False),
        sa.Column("prompt_tokens_bound", sa.BigInteger(), nullable=False),
        sa.Column("max_output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("is_shortened", sa.Boolean(), nullable=False),
        sa.Column("recorded_chars", sa.BigInteger(), nullable=False),
        sa.Column("recorded_bytes", sa.BigInteger(), nullable=False),
        sa.Column("watermark_micros", sa.BigInteger(), nullable=False),
        sa.Column("lease_token", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stop_requested_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_piece_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("error_code", sa.String(length=40), nullable=False),
        sa.Column("transaction_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("(state = 'settled') = (settled_at IS NOT NULL)", name=op.f("ck_metered_call_settled")),
        sa.CheckConstraint("source IN ('chat', 'gateway', 'openwebui')", name=op.f("ck_metered_call_source")),
        sa.CheckConstraint("state IN ('open', 'settled')", name=op.f("ck_metered_call_state")),
        sa.CheckConstraint("(hold_id IS NULL) = (held_micros = 0)", name=op.f("ck_metered_call_hold")),
        sa.CheckConstraint(
            "held_micros >= 0 AND watermark_micros >= 0 AND recorded_bytes >= 0", name=op.f("ck_metered_call_amounts")
        ),
        sa.ForeignKeyConstraint(["price_id"], ["model_price.id"], name=op.f("fk_metered_call_price_id_model_price")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_metered_call")),
        postgresql_with={"fillfactor": "70"},
    )
    op.create_index(
        "ix_metered_call_lease_until",
        "metered_call",
        ["lease_until"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("ix_metered_call_person_id_started_at", "metered_call", ["person_id", "started_at"], unique=False)
    op.create_index("ix_metered_call_settled_at", "metered_call", ["settled_at"], unique=False)


def _call_piece() -> None:
    op.create_table(
        "call_piece",
        sa.Column("call_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("from_char", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["call_id"], ["metered_call.id"], name=op.f("fk_call_piece_call_id_metered_call"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("call_id", "from_char", name=op.f("pk_call_piece")),
        sqlite_with_rowid=False,
    )


def _person() -> None:
    with op.batch_alter_table("person", schema=None) as batch_op:
        batch_op.add_column(sa.Column("monthly_budget_cents", sa.BigInteger(), nullable=True))
