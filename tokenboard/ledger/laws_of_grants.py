"""The laws of grants and debts, and of what must not wait: I11 to I18."""

from __future__ import annotations

from tokenboard.ledger.laws import Law

GRANT_LAWS: tuple[Law, ...] = (
    Law(
        "I11",
        "What clawbacks took of a grant, their undoings subtracted, stands on the grant and is at most what was given.",
        """
        SELECT lot.id, 'clawed back ' || lot.clawed_back_micros || ' of ' || lot.amount_micros
               || ', transactions ' || coalesce(sums.total, 0)
          FROM ledger_grant AS lot
          LEFT JOIN (SELECT act.grant_id, -sum(act.amount_micros) AS total
                       FROM ledger_transaction AS act WHERE act.kind IN ('clawback', 'restoration')
                      GROUP BY act.grant_id) AS sums ON sums.grant_id = lot.id
         WHERE lot.clawed_back_micros <> coalesce(sums.total, 0)
            OR lot.clawed_back_micros NOT BETWEEN 0 AND lot.amount_micros
        """,
    ),
    Law(
        "I12",
        "A grant was filled once for exactly its amount when it was made; one with a payment came from sales.",
        """
        SELECT lot.id, 'amount ' || lot.amount_micros || ', first filled with ' || coalesce(filled.amount_micros, 0)
          FROM ledger_grant AS lot
          LEFT JOIN (SELECT moved.grant_id, moved.amount_micros, act.kind,
                            row_number() OVER (PARTITION BY moved.grant_id ORDER BY act.version, moved.position) AS nth
                       FROM ledger_transfer AS moved JOIN ledger_transaction AS act ON act.id = moved.transaction_id
                      WHERE moved.credit_account_id = act.wallet_id AND moved.grant_id IS NOT NULL) AS filled
            ON filled.grant_id = lot.id AND filled.nth = 1
         WHERE coalesce(filled.amount_micros, 0) <> lot.amount_micros
            OR (filled.kind = 'grant') <> (lot.restores_grant_id IS NULL)
         UNION ALL
        SELECT act.id, 'a payment, but not from sales'
          FROM ledger_transaction AS act JOIN ledger_transfer AS moved ON moved.transaction_id = act.id
          LEFT JOIN ledger_account AS house ON house.id = moved.debit_account_id
         WHERE act.kind = 'grant' AND act.payment IS NOT NULL AND coalesce(house.name, '') NOT LIKE 'sales:%%'
        """,
    ),
    Law(
        "I13",
        "What a hold captured is what its settlement took.",
        """
        SELECT hold.id, 'captured ' || hold.captured_micros || ', settled ' || -act.amount_micros
          FROM ledger_hold AS hold JOIN ledger_transaction AS act ON act.hold_id = hold.id
         WHERE hold.captured_micros <> -act.amount_micros OR hold.wallet_id <> act.wallet_id
        """,
    ),
    Law(
        "I14",
        "Nothing waits past its time: no open hold and no free credits of an expired grant, 60 seconds after.",
        """
        SELECT id, 'open since ' || created_at || ', lease over at ' || expires_at
          FROM ledger_hold WHERE state = 'open' AND expires_at < :due
         UNION ALL
        SELECT id, 'expired at ' || expires_at || ' with ' || (remaining_micros - held_micros) || ' free'
          FROM ledger_grant WHERE is_open AND expires_at < :due AND remaining_micros > held_micros
        """,
    ),
    Law(
        "I15",
        "What remains of a grant, and what has expired of it, is what its transfers say.",
        """
        SELECT lot.id, 'remaining ' || lot.remaining_micros || ', transfers ' || coalesce(sums.total, 0)
               || ', expired ' || lot.expired_micros || ', expiries ' || coalesce(sums.expired, 0)
          FROM ledger_grant AS lot
          LEFT JOIN (SELECT moved.grant_id, sum(SIGNED) AS total,
                            sum(CASE WHEN act.kind = 'expiry' THEN moved.amount_micros ELSE 0 END) AS expired
                       FROM ledger_transfer AS moved JOIN ledger_transaction AS act ON act.id = moved.transaction_id
                      GROUP BY moved.grant_id) AS sums ON sums.grant_id = lot.id
         WHERE lot.remaining_micros <> coalesce(sums.total, 0) OR lot.expired_micros <> coalesce(sums.expired, 0)
         UNION ALL
        SELECT moved.transaction_id, 'transfer ' || moved.position || ' names a grant of no or another wallet'
          FROM ledger_transfer AS moved JOIN ledger_transaction AS act ON act.id = moved.transaction_id
          LEFT JOIN ledger_grant AS lot ON lot.id = moved.grant_id AND lot.wallet_id = act.wallet_id
         WHERE moved.grant_id IS NOT NULL AND lot.id IS NULL
        """,
    ),
    Law(
        "I16",
        "Posted credits are what remains of the grants minus what is owed; debts are what their transfers say, "
        "come from clawbacks and late usage only, and never stand beside free credits.",
        """
        SELECT wallet.id, 'posted ' || wallet.posted_micros || ', grants ' || coalesce(lots.remaining, 0)
               || ' of which free ' || coalesce(lots.free, 0) || ', owed ' || coalesce(debts.owed, 0)
          FROM ledger_account AS wallet
          LEFT JOIN (SELECT wallet_id, sum(remaining_micros) AS remaining, sum(remaining_micros - held_micros) AS free
                       FROM ledger_grant GROUP BY wallet_id) AS lots ON lots.wallet_id = wallet.id
          LEFT JOIN (SELECT wallet_id, sum(owed_micros) AS owed FROM ledger_debt GROUP BY wallet_id) AS debts
            ON debts.wallet_id = wallet.id
         WHERE wallet.kind = 'wallet'
           AND (wallet.posted_micros <> coalesce(lots.remaining, 0) - coalesce(debts.owed, 0)
                OR (coalesce(debts.owed, 0) > 0 AND coalesce(lots.free, 0) > 0))
         UNION ALL
        SELECT debt.transaction_id, 'owed ' || debt.owed_micros || ', transfers ' || coalesce(sums.total, 0)
               || ', caused by a ' || cause.kind
          FROM ledger_debt AS debt JOIN ledger_transaction AS cause ON cause.id = debt.transaction_id
          LEFT JOIN (SELECT moved.debt_id, -sum(SIGNED) AS total
                       FROM ledger_transfer AS moved JOIN ledger_transaction AS act ON act.id = moved.transaction_id
                      WHERE moved.grant_id IS NULL
                      GROUP BY moved.debt_id) AS sums ON sums.debt_id = debt.transaction_id
         WHERE debt.owed_micros <> coalesce(sums.total, 0) OR cause.kind NOT IN ('clawback', 'late_spend')
        """,
    ),
    Law(
        "I17",
        "A wallet's head is exact: free credits and expiry are the head grant's, and no free grant burns before it.",
        """
        SELECT wallet.id, 'head says ' || wallet.head_available_micros || ' free, its grant has '
               || coalesce(head.remaining_micros - head.held_micros, 0)
          FROM ledger_account AS wallet LEFT JOIN ledger_grant AS head ON head.id = wallet.head_grant_id
         WHERE wallet.kind = 'wallet'
           AND (wallet.head_available_micros <> coalesce(head.remaining_micros - head.held_micros, 0)
                OR coalesce(head.wallet_id, wallet.id) <> wallet.id)
         UNION ALL
        SELECT wallet.id, 'the next expiry is not the head''s'
          FROM ledger_account AS wallet LEFT JOIN ledger_grant AS head ON head.id = wallet.head_grant_id
         WHERE wallet.kind = 'wallet'
           AND coalesce(wallet.next_grant_expiry_at, '9999-12-31') <> coalesce(head.expires_at, '9999-12-31')
         UNION ALL
        SELECT lot.wallet_id, 'grant ' || lot.number || ' is free and burns before the head'
          FROM ledger_account AS wallet JOIN ledger_grant AS lot ON lot.wallet_id = wallet.id
          LEFT JOIN ledger_grant AS head ON head.id = wallet.head_grant_id
         WHERE lot.remaining_micros > lot.held_micros
           AND (head.id IS NULL OR (coalesce(lot.expires_at, '9999-12-31'), lot.priority, lot.number)
                                 < (coalesce(head.expires_at, '9999-12-31'), head.priority, head.number))
        """,
    ),
    Law(
        "I18",
        "An undoing is the exact opposite of one transaction of the same wallet, which is undone once.",
        """
        SELECT undoing.id, undoing.kind || ' of ' || undoing.amount_micros || ' undoes '
               || coalesce(undone.amount_micros, 0)
          FROM ledger_transaction AS undoing
          LEFT JOIN ledger_transaction AS undone ON undone.id = undoing.reverses_id
         WHERE undoing.kind IN ('reversal', 'restoration')
           AND (undone.id IS NULL OR undone.amount_micros <> -undoing.amount_micros
                OR undone.wallet_id <> undoing.wallet_id)
         UNION ALL
        SELECT reverses_id, 'undone ' || count(*) || ' times'
          FROM ledger_transaction WHERE reverses_id IS NOT NULL GROUP BY reverses_id HAVING count(*) > 1
        """,
    ),
)
