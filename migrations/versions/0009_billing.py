"""The catalogue, orders and what became of them, subscriptions, the inbox of webhooks, promo codes, top-ups."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "billing_price",
        sa.Column("provider_id", sa.String(length=255), nullable=False),
        sa.Column("product_provider_id", sa.String(length=255), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("unit_amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("interval", sa.String(length=10), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("problem", sa.String(length=200), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_price")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_billing_price_provider_id")),
    )
    with op.batch_alter_table("billing_price", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_billing_price_product_provider_id"), ["product_provider_id"], unique=False)

    op.create_table(
        "billing_product",
        sa.Column("provider_id", sa.String(length=255), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("description", sa.String(length=500), nullable=False),
        sa.Column("credits", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.String(length=200), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_product")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_billing_product_provider_id")),
    )
    op.create_table(
        "inbox_event",
        sa.Column("provider", sa.String(length=10), nullable=False),
        sa.Column("event_id", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=80), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_error", sa.String(length=500), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("payment_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("provider IN ('stripe', 'paystack')", name=op.f("ck_inbox_event_provider")),
        sa.CheckConstraint("state IN ('new', 'retry', 'done', 'ignored', 'dead')", name=op.f("ck_inbox_event_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox_event")),
        sa.UniqueConstraint("provider", "event_id", name=op.f("uq_inbox_event_provider_event_id")),
    )
    with op.batch_alter_table("inbox_event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_inbox_event_due",
            ["next_attempt_at"],
            unique=False,
            sqlite_where=sa.text("state IN ('new', 'retry')"),
            postgresql_where=sa.text("state IN ('new', 'retry')"),
        )
        batch_op.create_index("ix_inbox_event_received", ["received_at", "id"], unique=False)

    op.create_table(
        "promo_batch",
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("credits_micros", sa.BigInteger(), nullable=False),
        sa.Column("plan_price_provider_id", sa.String(length=255), nullable=False),
        sa.Column("uses_each", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("credits_live_days", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("(credits_micros > 0) <> (plan_price_provider_id <> '')", name=op.f("ck_promo_batch_gives")),
        sa.CheckConstraint("uses_each > 0", name=op.f("ck_promo_batch_uses")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promo_batch")),
    )
    op.create_table(
        "promo_code",
        sa.Column("batch_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("last4", sa.String(length=4), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["promo_batch.id"], name=op.f("fk_promo_code_batch_id_promo_batch")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promo_code")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_promo_code_code_hash")),
    )
    with op.batch_alter_table("promo_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promo_code_batch_id"), ["batch_id"], unique=False)

    op.create_table(
        "auto_top_up",
        sa.Column("workspace_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("wallet_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("is_enabled", sa.Boolean(), nullable=False),
        sa.Column("threshold_micros", sa.BigInteger(), nullable=False),
        sa.Column("price_provider_id", sa.String(length=255), nullable=False),
        sa.Column("monthly_cap_cents", sa.BigInteger(), nullable=False),
        sa.Column("stopped_reason", sa.String(length=300), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("threshold_micros > 0 AND monthly_cap_cents > 0", name=op.f("ck_auto_top_up_amounts")),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_auto_top_up_workspace_id_workspace"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_auto_top_up")),
        sa.UniqueConstraint("wallet_id", name=op.f("uq_auto_top_up_wallet_id")),
    )
    op.create_table(
        "billing_customer",
        sa.Column("workspace_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("provider", sa.String(length=10), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspace.id"],
            name=op.f("fk_billing_customer_workspace_id_workspace"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_billing_customer")),
        sa.UniqueConstraint("provider", "provider_id", name=op.f("uq_billing_customer_provider_provider_id")),
    )
    with op.batch_alter_table("billing_customer", schema=None) as batch_op:
        batch_op.create_index(
            "uq_billing_customer_live",
            ["workspace_id", "provider"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "payment",
        sa.Column("workspace_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("provider", sa.String(length=10), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("intent_key", sa.String(length=255), nullable=False),
        sa.Column("title", sa.String(length=255), nullable=False),
        sa.Column("price_provider_id", sa.String(length=255), nullable=True),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_usd_cents", sa.BigInteger(), nullable=True),
        sa.Column("credits_micros", sa.BigInteger(), nullable=False),
        sa.Column("multiplier", sa.String(length=20), nullable=False),
        sa.Column("exchange_rate", sa.String(length=20), nullable=False),
        sa.Column("object_id", sa.String(length=255), nullable=True),
        sa.Column("payment_intent_id", sa.String(length=255), nullable=True),
        sa.Column("provider_subscription_id", sa.String(length=255), nullable=True),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("return_path", sa.String(length=500), nullable=False),
        sa.Column("told", sa.String(length=300), nullable=False),
        sa.Column("charged_minor", sa.BigInteger(), nullable=True),
        sa.Column("tax_minor", sa.BigInteger(), nullable=False),
        sa.Column("refund_sum_minor", sa.BigInteger(), nullable=False),
        sa.Column("refund_sum_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("disputed_minor", sa.BigInteger(), nullable=False),
        sa.Column("receipt_url", sa.Text(), nullable=False),
        sa.Column("next_check_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("checks", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paid_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("credited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("kind IN ('pack', 'custom', 'plan', 'invoice', 'top_up')", name=op.f("ck_payment_kind")),
        sa.CheckConstraint("provider IN ('stripe', 'paystack')", name=op.f("ck_payment_provider")),
        sa.CheckConstraint(
            "state IN ('started', 'pending', 'paid', 'credited', 'failed', 'expired', 'partly_refunded', 'refunded', "
            "'disputed', 'lost')",
            name=op.f("ck_payment_state"),
        ),
        sa.CheckConstraint(
            "amount_minor >= 0 AND credits_micros >= 0 AND quantity > 0", name=op.f("ck_payment_amounts")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_payment_person_id_person"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_payment_workspace_id_workspace"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("provider", "object_id", name=op.f("uq_payment_provider_object_id")),
        sa.UniqueConstraint("workspace_id", "intent_key", name=op.f("uq_payment_workspace_id_intent_key")),
    )
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.create_index(
            "ix_payment_check",
            ["next_check_at"],
            unique=False,
            sqlite_where=sa.text("next_check_at IS NOT NULL"),
            postgresql_where=sa.text("next_check_at IS NOT NULL"),
        )
        batch_op.create_index("ix_payment_created", ["created_at", "id"], unique=False)
        batch_op.create_index("ix_payment_intent", ["provider", "payment_intent_id"], unique=False)
        batch_op.create_index("ix_payment_workspace", ["workspace_id", "created_at", "id"], unique=False)

    op.create_table(
        "promo_redemption",
        sa.Column("batch_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("code_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("person_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("workspace_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("transaction_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["promo_batch.id"], name=op.f("fk_promo_redemption_batch_id_promo_batch")
        ),
        sa.ForeignKeyConstraint(["code_id"], ["promo_code.id"], name=op.f("fk_promo_redemption_code_id_promo_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promo_redemption")),
        sa.UniqueConstraint("batch_id", "person_id", name=op.f("uq_promo_redemption_batch_id_person_id")),
    )
    with op.batch_alter_table("promo_redemption", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_promo_redemption_code_id"), ["code_id"], unique=False)

    op.create_table(
        "subscription",
        sa.Column("workspace_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=False),
        sa.Column("customer_provider_id", sa.String(length=255), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("price_provider_id", sa.String(length=255), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancel_at_period_end", sa.Boolean(), nullable=False),
        sa.Column("is_collection_paused", sa.Boolean(), nullable=False),
        sa.Column("trial_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("invoice_url", sa.Text(), nullable=False),
        sa.Column("is_extra", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"], ["workspace.id"], name=op.f("fk_subscription_workspace_id_workspace"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_subscription_provider_id")),
    )
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.create_index("ix_subscription_workspace", ["workspace_id", "created_at"], unique=False)

    op.create_table(
        "dispute",
        sa.Column("payment_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("provider", sa.String(length=10), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=False),
        sa.Column("payment_intent_id", sa.String(length=255), nullable=True),
        sa.Column("invoice_id", sa.String(length=255), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_dispute_payment_id_payment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("provider", "provider_id", name=op.f("uq_dispute_provider_provider_id")),
    )
    with op.batch_alter_table("dispute", schema=None) as batch_op:
        batch_op.create_index("ix_dispute_intent", ["provider", "payment_intent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_dispute_payment_id"), ["payment_id"], unique=False)

    op.create_table(
        "payment_grant",
        sa.Column("payment_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("credits_micros", sa.BigInteger(), nullable=False),
        sa.Column("transaction_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("grant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("subscription_item_id", sa.String(length=255), nullable=True),
        sa.Column("price_provider_id", sa.String(length=255), nullable=True),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=True),
        sa.Column("period_end", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("credits_micros > 0", name=op.f("ck_payment_grant_credits")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_payment_grant_payment_id_payment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_grant")),
        sa.UniqueConstraint("key", name=op.f("uq_payment_grant_key")),
        sa.UniqueConstraint(
            "subscription_item_id",
            "price_provider_id",
            "period_start",
            name=op.f("uq_payment_grant_subscription_item_id_price_provider_id_period_start"),
        ),
    )
    with op.batch_alter_table("payment_grant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_payment_grant_payment_id"), ["payment_id"], unique=False)

    op.create_table(
        "refund",
        sa.Column("payment_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("provider", sa.String(length=10), nullable=False),
        sa.Column("provider_id", sa.String(length=255), nullable=True),
        sa.Column("payment_intent_id", sa.String(length=255), nullable=True),
        sa.Column("invoice_id", sa.String(length=255), nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("actor", sa.String(length=60), nullable=False),
        sa.Column("intent_key", sa.String(length=255), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refund_amount")),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payment.id"], name=op.f("fk_refund_payment_id_payment"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
        sa.UniqueConstraint("payment_id", "intent_key", name=op.f("uq_refund_payment_id_intent_key")),
        sa.UniqueConstraint("provider", "provider_id", name=op.f("uq_refund_provider_provider_id")),
    )
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.create_index("ix_refund_intent", ["provider", "payment_intent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refund_payment_id"), ["payment_id"], unique=False)

    op.create_table(
        "payment_clawback",
        sa.Column("payment_grant_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=300), nullable=False),
        sa.Column("transaction_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("undone_transaction_id", sa.Uuid(as_uuid=False), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_payment_clawback_amount")),
        sa.ForeignKeyConstraint(
            ["payment_grant_id"],
            ["payment_grant.id"],
            name=op.f("fk_payment_clawback_payment_grant_id_payment_grant"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_clawback")),
        sa.UniqueConstraint("payment_grant_id", "number", name=op.f("uq_payment_clawback_payment_grant_id_number")),
    )


def downgrade() -> None:
    op.drop_table("payment_clawback")
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refund_payment_id"))
        batch_op.drop_index("ix_refund_intent")

    op.drop_table("refund")
    with op.batch_alter_table("payment_grant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payment_grant_payment_id"))

    op.drop_table("payment_grant")
    with op.batch_alter_table("dispute", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dispute_payment_id"))
        batch_op.drop_index("ix_dispute_intent")

    op.drop_table("dispute")
    with op.batch_alter_table("subscription", schema=None) as batch_op:
        batch_op.drop_index("ix_subscription_workspace")

    op.drop_table("subscription")
    with op.batch_alter_table("promo_redemption", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_promo_redemption_code_id"))

    op.drop_table("promo_redemption")
    with op.batch_alter_table("payment", schema=None) as batch_op:
        batch_op.drop_index("ix_payment_workspace")
        batch_op.drop_index("ix_payment_intent")
        batch_op.drop_index("ix_payment_created")
        batch_op.drop_index(
            "ix_payment_check",
            sqlite_where=sa.text("next_check_at IS NOT NULL"),
            postgresql_where=sa.text("next_check_at IS NOT NULL"),
        )

    op.drop_table("payment")
    with op.batch_alter_table("billing_customer", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_billing_customer_live",
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.drop_table("billing_customer")
    op.drop_table("auto_top_up")
    with op.batch_alter_table("promo_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_promo_code_batch_id"))

    op.drop_table("promo_code")
    op.drop_table("promo_batch")
    with op.batch_alter_table("inbox_event", schema=None) as batch_op:
        batch_op.drop_index("ix_inbox_event_received")
        batch_op.drop_index(
            "ix_inbox_event_due",
            sqlite_where=sa.text("state IN ('new', 'retry')"),
            postgresql_where=sa.text("state IN ('new', 'retry')"),
        )

    op.drop_table("inbox_event")
    op.drop_table("billing_product")
    with op.batch_alter_table("billing_price", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_billing_price_product_provider_id"))

    op.drop_table("billing_price")
