"""`./run wapiti [walk …]`: a web scanner goes through the product, signed out, signed in and as an administrator.

Everything runs here, on loopback, and is thrown away; reports stay in instance/wapiti-reports. Ends with 1 when there
is a finding that docs/security.md does not explain, an answer 5xx, a broken law of the books, or a walk that saw too
little.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.house import Refusal, here
from tests.postgres import NoPostgres
from tests.wapiti.ear import listening
from tests.wapiti.findings import cut_short, read, sorted_out
from tests.wapiti.installing import wapiti
from tests.wapiti.standing import Standing, standing
from tests.wapiti.walks import ATTACK_SECONDS, WALKS, Walk


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one walk went."""

    walk: Walk
    addresses: int
    faults: list[str]
    explained: Counter[str]
    cut_short: list[str]
    seconds: float

    def spoken(self) -> str:
        known = ", ".join(f"{name} × {count}" for name, count in sorted(self.explained.items())) or "none"
        head = f"{self.walk.name:<14} {self.addresses:>4} addresses, {self.seconds:5.0f} s; explained: {known}"
        cut = f"  cut short: {', '.join(self.cut_short)}" if self.cut_short else ""
        return "\n".join([head, *filter(None, [cut]), *(f"  FINDING {fault}" for fault in self.faults)])


def main(given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run wapiti")
    parser.add_argument("only", nargs="*", help=f"of {', '.join(walk.file for walk in WALKS)}; all without")
    parser.add_argument("--seconds", type=int, default=ATTACK_SECONDS, help="at most for each module; %(default)s")
    asked = parser.parse_args(given)
    only = set(asked.only)
    walks = [walk for walk in WALKS if not only or walk.file in only]
    house = here()
    program = wapiti(house)
    with TemporaryDirectory(prefix="tb-wapiti-") as name, standing(Path(name)) as running:
        try:
            outcomes = [_walked(walk, program, running, Path(name), asked.seconds) for walk in walks]
            faults = _after(running)
        finally:
            _keep(Path(name), house.instance / "wapiti-reports")
    for outcome in outcomes:
        print(outcome.spoken())  # noqa: T201 - a command's answer
    for fault in faults:
        print(f"FAULT {fault}")  # noqa: T201
    found = sum(len(outcome.faults) for outcome in outcomes) + len(faults)
    print(f"{found} findings that docs/security.md does not explain")  # noqa: T201
    return 1 if found else 0


def _walked(walk: Walk, program: Path, running: Standing, folder: Path, seconds: int) -> Outcome:
    print(f"{walk.name} …", flush=True)  # noqa: T201 - a command's answer
    cookie, begun = running.cookie_of(walk.who), time.monotonic()
    with listening() as ear:
        words = walk.words(program, running.url, cookie=cookie, ear=ear, folder=folder, seconds=seconds)
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    report = walk.report(folder)
    if not report.is_file():
        said = (done.stdout + done.stderr)[-2_000:]
        raise Refusal(f"wapiti wrote no report and ended with {done.returncode}: {said}")
    told = json.loads(report.read_text(encoding="utf-8"))
    addresses = int(told["infos"]["crawled_pages_nbr"])
    findings, explained = sorted_out(read(told))
    faults = [str(finding) for finding in findings]
    if addresses < walk.addresses:
        faults.append(f"the walk saw {addresses} addresses, fewer than {walk.addresses}")
    if not running.opens(walk.starts[0], cookie):
        faults.append(f"{walk.starts[0]} does not open any more: the walker put itself out")
    return Outcome(walk, addresses, faults, explained, cut_short(walk.log(folder)), time.monotonic() - begun)


def _after(running: Standing) -> list[str]:
    """What the scanner itself would not notice."""
    broken, books = running.broken(), running.books_fault()
    return [f"5xx: {line}" for line in broken] + ([f"books: {books}"] if books else [])


def _keep(folder: Path, kept: Path) -> None:
    kept.mkdir(exist_ok=True)
    for file in [*(walk.report(folder) for walk in WALKS), *folder.glob("*.log")]:
        if file.is_file():
            shutil.copy(file, kept / file.name)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    try:
        sys.exit(main(sys.argv[1:]))
    except (Refusal, NoPostgres) as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
        sys.exit(2)
