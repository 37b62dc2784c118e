"""The laws between usage, calls and the ledger: M1 to M5, run with the ledger's own by the books page and the tests."""

from __future__ import annotations

from tokenboard.ledger.invariants import Offender, offenders
from tokenboard.ledger.laws import Law

METERING_LAWS: tuple[Law, ...] = (
    Law(
        "M1",
        "What usage records say was paid is what their ledger entries took, record by record and together.",
        """
        SELECT CAST(record.id AS TEXT), 'record ' || record.credits_micros
               || ', entry ' || coalesce(-act.amount_micros, 0)
          FROM usage_record AS record LEFT JOIN ledger_transaction AS act ON act.id = record.transaction_id
         WHERE record.credits_micros <> coalesce(-act.amount_micros, 0)
         UNION ALL
        SELECT min(CAST(record.id AS TEXT)), 'entry ' || record.transaction_id || ' has ' || count(*) || ' records'
          FROM usage_record AS record WHERE record.transaction_id IS NOT NULL
         GROUP BY record.transaction_id HAVING count(*) > 1
        """,
    ),
    Law(
        "M2",
        "Every entry of a metered call has its usage record.",
        """
        SELECT CAST(act.id AS TEXT), act.source || ' took ' || -act.amount_micros || ' without a record'
          FROM ledger_transaction AS act
         WHERE act.kind = 'capture' AND act.source LIKE 'metering:%%'
           AND NOT EXISTS (SELECT 1 FROM usage_record AS record WHERE record.transaction_id = act.id)
        """,
    ),
    Law(
        "M3",
        "An open call has an open hold of its amount, a settled one has none.",
        """
        SELECT CAST(call.id AS TEXT), call.state || ' holds ' || call.held_micros || ', its hold is '
               || coalesce(hold.state || ' for ' || hold.amount_micros, 'missing')
          FROM metered_call AS call LEFT JOIN ledger_hold AS hold ON hold.id = call.hold_id
         WHERE call.hold_id IS NOT NULL
           AND (hold.id IS NULL OR (call.state = 'open') <> (hold.state = 'open')
                OR hold.amount_micros <> call.held_micros)
        """,
    ),
    Law(
        "M4",
        "What the house absorbed for calls is what its records say.",
        """
        SELECT CAST(record.id AS TEXT), 'absorbed ' || record.absorbed_micros || ', booked '
               || coalesce(moved.amount_micros, 0)
          FROM usage_record AS record
          LEFT JOIN ledger_house_transfer AS moved
            ON moved.kind = 'absorption' AND moved.idempotency_key = record.dedupe_key
         WHERE record.absorbed_micros <> coalesce(moved.amount_micros, 0)
        """,
    ),
    Law(
        "M5",
        "A window of a cap holds what its open calls hold, and has spent at least what its settled calls cost.",
        """
        SELECT CAST(cap.subject_id AS TEXT), cap.kind || ' ' || cap.month || ' holds ' || cap.held_micros || ', calls '
               || coalesce(sums.held, 0) || ', spent ' || cap.spent_micros || ', calls ' || coalesce(sums.spent, 0)
          FROM cap_window AS cap
          LEFT JOIN (SELECT kind, subject_id, month, sum(held) AS held, sum(spent) AS spent
                       FROM (SELECT 'person' AS kind, call.person_id AS subject_id, call.cap_month AS month,
                                    CASE WHEN call.state = 'open' THEN call.held_micros ELSE 0 END AS held,
                                    coalesce(record.credits_micros, 0) AS spent
                               FROM metered_call AS call
                               LEFT JOIN usage_record AS record ON record.call_id = call.id
                              UNION ALL
                             SELECT 'member', call.membership_id, call.cap_month,
                                    CASE WHEN call.state = 'open' THEN call.held_micros ELSE 0 END,
                                    coalesce(record.credits_micros, 0)
                               FROM metered_call AS call
                               LEFT JOIN usage_record AS record ON record.call_id = call.id
                              UNION ALL
                             SELECT 'key', call.key_id, call.key_window,
                                    CASE WHEN call.state = 'open' THEN call.held_micros ELSE 0 END,
                                    coalesce(record.credits_micros, 0)
                               FROM metered_call AS call
                               LEFT JOIN usage_record AS record ON record.call_id = call.id) AS each_call
                      GROUP BY kind, subject_id, month) AS sums
            ON sums.kind = cap.kind AND sums.subject_id = cap.subject_id AND sums.month = cap.month
         WHERE cap.held_micros <> coalesce(sums.held, 0) OR cap.spent_micros < coalesce(sums.spent, 0)
        """,
    ),
)


def check(*, limit: int = 100) -> list[Offender]:
    """Run them all; an honest house answers nothing."""
    return [offender for law in METERING_LAWS for offender in offenders(law, limit=limit)]
