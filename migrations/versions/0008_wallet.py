"""Every workspace has a wallet; sign-up grants, low-balance lines, adjustments, and what the books' check found."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_UUID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("workspace") as batch:
        batch.add_column(sa.Column("ledger_account_id", _UUID, nullable=True))
    _open_wallets()
    with op.batch_alter_table("workspace") as batch:
        batch.alter_column("ledger_account_id", existing_type=_UUID, nullable=False)
        batch.create_unique_constraint(op.f("uq_workspace_ledger_account_id"), ["ledger_account_id"])
        batch.create_foreign_key(
            op.f("fk_workspace_ledger_account_id_ledger_account"), "ledger_account", ["ledger_account_id"], ["id"]
        )
    _signup_grant()
    _low_balance()
    _adjustment()
    _books_lamp()


def downgrade() -> None:
    for table in ("books_lamp", "adjustment_day", "adjustment", "low_balance", "signup_grant"):
        op.drop_table(table)
    with op.batch_alter_table("workspace") as batch:
        batch.drop_constraint(op.f("fk_workspace_ledger_account_id_ledger_account"), type_="foreignkey")
        batch.drop_constraint(op.f("uq_workspace_ledger_account_id"), type_="unique")
        batch.drop_column("ledger_account_id")


def _open_wallets() -> None:
    """An empty one for every workspace there is."""
    workspace = sa.table(
        "workspace",
        sa.column("id", _UUID),
        sa.column("is_demo", sa.Boolean()),
        sa.column("created_at", _INSTANT),
        sa.column("archived_at", _INSTANT),
        sa.column("ledger_account_id", _UUID),
    )
    bind = op.get_bind()
    for row in bind.execute(sa.select(workspace)).all():
        account_id = str(uuid.uuid4())
        bind.execute(_account().insert().values(**_empty_wallet(account_id, row)))
        bind.execute(workspace.update().where(workspace.c.id == row.id).values(ledger_account_id=account_id))


def _account() -> sa.TableClause:
    numbers = ("posted_micros", "held_micros", "version", "head_available_micros")
    return sa.table(
        "ledger_account",
        sa.column("id", _UUID),
        sa.column("kind", sa.String()),
        sa.column("overdrawn_reason", sa.String()),
        sa.column("is_overdrawn", sa.Boolean()),
        sa.column("is_demo", sa.Boolean()),
        sa.column("created_at", _INSTANT),
        sa.column("archived_at", _INSTANT),
        *(sa.column(name, sa.BigInteger()) for name in numbers),
    )


def _empty_wallet(account_id: str, workspace: sa.Row[Any]) -> dict[str, object]:
    return {
        "id": account_id,
        "kind": "wallet",
        "posted_micros": 0,
        "held_micros": 0,
        "version": 0,
        "head_available_micros": 0,
        "is_overdrawn": False,
        "overdrawn_reason": "",
        "is_demo": workspace.is_demo,
        "created_at": workspace.created_at,
        "archived_at": workspace.archived_at,
    }


def _signup_grant() -> None:
    op.create_table(
        "signup_grant",
        sa.Column("email_hash", sa.String(length=64), nullable=False),
        sa.Column("wallet_id", _UUID, nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("email_hash", name=op.f("pk_signup_grant")),
    )


def _low_balance() -> None:
    op.create_table(
        "low_balance",
        sa.Column("wallet_id", _UUID, nullable=False),
        sa.Column("workspace_id", _UUID, nullable=False),
        sa.Column("threshold_micros", sa.BigInteger(), nullable=False),
        sa.Column("is_armed", sa.Boolean(), nullable=False),
        sa.Column("told_at", _INSTANT, nullable=True),
        sa.CheckConstraint("threshold_micros > 0", name=op.f("ck_low_balance_threshold")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_low_balance_workspace_id_workspace"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("wallet_id", name=op.f("pk_low_balance")),
    )


def _adjustment() -> None:
    op.create_table(
        "adjustment",
        sa.Column("workspace_id", _UUID, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=True),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("decided_by", sa.String(length=60), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("decided_at", _INSTANT, nullable=True),
        sa.Column("transaction_id", _UUID, nullable=True),
        sa.Column("id", _UUID, nullable=False),
        sa.CheckConstraint("kind IN ('gift', 'correction')", name=op.f("ck_adjustment_kind")),
        sa.CheckConstraint("state IN ('proposed', 'posted', 'declined')", name=op.f("ck_adjustment_state")),
        sa.CheckConstraint(
            "amount_micros <> 0 AND (kind = 'correction' OR amount_micros > 0)", name=op.f("ck_adjustment_amount")
        ),
        sa.CheckConstraint("(state = 'posted') = (transaction_id IS NOT NULL)", name=op.f("ck_adjustment_posted")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_adjustment_workspace_id_workspace"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustment")),
    )
    op.create_index("ix_adjustment_created_at", "adjustment", ["created_at", "id"])
    op.create_index("ix_adjustment_state", "adjustment", ["state"])
    op.create_index(op.f("ix_adjustment_workspace_id"), "adjustment", ["workspace_id"])
    op.create_table(
        "adjustment_day",
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("total_micros", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("actor", "day", name=op.f("pk_adjustment_day")),
    )


def _books_lamp() -> None:
    op.create_table(
        "books_lamp",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("law", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("offenders", sa.Integer(), nullable=False),
        sa.Column("first_offender", sa.Text(), nullable=False),
        sa.Column("checked_at", _INSTANT, nullable=False),
        sa.Column("last_clean_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_books_lamp")),
    )
