"""The laws of accounts, transactions and holds: I1 to I10."""

from __future__ import annotations

from tokenboard.ledger.laws import Law

ACCOUNT_LAWS: tuple[Law, ...] = (
    Law(
        "I1",
        "A wallet's posted credits are the sum of its transfers.",
        """
        SELECT wallet.id, 'posted ' || wallet.posted_micros || ', transfers ' || coalesce(sums.total, 0)
          FROM ledger_account AS wallet
          LEFT JOIN (SELECT act.wallet_id, sum(SIGNED) AS total
                       FROM ledger_transfer AS moved JOIN ledger_transaction AS act ON act.id = moved.transaction_id
                      GROUP BY act.wallet_id) AS sums ON sums.wallet_id = wallet.id
         WHERE wallet.kind = 'wallet' AND wallet.posted_micros <> coalesce(sums.total, 0)
        """,
    ),
    Law(
        "I2",
        "A wallet's held credits are the sum of its open holds, and a grant's are what those have allocated of it.",
        """
        SELECT wallet.id, 'held ' || wallet.held_micros || ', open holds ' || coalesce(sums.total, 0)
          FROM ledger_account AS wallet
          LEFT JOIN (SELECT wallet_id, sum(amount_micros) AS total FROM ledger_hold WHERE state = 'open'
                      GROUP BY wallet_id) AS sums ON sums.wallet_id = wallet.id
         WHERE wallet.kind = 'wallet' AND wallet.held_micros <> coalesce(sums.total, 0)
         UNION ALL
        SELECT lot.id, 'grant holds ' || lot.held_micros || ', allocated ' || coalesce(sums.total, 0)
          FROM ledger_grant AS lot
          LEFT JOIN (SELECT share.grant_id, sum(share.amount_micros) AS total
                       FROM ledger_hold_allocation AS share JOIN ledger_hold AS hold ON hold.id = share.hold_id
                      WHERE hold.state = 'open'
                      GROUP BY share.grant_id) AS sums ON sums.grant_id = lot.id
         WHERE lot.held_micros <> coalesce(sums.total, 0)
        """,
    ),
    Law(
        "I3",
        "Held is between 0 and posted; a wallet with less is flagged as overdrawn, with its reason, and no other is.",
        """
        SELECT id, 'posted ' || posted_micros || ', held ' || held_micros || ', reason ' || overdrawn_reason
          FROM ledger_account
         WHERE kind = 'wallet'
           AND (held_micros < 0 OR (posted_micros < held_micros) <> is_overdrawn
                OR is_overdrawn <> (overdrawn_reason <> ''))
        """,
    ),
    Law(
        "I4",
        "Every transfer has its transaction's wallet at one end and one of the house's accounts at the other; "
        "the transfers of a transaction sum to its amount.",
        """
        SELECT moved.transaction_id, 'transfer ' || moved.position || ' does not join the wallet and the house'
          FROM ledger_transfer AS moved JOIN ledger_transaction AS act ON act.id = moved.transaction_id
         WHERE act.wallet_id NOT IN (moved.debit_account_id, moved.credit_account_id)
            OR NOT EXISTS (SELECT 1 FROM ledger_account AS house
                            WHERE house.kind = 'house'
                              AND house.id IN (moved.debit_account_id, moved.credit_account_id))
         UNION ALL
        SELECT act.id, 'amount ' || act.amount_micros || ', transfers ' || coalesce(sum(SIGNED), 0)
          FROM ledger_transaction AS act LEFT JOIN ledger_transfer AS moved ON moved.transaction_id = act.id
         GROUP BY act.id, act.amount_micros
        HAVING act.amount_micros <> coalesce(sum(SIGNED), 0)
        """,
    ),
    Law(
        "I5",
        "What is written is never changed: the triggers that refuse it are in place.",
        """
        SELECT wanted.id, 'trigger ' || wanted.guard || ' is missing'
          FROM (SELECT 'ledger_transaction' AS id, 'ledger_transaction_no_update' AS guard
                UNION ALL SELECT 'ledger_transaction', 'ledger_transaction_no_delete'
                UNION ALL SELECT 'ledger_transfer', 'ledger_transfer_no_update'
                UNION ALL SELECT 'ledger_transfer', 'ledger_transfer_no_delete'
                UNION ALL SELECT 'ledger_hold_allocation', 'ledger_hold_allocation_no_update'
                UNION ALL SELECT 'ledger_hold_allocation', 'ledger_hold_allocation_no_delete'
                UNION ALL SELECT 'ledger_house_transfer', 'ledger_house_transfer_no_update'
                UNION ALL SELECT 'ledger_house_transfer', 'ledger_house_transfer_no_delete') AS wanted
         WHERE NOT EXISTS (SELECT 1 FROM sqlite_master
                            WHERE type = 'trigger' AND name = wanted.guard AND tbl_name = wanted.id)
        """,
        postgresql="""
        SELECT wanted.id, 'trigger ' || wanted.guard || ' is missing or off'
          FROM (SELECT 'ledger_transaction' AS id, 'ledger_transaction_append_only' AS guard
                UNION ALL SELECT 'ledger_transaction', 'ledger_transaction_no_truncate'
                UNION ALL SELECT 'ledger_transfer', 'ledger_transfer_append_only'
                UNION ALL SELECT 'ledger_transfer', 'ledger_transfer_no_truncate'
                UNION ALL SELECT 'ledger_hold_allocation', 'ledger_hold_allocation_append_only'
                UNION ALL SELECT 'ledger_hold_allocation', 'ledger_hold_allocation_no_truncate'
                UNION ALL SELECT 'ledger_house_transfer', 'ledger_house_transfer_append_only'
                UNION ALL SELECT 'ledger_house_transfer', 'ledger_house_transfer_no_truncate') AS wanted
         WHERE NOT EXISTS (SELECT 1 FROM pg_trigger
                            WHERE tgname = wanted.guard AND tgrelid = wanted.id::regclass AND tgenabled <> 'D')
        """,
    ),
    Law(
        "I6",
        "A key made at most one transaction of its kind, and at most one hold, in its wallet.",
        """
        SELECT wallet_id, kind || ' key used ' || count(*) || ' times'
          FROM ledger_transaction GROUP BY wallet_id, kind, idempotency_key HAVING count(*) > 1
         UNION ALL
        SELECT wallet_id, 'hold key used ' || count(*) || ' times'
          FROM ledger_hold GROUP BY wallet_id, idempotency_key HAVING count(*) > 1
        """,
    ),
    Law(
        "I7",
        "A payment was turned into credits at most once.",
        """
        SELECT min(CAST(id AS TEXT)), payment || ' granted ' || count(*) || ' times'
          FROM ledger_transaction WHERE payment IS NOT NULL GROUP BY payment HAVING count(*) > 1
         UNION ALL
        SELECT CAST(id AS TEXT), 'a payment on a ' || kind
          FROM ledger_transaction WHERE payment IS NOT NULL AND kind <> 'grant'
        """,
    ),
    Law(
        "I8",
        "A hold captures at most what it holds, has allocated exactly that, and has ended if it captured anything.",
        """
        SELECT hold.id, 'amount ' || hold.amount_micros || ', captured ' || hold.captured_micros
               || ', allocated ' || coalesce(sum(share.amount_micros), 0) || ', ' || hold.state
          FROM ledger_hold AS hold LEFT JOIN ledger_hold_allocation AS share ON share.hold_id = hold.id
         GROUP BY hold.id, hold.amount_micros, hold.captured_micros, hold.state, hold.ended_at
        HAVING hold.captured_micros NOT BETWEEN 0 AND hold.amount_micros
            OR hold.amount_micros <> coalesce(sum(share.amount_micros), 0)
            OR (hold.state = 'open') <> (hold.ended_at IS NULL)
            OR (hold.captured_micros > 0 AND hold.state NOT IN ('captured', 'expired'))
        """,
    ),
    Law(
        "I9",
        "An ended hold has exactly one settlement (0 is one too) of its kind, an open one has none.",
        """
        SELECT hold.id, hold.state || ' with ' || count(act.id) || ' settlements'
          FROM ledger_hold AS hold LEFT JOIN ledger_transaction AS act ON act.hold_id = hold.id
         GROUP BY hold.id, hold.state
        HAVING count(act.id) <> CASE WHEN hold.state = 'open' THEN 0 ELSE 1 END
            OR min(act.kind) <> CASE hold.state WHEN 'captured' THEN 'capture' WHEN 'released' THEN 'release'
                                                WHEN 'expired' THEN 'hold_expiry' ELSE '' END
        """,
    ),
    Law(
        "I10",
        "A wallet's transactions form a gap-free chain: versions 1, 2, …, each balance the one before plus the amount.",
        """
        SELECT id, 'version ' || version || ' after ' || version_before || ', balance ' || posted_after_micros
          FROM (SELECT id, version, posted_after_micros, amount_micros,
                       coalesce(lag(version) OVER chain, 0) AS version_before,
                       coalesce(lag(posted_after_micros) OVER chain, 0) AS posted_before
                  FROM ledger_transaction WINDOW chain AS (PARTITION BY wallet_id ORDER BY version)) AS links
         WHERE version <> version_before + 1 OR posted_after_micros <> posted_before + amount_micros
         UNION ALL
        SELECT wallet.id, 'wallet at version ' || wallet.version || ', chain at ' || coalesce(max(act.version), 0)
          FROM ledger_account AS wallet LEFT JOIN ledger_transaction AS act ON act.wallet_id = wallet.id
         WHERE wallet.kind = 'wallet'
         GROUP BY wallet.id, wallet.version
        HAVING wallet.version <> coalesce(max(act.version), 0)
        """,
    ),
)
