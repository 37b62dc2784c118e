"""Keys that may name people; runs that tell LiteLLM a workspace's budgets anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_UUID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("virtual_key") as batch:
        batch.add_column(sa.Column("can_name_people", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_table(
        "mirror_run",
        sa.Column("id", _UUID, nullable=False),
        sa.Column("workspace_id", _UUID, nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("targets", sa.Integer(), nullable=False),
        sa.Column("drifts", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=300), nullable=False),
        sa.Column("queued_at", _INSTANT, nullable=False),
        sa.Column("started_at", _INSTANT, nullable=True),
        sa.Column("lease_until", _INSTANT, nullable=True),
        sa.Column("finished_at", _INSTANT, nullable=True),
        sa.CheckConstraint("state IN ('queued', 'running', 'done', 'failed')", name=op.f("ck_mirror_run_state")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_mirror_run_workspace_id_workspace"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mirror_run")),
    )
    op.create_index("ix_mirror_run_workspace_id_queued_at", "mirror_run", ["workspace_id", "queued_at"])


def downgrade() -> None:
    op.drop_table("mirror_run")
    with op.batch_alter_table("virtual_key") as batch:
        batch.drop_column("can_name_people")
