"""The hot path on SQLite: the same guarded UPDATE, then the rows that follow from it.

The transaction has begun IMMEDIATE (core/db.py), so nobody else writes between two statements, and a statement is a
function call and no round trip. The key is looked up inside the guard. No row means, as on PostgreSQL, that this path
does not fit.
"""

from __future__ import annotations

from tokenboard.ledger.driver import Sql

SPEND_GUARD = Sql("""
UPDATE ledger_account
   SET posted_micros = posted_micros - :amount,
       head_available_micros = head_available_micros - :amount,
       version = version + 1
 WHERE id = :wallet_id
   AND posted_micros - held_micros >= :amount
   AND head_available_micros >= :amount
   AND (next_grant_expiry_at IS NULL OR next_grant_expiry_at > :at)
   AND NOT is_overdrawn AND archived_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM ledger_transaction
                    WHERE wallet_id = :wallet_id AND kind = :kind AND idempotency_key = :key)
RETURNING posted_micros, held_micros, version, head_grant_id
""")

HOLD_GUARD = Sql("""
UPDATE ledger_account
   SET held_micros = held_micros + :amount,
       head_available_micros = head_available_micros - :amount
 WHERE id = :wallet_id
   AND posted_micros - held_micros >= :amount
   AND head_available_micros >= :amount
   AND (next_grant_expiry_at IS NULL OR next_grant_expiry_at > :at)
   AND NOT is_overdrawn AND archived_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM ledger_hold WHERE wallet_id = :wallet_id AND idempotency_key = :key)
RETURNING posted_micros, held_micros, version, head_grant_id
""")

# Captures or releases a hold that one grant carries; what it frees must go straight back to the head grant.
SETTLE_FIND = Sql("""
SELECT hold.wallet_id, hold.amount_micros, first.grant_id
  FROM ledger_hold AS hold
  JOIN ledger_hold_allocation AS first ON first.hold_id = hold.id AND first.position = 1
 WHERE hold.id = :hold_id AND hold.state = 'open'
   AND hold.amount_micros = first.amount_micros AND hold.amount_micros >= :captured
""")

SETTLE_GUARD = Sql("""
UPDATE ledger_account
   SET posted_micros = posted_micros - :captured,
       held_micros = held_micros - :amount,
       head_available_micros = head_available_micros + :amount - :captured,
       version = version + 1
 WHERE id = :wallet_id
   AND (:amount = :captured
        OR (head_grant_id = :grant_id AND NOT is_overdrawn
            AND (next_grant_expiry_at IS NULL OR next_grant_expiry_at > :at)))
RETURNING posted_micros, held_micros, version, head_grant_id
""")

END_HOLD = Sql("UPDATE ledger_hold SET state = :state, captured_micros = :captured, ended_at = :at WHERE id = :hold_id")

CHANGE_LOT = Sql("""
UPDATE ledger_grant
   SET remaining_micros = remaining_micros - :spent, held_micros = held_micros + :held
 WHERE id = :grant_id
""")

POST = Sql("""
INSERT INTO ledger_transaction (id, wallet_id, version, kind, idempotency_key, input_hash, amount_micros,
                                posted_after_micros, held_after_micros, description, source, hold_id, created_at)
VALUES (:id, :wallet_id, :version, :kind, :key, :input_hash, :amount,
        :posted, :held, :description, :source, :hold_id, :at)
""")

MOVE = Sql("""
INSERT INTO ledger_transfer (transaction_id, position, debit_account_id, credit_account_id, amount_micros, grant_id)
VALUES (:id, 1, :debit_id, :credit_id, :amount, :grant_id)
""")
