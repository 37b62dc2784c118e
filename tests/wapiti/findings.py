"""What wapiti reported, sorted into what docs/security.md explains and what it does not."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_CUT = re.compile(r"Max attack time was reached for module (\w+)")
_KINDS = ("vulnerabilities", "anomalies", "additionals")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a report; ids in its address are `:id`."""

    category: str
    method: str
    path: str
    parameter: str
    info: str

    def __str__(self) -> str:
        where = f"{self.method} {self.path}" + (f" ({self.parameter})" if self.parameter else "")
        return f"{self.category}: {where}: {' '.join(self.info.split())[:200]}"


@dataclass(frozen=True, slots=True)
class Explained:
    """A finding that is none. `name` stands in docs/security.md, beside why."""

    name: str
    category: str
    where: str = ""  # method and address, as a pattern
    info: str = ""  # what wapiti says, as a pattern

    def fits(self, finding: Finding) -> bool:
        return (
            finding.category == self.category
            and re.search(self.where, f"{finding.method} {finding.path}") is not None
            and re.search(self.info, finding.info) is not None
        )


EXPLAINED: tuple[Explained, ...] = (
    Explained("OPTIONS is answered", "HTTP Methods", info=r": ((OPTIONS|HEAD|POST) \(\d+\) ?)+$"),
)


def read(report: Mapping[str, Any]) -> list[Finding]:
    """Every vulnerability, anomaly and remark of wapiti's JSON report."""
    return [
        Finding(
            category,
            str(one["method"]),
            _ID.sub(":id", str(one["path"])),
            str(one.get("parameter") or ""),
            str(one["info"]),
        )
        for kind in _KINDS
        for category, listed in report.get(kind, {}).items()
        for one in listed
    ]


def sorted_out(findings: Iterable[Finding]) -> tuple[list[Finding], Counter[str]]:
    """The findings nobody has explained, each once; how many times each explanation was needed."""
    open_ones: dict[Finding, None] = {}
    explained: Counter[str] = Counter()
    for finding in findings:
        why = next((one.name for one in EXPLAINED if one.fits(finding)), None)
        if why is None:
            open_ones[finding] = None
        else:
            explained[why] += 1
    return list(open_ones), explained


def cut_short(log: Path) -> list[str]:
    """The modules that had no time to try everything."""
    return _CUT.findall(log.read_text(encoding="utf-8", errors="replace")) if log.is_file() else []
