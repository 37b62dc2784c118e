"""Virtual keys, their secrets, what LiteLLM must be told; windows of keys beside those of people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_UUID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _virtual_key()
    _key_secret()
    _mirror_target()


def downgrade() -> None:
    for table in ("mirror_target", "key_secret", "virtual_key"):
        op.drop_table(table)


def _virtual_key() -> None:
    op.create_table(
        "virtual_key",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("workspace_id", _UUID, nullable=False),
        sa.Column("person_id", _UUID, nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("pause_reason", sa.String(length=8), nullable=False),
        sa.Column("models", sa.JSON(), nullable=False),
        sa.Column("max_budget_micros", sa.BigInteger(), nullable=True),
        sa.Column("budget_window", sa.String(length=5), nullable=False),
        sa.Column("rpm_limit", sa.Integer(), nullable=True),
        sa.Column("tpm_limit", sa.Integer(), nullable=True),
        sa.Column("expires_at", _INSTANT, nullable=True),
        sa.Column("last_used_at", _INSTANT, nullable=True),
        sa.Column("last_used_from", sa.String(length=50), nullable=False),
        sa.Column("client_key", sa.String(length=255), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("revoked_at", _INSTANT, nullable=True),
        sa.CheckConstraint("state IN ('active', 'paused', 'revoked')", name=op.f("ck_virtual_key_state")),
        sa.CheckConstraint(
            "pause_reason IN ('', 'person', 'credits', 'leaver', 'admin')", name=op.f("ck_virtual_key_pause_reason")
        ),
        sa.CheckConstraint("(state = 'paused') = (pause_reason <> '')", name=op.f("ck_virtual_key_paused")),
        sa.CheckConstraint("budget_window IN ('total', 'day', 'month')", name=op.f("ck_virtual_key_budget_window")),
        sa.CheckConstraint(
            "max_budget_micros >= 0 AND rpm_limit > 0 AND tpm_limit > 0", name=op.f("ck_virtual_key_limits")
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_virtual_key_workspace_id_workspace"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_virtual_key_person_id_person"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_virtual_key")),
        sa.UniqueConstraint("workspace_id", "client_key", name=op.f("uq_virtual_key_workspace_id_client_key")),
    )
    op.create_index("ix_virtual_key_workspace", "virtual_key", ["workspace_id", "created_at", "id"])
    op.create_index("ix_virtual_key_person_id", "virtual_key", ["person_id"])


def _key_secret() -> None:
    op.create_table(
        "key_secret",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("key_id", _UUID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("display", sa.String(length=20), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("is_lost_at_proxy", sa.Boolean(), nullable=False),
        sa.Column("valid_until", _INSTANT, nullable=True),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("revoked_at", _INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["key_id"], ["virtual_key.id"], name=op.f("fk_key_secret_key_id_virtual_key"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_key_secret")),
        sa.UniqueConstraint("hash", name=op.f("uq_key_secret_hash")),
        sa.UniqueConstraint("key_id", "number", name=op.f("uq_key_secret_key_id_number")),
    )


def _mirror_target() -> None:
    op.create_table(
        "mirror_target",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("subject", sa.String(length=254), nullable=False),
        sa.Column("workspace_id", _UUID, nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("sent_version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=6), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", _INSTANT, nullable=False),
        sa.Column("lease_until", _INSTANT, nullable=True),
        sa.Column("last_error", sa.String(length=300), nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=True),
        sa.Column("seen", sa.JSON(), nullable=True),
        sa.Column("seen_at", _INSTANT, nullable=True),
        sa.Column("drift_note", sa.String(length=300), nullable=False),
        sa.Column("booked_nano", sa.BigInteger(), nullable=False),
        sa.Column("sent_at", _INSTANT, nullable=True),
        sa.CheckConstraint("kind IN ('user', 'key', 'customer')", name=op.f("ck_mirror_target_kind")),
        sa.CheckConstraint("state IN ('due', 'sent')", name=op.f("ck_mirror_target_state")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_mirror_target_workspace_id_workspace"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mirror_target")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_mirror_target_kind_subject")),
    )
    op.create_index("ix_mirror_target_workspace_id", "mirror_target", ["workspace_id"])
    op.create_index(
        "ix_mirror_target_due",
        "mirror_target",
        ["next_attempt_at"],
        sqlite_where=sa.text("state = 'due'"),
        postgresql_where=sa.text("state = 'due'"),
    )
