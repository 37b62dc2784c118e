"""The ledger: accounts, grants, transactions, transfers, debts, holds; what is written there is never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# In the order of their foreign keys.
_TABLES = (
    "ledger_account",
    "ledger_setting",
    "ledger_grant",
    "ledger_hold",
    "ledger_transaction",
    "ledger_debt",
    "ledger_hold_allocation",
    "ledger_transfer",
)
_APPEND_ONLY = ("ledger_transaction", "ledger_transfer", "ledger_hold_allocation")


def upgrade() -> None:
    _account()
    _setting()
    _grant()
    _hold()
    _transaction()
    _debt()
    _hold_allocation()
    _transfer()
    for table in _APPEND_ONLY:
        _refuse_changes(table)


def downgrade() -> None:
    for table in reversed(_TABLES):
        op.drop_table(table)


def _partial_index(name: str, table: str, columns: list[str], where: str, *, is_unique: bool = False) -> None:
    condition = sa.text(where)
    op.create_index(name, table, columns, unique=is_unique, sqlite_where=condition, postgresql_where=condition)


def _refuse_changes(table: str) -> None:
    """Append-only in the database itself, whoever holds the connection. `refuse_change()` came with 0003."""
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


def _account() -> None:
    op.create_table(
        "ledger_account",
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=True),
        sa.Column("posted_micros", sa.BigInteger(), nullable=True),
        sa.Column("held_micros", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("head_grant_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("head_available_micros", sa.BigInteger(), nullable=False),
        sa.Column("next_grant_expiry_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_overdrawn", sa.Boolean(), nullable=False),
        sa.Column("overdrawn_reason", sa.String(length=12), nullable=False),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("(kind = 'house') = (name IS NOT NULL)", name=op.f("ck_ledger_account_name")),
        sa.CheckConstraint("(kind = 'wallet') = (held_micros IS NOT NULL)", name=op.f("ck_ledger_account_has_held")),
        sa.CheckConstraint("(kind = 'wallet') = (posted_micros IS NOT NULL)", name=op.f("ck_ledger_account_posted")),
        sa.CheckConstraint("is_overdrawn = (overdrawn_reason <> '')", name=op.f("ck_ledger_account_overdrawn")),
        sa.CheckConstraint("kind IN ('wallet', 'house')", name=op.f("ck_ledger_account_kind")),
        sa.CheckConstraint("head_available_micros >= 0", name=op.f("ck_ledger_account_head")),
        sa.CheckConstraint("held_micros >= 0", name=op.f("ck_ledger_account_held")),
        sa.CheckConstraint("posted_micros >= held_micros OR is_overdrawn", name=op.f("ck_ledger_account_available")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_account")),
        postgresql_with={"fillfactor": "60"},
    )
    _partial_index(
        "ix_ledger_account_next_grant_expiry_at",
        "ledger_account",
        ["next_grant_expiry_at"],
        "next_grant_expiry_at IS NOT NULL",
    )
    op.create_index("uq_ledger_account_name", "ledger_account", ["name"], unique=True)


def _setting() -> None:
    op.create_table(
        "ledger_setting",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.String(length=40), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_ledger_setting")),
    )


def _grant() -> None:
    op.create_table(
        "ledger_grant",
        sa.Column("wallet_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("category", sa.String(length=12), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("remaining_micros", sa.BigInteger(), nullable=False),
        sa.Column("held_micros", sa.BigInteger(), nullable=False),
        sa.Column("expired_micros", sa.BigInteger(), nullable=False),
        sa.Column("clawed_back_micros", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("restores_grant_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("category IN ('promotional', 'included', 'paid')", name=op.f("ck_ledger_grant_category")),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_ledger_grant_amount")),
        sa.CheckConstraint(
            "clawed_back_micros >= 0 AND clawed_back_micros <= amount_micros", name=op.f("ck_ledger_grant_clawed_back")
        ),
        sa.CheckConstraint(
            "expired_micros >= 0 AND expired_micros <= amount_micros", name=op.f("ck_ledger_grant_expired")
        ),
        sa.CheckConstraint("held_micros >= 0 AND held_micros <= remaining_micros", name=op.f("ck_ledger_grant_held")),
        sa.CheckConstraint("is_open OR remaining_micros = 0", name=op.f("ck_ledger_grant_is_open")),
        sa.CheckConstraint("remaining_micros <= amount_micros", name=op.f("ck_ledger_grant_remaining")),
        sa.ForeignKeyConstraint(
            ["restores_grant_id"], ["ledger_grant.id"], name=op.f("fk_ledger_grant_restores_grant_id_ledger_grant")
        ),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["ledger_account.id"], name=op.f("fk_ledger_grant_wallet_id_ledger_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_grant")),
        postgresql_with={"fillfactor": "60"},
    )
    _partial_index("ix_ledger_grant_open", "ledger_grant", ["wallet_id"], "is_open")
    op.create_index("uq_ledger_grant_wallet_id_number", "ledger_grant", ["wallet_id", "number"], unique=True)


def _hold() -> None:
    op.create_table(
        "ledger_hold",
        sa.Column("wallet_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=False),
        sa.Column("input_hash", sa.String(length=32), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("captured_micros", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("posted_after_micros", sa.BigInteger(), nullable=False),
        sa.Column("held_after_micros", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name=op.f("ck_ledger_hold_ended")),
        sa.CheckConstraint("state IN ('open', 'captured', 'released', 'expired')", name=op.f("ck_ledger_hold_state")),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_ledger_hold_amount")),
        sa.CheckConstraint(
            "captured_micros >= 0 AND captured_micros <= amount_micros", name=op.f("ck_ledger_hold_captured")
        ),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["ledger_account.id"], name=op.f("fk_ledger_hold_wallet_id_ledger_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_hold")),
    )
    _partial_index("ix_ledger_hold_expires_at", "ledger_hold", ["expires_at"], "state = 'open'")
    op.create_index("uq_ledger_hold_key", "ledger_hold", ["wallet_id", "idempotency_key"], unique=True)


def _transaction() -> None:
    op.create_table(
        "ledger_transaction",
        sa.Column("wallet_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("idempotency_key", sa.String(length=255), nullable=False),
        sa.Column("input_hash", sa.String(length=32), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("posted_after_micros", sa.BigInteger(), nullable=False),
        sa.Column("held_after_micros", sa.BigInteger(), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("source", sa.String(length=120), nullable=False),
        sa.Column("payment", sa.String(length=255), nullable=True),
        sa.Column("grant_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("hold_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("reverses_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint(
            "kind IN ('grant', 'spend', 'late_spend', 'capture', 'release', 'hold_expiry', 'expiry', 'reversal', "
            "'clawback', 'restoration', 'cover')",
            name=op.f("ck_ledger_transaction_kind"),
        ),
        sa.CheckConstraint("version > 0", name=op.f("ck_ledger_transaction_version")),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["ledger_account.id"], name=op.f("fk_ledger_transaction_wallet_id_ledger_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_transaction")),
    )
    _partial_index(
        "uq_ledger_transaction_hold_id", "ledger_transaction", ["hold_id"], "hold_id IS NOT NULL", is_unique=True
    )
    op.create_index(
        "uq_ledger_transaction_key", "ledger_transaction", ["wallet_id", "kind", "idempotency_key"], unique=True
    )
    _partial_index(
        "uq_ledger_transaction_payment", "ledger_transaction", ["payment"], "payment IS NOT NULL", is_unique=True
    )
    _partial_index(
        "uq_ledger_transaction_reverses_id",
        "ledger_transaction",
        ["reverses_id"],
        "reverses_id IS NOT NULL",
        is_unique=True,
    )
    op.create_index("uq_ledger_transaction_version", "ledger_transaction", ["wallet_id", "version"], unique=True)


def _debt() -> None:
    op.create_table(
        "ledger_debt",
        sa.Column("transaction_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("wallet_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("owed_micros", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_ledger_debt_amount")),
        sa.CheckConstraint("owed_micros >= 0 AND owed_micros <= amount_micros", name=op.f("ck_ledger_debt_owed")),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["ledger_transaction.id"], name=op.f("fk_ledger_debt_transaction_id_ledger_transaction")
        ),
        sa.ForeignKeyConstraint(
            ["wallet_id"], ["ledger_account.id"], name=op.f("fk_ledger_debt_wallet_id_ledger_account")
        ),
        sa.PrimaryKeyConstraint("transaction_id", name=op.f("pk_ledger_debt")),
    )
    _partial_index("ix_ledger_debt_owed", "ledger_debt", ["wallet_id"], "owed_micros > 0")


def _hold_allocation() -> None:
    op.create_table(
        "ledger_hold_allocation",
        sa.Column("hold_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("grant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_ledger_hold_allocation_amount")),
        sa.ForeignKeyConstraint(
            ["hold_id"], ["ledger_hold.id"], name=op.f("fk_ledger_hold_allocation_hold_id_ledger_hold")
        ),
        sa.PrimaryKeyConstraint("hold_id", "position", name=op.f("pk_ledger_hold_allocation")),
    )


def _transfer() -> None:
    op.create_table(
        "ledger_transfer",
        sa.Column("transaction_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("position", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("debit_account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("credit_account_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("grant_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("debt_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_ledger_transfer_amount")),
        sa.CheckConstraint("debit_account_id <> credit_account_id", name=op.f("ck_ledger_transfer_accounts")),
        sa.CheckConstraint(
            "grant_id IS NOT NULL OR debt_id IS NOT NULL", name=op.f("ck_ledger_transfer_names_its_grant")
        ),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["ledger_transaction.id"],
            name=op.f("fk_ledger_transfer_transaction_id_ledger_transaction"),
        ),
        sa.PrimaryKeyConstraint("transaction_id", "position", name=op.f("pk_ledger_transfer")),
    )
