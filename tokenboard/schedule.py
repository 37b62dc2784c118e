"""Periodic jobs as data. The worker fires each once per slot, however many workers run (ops/clockwork.py)."""

from __future__ import annotations

from tokenboard.ops.periodic import Periodic

PERIODIC: tuple[Periodic, ...] = (
    # Sweepers: find again what a lost bell left behind.
    Periodic("costs-sweep", "costs.sweep", "* * * * * */20", runs_without_queue=True),
    Periodic("notices-sweep", "notices.sweep", "* * * * * */20", runs_without_queue=True),
    Periodic("wallet-sweep", "wallet.sweep", "* * * * * */20", runs_without_queue=True),
    Periodic("billing-sweep", "billing.sweep", "* * * * * */20", runs_without_queue=True),
    Periodic("accounts-sweep", "accounts.sweep", "* * * * * */20", runs_without_queue=True),
    # A call whose process died is settled within 30 s: its lease ends after 10.
    Periodic("keys-sweep", "keys.sweep", "* * * * * */20", runs_without_queue=True),
    Periodic("keys-sweep-spend", "keys.sweep_spend", "* * * * * */20", runs_without_queue=True),
    Periodic("keys-sweep-syncs", "keys.sweep_syncs", "* * * * *", runs_without_queue=True),
    Periodic("metering-sweep", "metering.sweep", "* * * * * */10", runs_without_queue=True),
    Periodic("chat-sweep", "chat.sweep", "* * * * * */20", runs_without_queue=True),
    # Money: what the providers know and we do not; the catalogue.
    Periodic("billing-reconcile", "billing.reconcile", "37 * * * *"),
    Periodic("metering-sync-prices", "metering.sync_prices", "22 * * * *"),
    Periodic("billing-reconcile-sweep", "billing.reconcile.sweep", "* * * * * */20", runs_without_queue=True),
    Periodic("billing-sync-prices", "billing.sync_prices", "40 2 * * *"),
    # What virtual keys used straight at LiteLLM.
    Periodic("keys-read-spend", "keys.read_spend", "* * * * *", runs_without_queue=True),
    Periodic("keys-reconcile", "keys.reconcile", "47 * * * *"),
    Periodic("keys-turn-windows", "keys.turn_windows", "0 0 * * * 5"),
    Periodic("keys-read-spend-again", "keys.read_spend_again", "10 4 * * *"),
    # Fresh numbers: hourly the last seven days, daily the months that may still be revised.
    Periodic("costs-hourly", "costs.queue_hourly", "7 * * * *"),
    Periodic("costs-daily", "costs.queue_daily", "0 2 * * *"),
    # The month that is over, by mail. Nine firings: who was not told at one is told at the next.
    Periodic("portal-mail-months", "portal.mail_months", "10 6,12,18 1-3 * *"),
    # The demo's company lives on from day to day.
    Periodic("demo-refresh", "demo.refresh", "20 0 * * *"),
    Periodic("ops-check-books", "ops.check_books", "15 3 * * *"),
    Periodic("ops-watch", "ops.watch", "*/5 * * * *", runs_without_queue=True),
    Periodic("ops-tidy", "ops.tidy", "30 3 * * *"),
)
