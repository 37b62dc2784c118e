"""The sandbox's keys. Which key is used decides what the provider does.

| key (OpenAI `sk-admin-sandbox…`, Anthropic `sk-ant-admin-sandbox…`) | what it does |
| --- | --- |
| `` (no suffix; also any suffix not listed, such as `-alice`) | works |
| `-empty` · `-large` | works: nothing used yet · forty projects with ten line items a day |
| `-strings` | works; amounts and quantities come as JSON strings |
| `-drifting` | works; every read of the costs finds yesterday and the day before a little dearer |
| `-revoked` | 401 |
| `-noscope` · `-noscope-object` · `-noscope-401` | 403 with a bare string · 403 with an object · 401: scope missing |
| `-nousage` · `-nonames` | costs and usage refused, names given · the other way round |
| `-429` · `-429-bare` · `-429-long` | 429: each first call, Retry-After 1 · always, without it · always, an hour |
| `-500` · `-500-once` · `-503` | always · every first call of an address · always |
| `-slow` · `-hangup` · `-halfpage` · `-halfjson` | no answer in time · cut before · cut within · cut but consistent |
| `-garbage` · `-html` · `-deep` · `-list` · `-nan` · `-redirect` · `-huge` | unreadable or untrustworthy answers |
| `-loop` · `-nocursor` · `-endless` · `-twice` | broken paging: same cursor, none, always another, same day again |
| `-404` | nothing there |

Others: `sk-proj-sandbox`, `sk-svcacct-sandbox` (403, OpenAI), `sk-ant-api-sandbox` (401, Anthropic); personal keys
for OpenAI's credit balance: `sk-sandbox` (works), `sk-sandbox-session` (403, browser only), `-revoked`, `-404` and
the other faults. Anything else: 401. The header `X-Sandbox-Fault: <name>` orders any fault of `faults.py` for one
call, whatever the key.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tokenboard.sandbox.faults import FAULTS

Kind = Literal["admin", "personal", "project", "unknown"]

_BILL_PATHS = ("/costs", "/usage", "/cost_report")
_NAME_PATHS = ("/projects", "/users", "/admin_api_keys", "/workspaces", "/api_keys")


@dataclass(frozen=True, slots=True)
class Traits:
    """What a key makes the provider do."""

    fault: str | None = None
    only_paths: tuple[str, ...] = ()  # empty: the fault strikes everywhere
    world: str = "company"
    has_text_amounts: bool = False
    is_drifting: bool = False

    def fault_at(self, path: str) -> str | None:
        strikes = not self.only_paths or any(part in path for part in self.only_paths)
        return self.fault if strikes else None


SUFFIXES: dict[str, Traits] = {
    "": Traits(),
    "-empty": Traits(world="empty"),
    "-large": Traits(world="large"),
    "-strings": Traits(has_text_amounts=True),
    "-drifting": Traits(is_drifting=True),
    "-nousage": Traits("noscope-object", only_paths=_BILL_PATHS),
    "-nonames": Traits("nonames", only_paths=_NAME_PATHS),
}
SUFFIXES.update({f"-{fault}": Traits(fault) for fault in FAULTS if fault != "nonames"})

_PREFIXES: dict[str, tuple[tuple[str, Kind], ...]] = {
    "openai": (
        ("sk-admin-sandbox", "admin"),
        ("sk-proj-sandbox", "project"),
        ("sk-svcacct-sandbox", "project"),
        ("sk-sandbox", "personal"),
    ),
    "anthropic": (("sk-ant-admin-sandbox", "admin"), ("sk-ant-api-sandbox", "project")),
}


def read_key(provider: str, key: str) -> tuple[Kind, Traits]:
    """What kind of key this is and what it does."""
    for prefix, kind in _PREFIXES[provider]:
        suffix = key.removeprefix(prefix)
        if suffix != key and (suffix == "" or suffix.startswith("-")):
            return kind, SUFFIXES.get(suffix, Traits())
    return "unknown", Traits()
