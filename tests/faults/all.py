"""`python -m tests.faults.all`: every fault of the reference, the heavy ones too, as one table.

It uses what `./run test` has installed (PostgreSQL and Redis come as wheels) and skips, with its reason and counted,
what this machine does not allow. Ends with 1 when a promise was broken.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
_HERE = "tests/faults"
FAULTS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("F1 F2", "web and worker killed", (f"{_HERE}/test_killing.py", f"{_HERE}/test_purchases.py")),
    ("F3", "Redis hangs, forgets, is away", (f"{_HERE}/test_redis.py", "tests/ops/test_without_redis.py")),
    ("F4 F5 F6", "database cut, locked, full", (f"{_HERE}/test_databases.py", f"{_HERE}/heavy_databases.py")),
    (
        "F7 F8 F9",
        "upstream refuses, crawls, lies",
        ("tests/chat/test_faults.py", "tests/providers/test_chat_faults.py"),
    ),
    ("F10", "webhooks doubled, shuffled, forged", ("tests/billing/test_crowd.py",)),
    ("F13", "many spend at once", ("tests/ledger/test_races.py", f"{_HERE}/test_crowd.py")),
    ("F14 F15", "readers leave, deploys", (f"{_HERE}/test_deploys.py", f"{_HERE}/test_sign_ins.py")),
    ("F18 F22", "giant and half-sent requests", (f"{_HERE}/heavy_sockets.py",)),
    ("F17 F19 F20", "odd numbers, text, wildcards", (f"{_HERE}/test_inputs.py", "tests/core/test_parsing.py")),
    ("F21", "no worker, cron ten times", (f"{_HERE}/test_schedule.py",)),
    (
        "F23 F24",
        "migrations, backups",
        (f"{_HERE}/test_migrations.py", f"{_HERE}/test_restore.py", f"{_HERE}/heavy_versions.py"),
    ),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one row went."""

    name: str
    passed: int
    failed: int
    skipped: tuple[str, ...]
    seconds: float

    def spoken(self, what: str) -> str:
        counts = f"{self.passed:>4} passed {self.failed:>3} failed {len(self.skipped):>3} skipped {self.seconds:7.1f} s"
        return "\n".join([f"{self.name:<12} {what:<36} {counts}", *(f"{'':<13}skipped: {why}" for why in self.skipped)])


def _run(name: str, files: tuple[str, ...], folder: Path) -> Outcome:
    report, begun = folder / "report.xml", time.monotonic()
    report.unlink(missing_ok=True)
    words = ["-n", "0", "-q", "--no-header", "-p", "no:cacheprovider", f"--junit-xml={report}", *files]
    done = subprocess.run([sys.executable, "-m", "pytest", *words], cwd=ROOT, check=False)
    cases = ElementTree.parse(report).getroot().iter("testcase") if report.is_file() else []  # noqa: S314 - pytest's own
    skipped, failed, passed = [], 0, 0
    for case in cases:
        why = case.find("skipped")
        is_bad = case.find("failure") is not None or case.find("error") is not None
        if why is not None:
            skipped.append(str(why.get("message", ""))[:100])
        failed, passed = failed + is_bad, passed + (why is None and not is_bad)
    broke = int(done.returncode not in (0, 5) and not failed)
    return Outcome(name, passed, failed + broke, tuple(skipped), time.monotonic() - begun)


def main(given: list[str]) -> int:
    """The table, and how many were skipped."""
    parser = argparse.ArgumentParser(prog="tests.faults.all")
    parser.add_argument("only", nargs="*", help="rows, such as F4 or F24; all without")
    only = set(parser.parse_args(given).only)
    found = []
    with TemporaryDirectory() as folder:
        for name, what, files in FAULTS:
            if not only or only & set(name.split()):
                found.append((_run(name, files, Path(folder)), what))
    for outcome, what in found:
        print(outcome.spoken(what))  # noqa: T201 - a command's answer
    failed = sum(one.failed for one, _ in found)
    print(f"{failed} failed, {sum(len(one.skipped) for one, _ in found)} skipped")  # noqa: T201
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
