"""The hot path on PostgreSQL: spend, hold and settle, each one statement and one round trip.

How they decide: all they must know stands on the wallet's own row (the head grant, what of it is free, the next
expiry), so the guarded UPDATE, which waits for the row's lock and looks again at its newest version, is right however
many clients wait for it. Everything that reads another row reads the statement's snapshot, which may be old by then.
Three things can therefore be lost while waiting: the idempotency key (somebody else used it), the hold (somebody else
ended it), the head grant (it is younger than the snapshot, or had nothing free in it). Each shows as a missing row
behind an updated wallet; the caller then puts the wallet back (UNDO_…; it owns the lock) and takes the way through
`book.py`. PostgreSQL tries a row's CHECKs on the snapshot's version before it looks for a newer one, so every UPDATE
here repeats in its WHERE what the CHECKs demand: a stale row must be passed over, not raise.
No row at all means that this path does not fit: too little, several grants, an expiry due, a repeated settlement.

A hold and a settlement also tell who watches their wallet (`signals.py` puts the columns in): most wallets concern
nobody, and another round trip to learn that is a tenth of what a call costs.

Why no savepoint: two more round trips for each spend. Why no function: not faster (reference/performance.md, 3).
"""

from __future__ import annotations

from tokenboard.ledger.driver import Sql

SPEND = Sql("""
WITH replay AS (               -- the key was used before: show what it did then
    SELECT id, input_hash, posted_after_micros, held_after_micros, amount_micros
      FROM ledger_transaction
     WHERE wallet_id = :wallet_id AND kind = :kind AND idempotency_key = :key
), wallet AS (                 -- the guard: nothing below happens unless this finds its row
    UPDATE ledger_account
       SET posted_micros = posted_micros - :amount,
           head_available_micros = head_available_micros - :amount,
           version = version + 1
     WHERE id = :wallet_id
       AND posted_micros - held_micros >= :amount
       AND head_available_micros >= :amount
       AND (next_grant_expiry_at IS NULL OR next_grant_expiry_at > :at)
       AND NOT is_overdrawn AND archived_at IS NULL
       AND NOT EXISTS (SELECT FROM replay)
 RETURNING id, posted_micros, held_micros, version, head_grant_id
), lot AS (                    -- the grant that pays; its row is only ever written under the wallet's lock
    UPDATE ledger_grant
       SET remaining_micros = remaining_micros - :amount
      FROM wallet
     WHERE ledger_grant.id = wallet.head_grant_id
       AND ledger_grant.remaining_micros - ledger_grant.held_micros >= :amount
 RETURNING ledger_grant.id
), posting AS (                -- waits for another user of the key, then writes nothing
    INSERT INTO ledger_transaction (id, wallet_id, version, kind, idempotency_key, input_hash, amount_micros,
                                    posted_after_micros, held_after_micros, description, source, created_at)
    SELECT :id::uuid, wallet.id, version, :kind, :key, :input_hash, -(:amount::bigint),
           posted_micros, held_micros, :description, :source, :at
      FROM wallet, lot
        ON CONFLICT (wallet_id, kind, idempotency_key) DO NOTHING
 RETURNING id
), movement AS (
    INSERT INTO ledger_transfer (transaction_id, position, debit_account_id, credit_account_id, amount_micros, grant_id)
    SELECT posting.id, 1, wallet.id, :house_id::uuid, :amount, wallet.head_grant_id
      FROM wallet, posting
)
SELECT posting.id, NULL AS input_hash, wallet.posted_micros, wallet.held_micros, -(:amount::bigint), lot.id AS lot_id
  FROM wallet LEFT JOIN lot ON true LEFT JOIN posting ON true
 UNION ALL
SELECT id, input_hash, posted_after_micros, held_after_micros, amount_micros, NULL
  FROM replay
""")

HOLD = Sql("""
WITH replay AS (               -- the key was used before: show the hold it made
    SELECT id, input_hash, posted_after_micros, held_after_micros, expires_at
      FROM ledger_hold
     WHERE wallet_id = :wallet_id AND idempotency_key = :key
), wallet AS (                 -- the guard, as for a spend; posted credits stay, held ones grow
    UPDATE ledger_account
       SET held_micros = held_micros + :amount,
           head_available_micros = head_available_micros - :amount
     WHERE id = :wallet_id
       AND posted_micros - held_micros >= :amount
       AND head_available_micros >= :amount
       AND (next_grant_expiry_at IS NULL OR next_grant_expiry_at > :at)
       AND NOT is_overdrawn AND archived_at IS NULL
       AND NOT EXISTS (SELECT FROM replay)
 RETURNING id, posted_micros, held_micros, head_grant_id
), lot AS (                    -- the grant is reserved by name: what is allocated survives the grant's expiry
    UPDATE ledger_grant
       SET held_micros = ledger_grant.held_micros + :amount
      FROM wallet
     WHERE ledger_grant.id = wallet.head_grant_id
       AND ledger_grant.remaining_micros - ledger_grant.held_micros >= :amount
 RETURNING ledger_grant.id
), hold AS (
    INSERT INTO ledger_hold (id, wallet_id, idempotency_key, input_hash, amount_micros, captured_micros, state,
                             description, source, posted_after_micros, held_after_micros, expires_at, created_at)
    SELECT :id::uuid, wallet.id, :key, :input_hash, :amount, 0, 'open',
           :description, :source, posted_micros, held_micros, :expires_at, :at
      FROM wallet, lot
        ON CONFLICT (wallet_id, idempotency_key) DO NOTHING
 RETURNING id
), allocation AS (
    INSERT INTO ledger_hold_allocation (hold_id, position, grant_id, amount_micros)
    SELECT hold.id, 1, wallet.head_grant_id, :amount
      FROM wallet, hold
)
SELECT hold.id, NULL AS input_hash, wallet.posted_micros, wallet.held_micros, :expires_at::timestamptz, lot.id AS lot_id
       /* watched by :wallet_id */
  FROM wallet LEFT JOIN lot ON true LEFT JOIN hold ON true
 UNION ALL
SELECT id, input_hash, posted_after_micros, held_after_micros, expires_at, NULL
       /* not watched */
  FROM replay
""")

# Captures or releases a hold that one grant carries. What it frees must go straight back to the head grant:
# another grant, an expired one, or a debt that waits for fresh credits is for the book to settle.
SETTLE = Sql("""
WITH found AS (                -- a second allocation, if there is one, has position 2
    SELECT hold.id, hold.wallet_id, hold.amount_micros, first.grant_id
      FROM ledger_hold AS hold
      JOIN ledger_hold_allocation AS first ON first.hold_id = hold.id AND first.position = 1
     WHERE hold.id = :hold_id AND hold.state = 'open'
       AND hold.amount_micros = first.amount_micros AND hold.amount_micros >= :captured
), wallet AS (                 -- the account first, then the hold: the same order of locks as everywhere
    UPDATE ledger_account
       SET posted_micros = posted_micros - :captured,
           held_micros = ledger_account.held_micros - found.amount_micros,
           head_available_micros = head_available_micros + found.amount_micros - :captured,
           version = version + 1
      FROM found
     WHERE ledger_account.id = found.wallet_id
       AND held_micros >= found.amount_micros  -- else it has ended while we waited
       AND (found.amount_micros = :captured
            OR (head_grant_id = found.grant_id AND NOT is_overdrawn
                AND (next_grant_expiry_at IS NULL OR next_grant_expiry_at > :at)))
 RETURNING ledger_account.id, posted_micros, held_micros, version, found.amount_micros, found.grant_id
), ended AS (                  -- no row: somebody else ended it while we waited
    UPDATE ledger_hold
       SET state = :state, captured_micros = :captured, ended_at = :at
      FROM wallet
     WHERE ledger_hold.id = :hold_id AND ledger_hold.state = 'open'
 RETURNING ledger_hold.id
), posting AS (                -- the hold's id is the key: one settlement for each
    INSERT INTO ledger_transaction (id, wallet_id, version, kind, idempotency_key, input_hash, amount_micros,
                                    posted_after_micros, held_after_micros, description, source, hold_id, created_at)
    SELECT :id::uuid, wallet.id, wallet.version, :kind, :key, :input_hash, -(:captured::bigint),
           wallet.posted_micros, wallet.held_micros, :description, :source, ended.id, :at
      FROM wallet, ended
 RETURNING id
), lot AS (
    UPDATE ledger_grant
       SET remaining_micros = remaining_micros - :captured,
           held_micros = ledger_grant.held_micros - wallet.amount_micros
      FROM wallet, posting
     WHERE ledger_grant.id = wallet.grant_id
), movement AS (               -- a capture of nothing is a transaction without transfers
    INSERT INTO ledger_transfer (transaction_id, position, debit_account_id, credit_account_id, amount_micros, grant_id)
    SELECT posting.id, 1, wallet.id, :house_id::uuid, :captured, wallet.grant_id
      FROM wallet, posting
     WHERE :captured::bigint > 0
)
SELECT posting.id, wallet.id, wallet.posted_micros, wallet.held_micros, wallet.amount_micros
       /* watched by wallet.id */
  FROM wallet LEFT JOIN posting ON true
""")

# Puts back what a statement above took before it lost its race; `head_grant_id` cannot have moved since.
UNDO_WALLET = Sql("""
UPDATE ledger_account
   SET posted_micros = posted_micros + :posted,
       held_micros = held_micros + :held,
       head_available_micros = head_available_micros + :head,
       version = version - :versions
 WHERE id = :wallet_id
""")

UNDO_LOT = Sql("""
UPDATE ledger_grant
   SET remaining_micros = remaining_micros + :posted,
       held_micros = held_micros + :held
 WHERE id = :lot_id
""")
