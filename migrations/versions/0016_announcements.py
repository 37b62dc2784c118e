"""The control room: announcements, the monitoring log, looking as somebody else, and the audit log's own questions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_UUID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("sign_in") as batch:
        batch.add_column(sa.Column("views_person_id", _UUID, nullable=True))
        batch.add_column(sa.Column("views_until", _INSTANT, nullable=True))
        batch.create_index(
            "ix_sign_in_views_until",
            ["views_until"],
            sqlite_where=sa.text("views_until IS NOT NULL"),
            postgresql_where=sa.text("views_until IS NOT NULL"),
        )
    with op.batch_alter_table("person") as batch:
        batch.create_index("ix_person_created_at_id", ["created_at", "id"])
    with op.batch_alter_table("audit_entry") as batch:
        batch.drop_index("ix_audit_entry_created_at")
        batch.create_index("ix_audit_entry_created_at_id", ["created_at", "id"])
        batch.create_index("ix_audit_entry_actor_created_at", ["actor", "created_at"])
        batch.create_index("ix_audit_entry_subject_created_at", ["subject", "created_at"])
    with op.batch_alter_table("alert") as batch:
        batch.add_column(sa.Column("acknowledged_by", sa.String(length=60), server_default="", nullable=False))
        batch.add_column(sa.Column("resolved_by", sa.String(length=60), server_default="", nullable=False))
        batch.create_index("ix_alert_last_raised_at_id", ["last_raised_at", "id"])
    _announcements()
    _monitoring()


def downgrade() -> None:
    for table in ("monitoring_sample", "announcement_dismissal", "announcement"):
        op.drop_table(table)
    with op.batch_alter_table("alert") as batch:
        batch.drop_index("ix_alert_last_raised_at_id")
        batch.drop_column("resolved_by")
        batch.drop_column("acknowledged_by")
    with op.batch_alter_table("audit_entry") as batch:
        for name in ("subject_created_at", "actor_created_at", "created_at_id"):
            batch.drop_index(f"ix_audit_entry_{name}")
        batch.create_index("ix_audit_entry_created_at", ["created_at"])
    with op.batch_alter_table("person") as batch:
        batch.drop_index("ix_person_created_at_id")
    with op.batch_alter_table("sign_in") as batch:
        batch.drop_index("ix_sign_in_views_until")
        batch.drop_column("views_until")
        batch.drop_column("views_person_id")


def _announcements() -> None:
    op.create_table(
        "announcement",
        sa.Column("text", sa.String(length=280), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("link", sa.String(length=300), nullable=False),
        sa.Column("starts_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=True),
        sa.Column("ended_at", _INSTANT, nullable=True),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("id", _UUID, nullable=False),
        sa.CheckConstraint("kind IN ('info', 'warning')", name=op.f("ck_announcement_kind")),
        sa.CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name=op.f("ck_announcement_span")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
    )
    op.create_index("ix_announcement_starts_at_id", "announcement", ["starts_at", "id"])
    op.create_table(
        "announcement_dismissal",
        sa.Column("announcement_id", _UUID, nullable=False),
        sa.Column("person_id", _UUID, nullable=False),
        sa.Column("dismissed_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["announcement_id"],
            ["announcement.id"],
            name=op.f("fk_announcement_dismissal_announcement_id_announcement"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("announcement_id", "person_id", name=op.f("pk_announcement_dismissal")),
    )


def _monitoring() -> None:
    op.create_table(
        "monitoring_sample",
        sa.Column("taken_at", _INSTANT, nullable=False),
        sa.Column("is_ok", sa.Boolean(), nullable=False),
        sa.Column("down", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("id", _UUID, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_monitoring_sample")),
    )
    op.create_index("ix_monitoring_sample_taken_at_id", "monitoring_sample", ["taken_at", "id"])
