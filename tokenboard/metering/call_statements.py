"""What is said to PostgreSQL for every call: four statements of ours, beside the ledger's hold and capture.

    BEGIN  OPENING  the hold  OPEN  COMMIT  …  BEGIN  ENDING  the capture  ENDED  COMMIT

Laws: locks in one order: call, caps (key, member, person: as their names sort), wallet, roll-ups. A statement sees rows
as they were when it began, so what must be known as it is once a lock is ours is asked by a later statement.
Said one by one they were eighteen, and took half of a stream's processor time (docs/metering.md, "Figures").
"""

from __future__ import annotations

from tokenboard.core.direct import Direct
from tokenboard.metering.usage_bulk import counted
from tokenboard.metering.usage_columns import RECORD

# What `calls.py` and a settlement know of a call's row.
CALL = (
    *("id", "workspace_id", "wallet_id", "person_id", "membership_id", "cap_month", "key_window", "source", "model"),
    *("price_id", "markup", "key_id", "conversation_id", "message_id", "is_background", "keeps_text", "state"),
    *("hold_id", "held_micros", "prompt_bytes", "prompt_tokens_bound", "max_output_tokens", "recorded_chars"),
    *("recorded_bytes", "lease_until", "first_piece_at", "started_at"),
)
# What a new row says for itself; the rest has nothing in it yet.
NEW = (
    *("id", "workspace_id", "wallet_id", "person_id", "membership_id", "cap_month", "key_window", "source", "model"),
    *("price_id", "markup", "key_id", "conversation_id", "message_id", "is_background", "keeps_text", "state"),
    *("hold_id", "held_micros", "prompt_bytes", "prompt_tokens_bound", "max_output_tokens", "is_shortened"),
    *("lease_token", "lease_until", "started_at"),
)
_EMPTY = {"recorded_chars": "0", "recorded_bytes": "0", "watermark_micros": "0", "outcome": "''", "error_code": "''"}

# The current price; a person's limits; the windows of the caps, made and locked; the calls open; what the wallet has.
OPENING = Direct("""
WITH offered AS (
    SELECT id, is_offered FROM model_price WHERE model = :model AND replaced_at IS NULL
), person_here AS (
    SELECT person.id, person.monthly_budget_cents, membership.id AS membership_id, membership.monthly_cap_cents
      FROM person LEFT JOIN membership ON membership.person_id = person.id AND membership.workspace_id = :workspace_id
     WHERE person.id = :person_id
), subjects (kind, subject_id, month) AS (
    SELECT 'key', :key_id::uuid, :key_window::varchar WHERE :key_id::uuid IS NOT NULL
     UNION ALL SELECT 'member', membership_id, :month::varchar FROM person_here WHERE membership_id IS NOT NULL
     UNION ALL SELECT 'person', id, :month::varchar FROM person_here
), locked AS (
    INSERT INTO cap_window (kind, subject_id, month, spent_micros, held_micros)
    SELECT kind, subject_id, month, 0, 0 FROM subjects ORDER BY kind
        ON CONFLICT (kind, subject_id, month) DO UPDATE SET held_micros = cap_window.held_micros
 RETURNING kind, spent_micros + held_micros AS used_micros
)
SELECT offered.id, offered.is_offered,
       person_here.id, person_here.monthly_budget_cents, person_here.membership_id, person_here.monthly_cap_cents,
       (SELECT used_micros FROM locked WHERE kind = 'key'),
       (SELECT used_micros FROM locked WHERE kind = 'member'),
       (SELECT used_micros FROM locked WHERE kind = 'person'),
       (SELECT count(*) FROM metered_call WHERE person_id = :person_id AND state = 'open'),
       (SELECT posted_micros - held_micros FROM ledger_account WHERE id = :wallet_id)
  FROM (SELECT) AS one LEFT JOIN offered ON true LEFT JOIN person_here ON true
""")

# Holds in the windows, whose guard says again what was decided, and writes the call; how many were open beside it.
OPEN = Direct(f"""
WITH reserved AS (
    UPDATE cap_window AS one SET held_micros = one.held_micros + :held_micros
      FROM (VALUES ('key', :key_id::uuid, :key_window::varchar, :key_most::bigint),
                   ('member', :membership_id::uuid, :cap_month::varchar, :member_most::bigint),
                   ('person', :person_id::uuid, :cap_month::varchar, :person_most::bigint)
           ) AS told (kind, subject_id, month, most)
     WHERE one.kind = told.kind AND one.subject_id = told.subject_id AND one.month = told.month
       AND (told.most IS NULL OR :held_micros = 0 OR one.spent_micros + one.held_micros + :held_micros <= told.most)
 RETURNING one.kind
), opened AS (
    INSERT INTO metered_call ({", ".join((*NEW, *_EMPTY))})
    VALUES ({", ".join((*(f":{name}" for name in NEW), *_EMPTY.values()))})
)
SELECT (SELECT count(*) FROM reserved),
       (SELECT count(*) FROM metered_call WHERE person_id = :person_id AND state = 'open')
""")  # noqa: S608 - nothing but names of our own columns

# The call's row, then the windows that hold for it, locked.
ENDING = Direct(f"""
WITH call AS (
    SELECT {", ".join(CALL)} FROM metered_call WHERE id = :call_id FOR UPDATE
), locked AS (
    SELECT one.kind
      FROM call
     CROSS JOIN LATERAL (VALUES ('key', call.key_id, call.key_window),
                                ('member', call.membership_id, call.cap_month),
                                ('person', call.person_id, call.cap_month)) AS told (kind, subject_id, month)
      JOIN cap_window AS one ON one.kind = told.kind AND one.subject_id = told.subject_id AND one.month = told.month
     WHERE call.state = 'open'
     ORDER BY one.kind FOR UPDATE OF one
)
SELECT call.*, (SELECT count(*) FROM locked) FROM call
""")  # noqa: S608 - nothing but names of our own columns

# What the windows held becomes what was spent; the record, both roll-ups, the call's end. Which windows had held it.
ENDED = Direct(f"""
WITH {counted(f"VALUES ({', '.join(f':{name}' for name in RECORD)})")}, moved AS (
    UPDATE cap_window AS one
       SET spent_micros = one.spent_micros + :credits_micros, held_micros = one.held_micros - :held_micros
      FROM (VALUES ('key', :key_id::uuid, :key_window::varchar),
                   ('member', :membership_id::uuid, :cap_month::varchar),
                   ('person', :person_id::uuid, :cap_month::varchar)) AS told (kind, subject_id, month)
     WHERE one.kind = told.kind AND one.subject_id = told.subject_id AND one.month = told.month
       AND one.held_micros >= :held_micros
 RETURNING one.kind
), closed AS (
    UPDATE metered_call
       SET state = 'settled', settled_at = :occurred_at, transaction_id = :transaction_id, outcome = :status,
           error_code = :error_code, first_piece_at = :first_piece_at
     WHERE id = :call_id
)
SELECT (SELECT string_agg(kind, ' ') FROM moved)
""")  # noqa: S608 - nothing but names of our own columns
