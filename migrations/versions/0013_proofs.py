"""What proves a person beside the password: second factors, API tokens, identities at a provider."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_UUID = sa.Uuid(as_uuid=False)
_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("person") as batch:
        batch.add_column(sa.Column("deleted_at", _INSTANT, nullable=True))
    _widen_sign_in()
    _second_factor()
    _api_token()
    _identity()
    _past_email()


def downgrade() -> None:
    for table in ("past_email", "oidc_identity", "api_token", "recovery_code", "second_factor"):
        op.drop_table(table)
    with op.batch_alter_table("sign_in") as batch:
        for column in ("sealed_id_token", "second_factor_at", "proven_at", "method"):
            batch.drop_column(column)
    with op.batch_alter_table("person") as batch:
        batch.drop_column("deleted_at")


def _widen_sign_in() -> None:
    with op.batch_alter_table("sign_in") as batch:
        batch.add_column(sa.Column("method", sa.String(length=10), nullable=True))
        batch.add_column(sa.Column("proven_at", _INSTANT, nullable=True))
        batch.add_column(sa.Column("second_factor_at", _INSTANT, nullable=True))
        batch.add_column(sa.Column("sealed_id_token", sa.Text(), nullable=True))
    op.execute("UPDATE sign_in SET method = 'password', proven_at = created_at, sealed_id_token = ''")
    with op.batch_alter_table("sign_in") as batch:
        batch.alter_column("method", existing_type=sa.String(length=10), nullable=False)
        batch.alter_column("proven_at", existing_type=_INSTANT, nullable=False)
        batch.alter_column("sealed_id_token", existing_type=sa.Text(), nullable=False)


def _person_of(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_person_id_person")
    return sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=name, ondelete="CASCADE")


def _second_factor() -> None:
    op.create_table(
        "second_factor",
        sa.Column("person_id", _UUID, nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("confirmed_at", _INSTANT, nullable=True),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        _person_of("second_factor"),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("person_id", _UUID, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", _INSTANT, nullable=True),
        sa.Column("id", _UUID, nullable=False),
        _person_of("recovery_code"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    op.create_index(op.f("ix_recovery_code_person_id"), "recovery_code", ["person_id"])


def _api_token() -> None:
    op.create_table(
        "api_token",
        sa.Column("person_id", _UUID, nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=True),
        sa.Column("last_used_at", _INSTANT, nullable=True),
        sa.Column("last_used_from", sa.String(length=45), nullable=False),
        sa.Column("ended_at", _INSTANT, nullable=True),
        sa.Column("id", _UUID, nullable=False),
        _person_of("api_token"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_api_token_token_hash")),
    )
    op.create_index(op.f("ix_api_token_person_id"), "api_token", ["person_id"])


def _identity() -> None:
    op.create_table(
        "oidc_identity",
        sa.Column("person_id", _UUID, nullable=False),
        sa.Column("issuer", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("gave_admin", sa.Boolean(), nullable=False),
        sa.Column("gave_budget", sa.Boolean(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("last_used_at", _INSTANT, nullable=False),
        sa.Column("id", _UUID, nullable=False),
        _person_of("oidc_identity"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_identity")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_oidc_identity_issuer_subject")),
    )
    op.create_index(op.f("ix_oidc_identity_person_id"), "oidc_identity", ["person_id"])


def _past_email() -> None:
    op.create_table(
        "past_email",
        sa.Column("person_id", _UUID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("changed_at", _INSTANT, nullable=False),
        sa.Column("id", _UUID, nullable=False),
        _person_of("past_email"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_email")),
    )
    for column in ("person_id", "email"):
        op.create_index(op.f(f"ix_past_email_{column}"), "past_email", [column])
