"""The credits page in finished texts: the balance, the grants in burn order, the runway, the ledger's lines.

Law: everything is read here, once, in a fixed number of queries; the template only places it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from tokenboard.core.money import MICROS_PER_CREDIT, nano_from_usd
from tokenboard.core.settings import settings
from tokenboard.ledger import queries as ledger
from tokenboard.ledger.queries import GrantLine, Line, WalletBalance
from tokenboard.wallet import queries, rules
from tokenboard.wallet.models import LowBalance
from tokenboard.wallet.queries import Outlook
from tokenboard.web.filters import MINUS, credit_amount, credits_exact, day, plural, usd, usd_exact
from tokenboard.web.meters import Share, Sparkline, shares, sparkline
from tokenboard.workspaces.models import Workspace

PATH = "/credits"
CSV_PATH = "/credits/ledger.csv"
LINES = 25
TREND_WIDTH, TREND_HEIGHT = 620, 56
MOST_GRANTS = 12  # drawn one by one; the rest is one part at the end
_CATEGORY_WORDS = {"promotional": "gift", "included": "included in your plan", "paid": "paid"}
_CATEGORY_COLOURS = {"promotional": "s1", "included": "s3", "paid": "s0"}
_SOURCE_WORDS = {
    "wallet:api": "API",
    "wallet:example": "worked example",
    "wallet:signup": "sign-up",
    "wallet:admin-key": "administrator",
    "adjustment": "administrator",
    "billing:promo": "promo code",
    "billing": "payment",
    "demo:bought": "payment",
    "demo:gift": "sign-up",
}


@dataclass(frozen=True, slots=True)
class GrantPart:
    """A grant as a part of the bar and a line below it."""

    share: Share
    css: str
    amount: str
    what: str
    expires_at: datetime | None

    @property
    def label(self) -> str:
        """Amount and expiry, for the bar's own title."""
        until = (
            f"expires {day(self.expires_at.date())} {self.expires_at.year}" if self.expires_at else "does not expire"
        )
        return f"{self.amount} credits, {self.what}, {until}"


@dataclass(frozen=True, slots=True)
class BalanceBlock:
    """The answer to "what is left?"."""

    amount: str
    exact: str
    money: str
    held: str
    owed: str
    overdrawn_why: str
    runway: str
    pace: str
    trend: Sparkline | None
    trend_text: str
    expiring: str
    expiring_at: datetime | None
    parts: tuple[GrantPart, ...]
    bar_text: str


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One movement."""

    id: str
    at: datetime
    what: str
    kind: str
    by: str
    amount: str
    is_in: bool
    balance_after: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter as a link."""

    label: str
    href: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger's lines with its controls."""

    lines: tuple[LedgerLine, ...]
    filters: tuple[Choice, ...]
    older_href: str
    newest_href: str
    csv_href: str
    is_first_page: bool
    is_filtered: bool


def money(micros: int) -> str:
    """What credits are worth."""
    return usd(rules.value_nano(micros, credit_value_nano()))


def price(micros: int) -> str:
    """What credits are worth, to the last digit: for prices."""
    return usd_exact(rules.value_nano(micros, credit_value_nano()))


def exact(micros: int) -> str:
    """Every digit, for who points at an amount."""
    return f"{credits_exact(micros)} credits"


def pill_text(available_micros: int) -> str:
    """The balance where there is little room: from a hundred credits on without decimals, never rounded up."""
    is_large = available_micros >= 100 * MICROS_PER_CREDIT
    shown = available_micros // MICROS_PER_CREDIT * MICROS_PER_CREDIT if is_large else available_micros
    return f"{credit_amount(shown)} credits"


def credit_value_nano() -> int:
    """What one credit is worth, in nano-USD."""
    return nano_from_usd(settings().credit_value_usd)


def balance_block(workspace: Workspace) -> BalanceBlock:
    """Three reads: the wallet, its grants, its last two weeks."""
    balance = queries.balance(workspace)
    grants = ledger.grants(workspace.ledger_account_id)
    outlook = queries.outlook(balance, grants)
    parts = _parts(grants)
    return BalanceBlock(
        amount=credit_amount(max(0, balance.available_micros)),
        exact=exact(balance.available_micros),
        money=money(max(0, balance.available_micros)),
        held=credit_amount(balance.held_micros) if balance.held_micros else "",
        owed=credit_amount(-balance.available_micros) if balance.is_overdrawn else "",
        overdrawn_why=_why(balance),
        runway=rules.runway_words(outlook.days),
        pace=_pace(outlook),
        trend=sparkline(outlook.daily, width=TREND_WIDTH, height=TREND_HEIGHT) if outlook.pace else None,
        trend_text=_trend(outlook),
        expiring=f"{credit_amount(outlook.next_expiry.available_micros)} credits" if outlook.next_expiry else "",
        expiring_at=outlook.next_expiry.expires_at if outlook.next_expiry else None,
        parts=parts,
        bar_text="; ".join(part.label for part in parts),
    )


def _why(balance: WalletBalance) -> str:
    words = {"clawback": "A payment was refunded or disputed", "usage": "Usage was reported after the fact"}
    return words.get(balance.overdrawn_reason, "") if balance.is_overdrawn else ""


def _pace(outlook: Outlook) -> str:
    if outlook.pace is None:
        return ""
    return f"{credit_amount(outlook.pace.spent_micros // outlook.pace.days)} credits a day"


def _trend(outlook: Outlook) -> str:
    """What the line shows, in words."""
    days = plural(rules.PACE_DAYS, "day")
    used = credit_amount(sum(outlook.daily))
    return f"{used} credits used in the last {days}, {credit_amount(outlook.daily[-1])} of them today"


def _parts(grants: list[GrantLine]) -> tuple[GrantPart, ...]:
    """In burn order; past a dozen the rest is one part."""
    shown = [one for one in grants if one.available_micros > 0]
    if not shown:
        return ()
    head, rest = shown[:MOST_GRANTS], shown[MOST_GRANTS:]
    amounts = [one.available_micros for one in head] + ([sum(one.available_micros for one in rest)] if rest else [])
    places = shares(amounts)
    parts = [
        GrantPart(
            place,
            _CATEGORY_COLOURS[one.category],
            credit_amount(one.available_micros),
            _CATEGORY_WORDS[one.category],
            one.expires_at,
        )
        for one, place in zip(head, places, strict=False)
    ]
    if rest:
        parts.append(GrantPart(places[-1], "s-other", credit_amount(amounts[-1]), f"{len(rest)} later grants", None))
    return tuple(parts)


def ledger_lines(workspace: Workspace, *, kind: str, cursor: str, kept: dict[str, str]) -> Ledger:
    """One page of the ledger; `kept` is what every link of it carries on. Raises: ValidationFailed."""
    page = queries.statement(workspace, kind=kind or None, cursor=cursor or None, limit=LINES)
    chosen = kept | ({"kind": kind} if kind else {})
    older = "" if page.next_before is None else _href(PATH, chosen | {"cursor": str(page.next_before)})
    return Ledger(
        lines=tuple(ledger_line(line) for line in page.lines),
        filters=_filters(kind, kept),
        older_href=older,
        newest_href=_href(PATH, chosen),
        csv_href=_href(CSV_PATH, chosen),
        is_first_page=not cursor,
        is_filtered=bool(kind),
    )


def _filters(kind: str, kept: dict[str, str]) -> tuple[Choice, ...]:
    choices = [("", "All"), *((one, rules.KIND_WORDS[one]) for one in rules.FILTER_KINDS)]
    return tuple(
        Choice(label, _href(PATH, kept | ({"kind": one} if one else {})), one == kind) for one, label in choices
    )


def _href(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def ledger_line(line: Line) -> LedgerLine:
    """A transaction in words."""
    kind = rules.KIND_WORDS[line.kind]
    return LedgerLine(
        id=line.transaction_id,
        at=line.created_at,
        what=line.description or kind,
        kind=kind,
        by=source_words(line.source),
        amount=signed(line.amount_micros),
        is_in=line.amount_micros > 0,
        balance_after=credit_amount(line.posted_after_micros),
    )


def signed(micros: int) -> str:
    """+1,000 or −12.50."""
    return f"+{credit_amount(micros)}" if micros > 0 else credit_amount(micros).replace("-", MINUS)


def source_words(source: str) -> str:
    """By which door a transaction came."""
    return next((words for prefix, words in _SOURCE_WORDS.items() if source.startswith(prefix)), "")


def threshold_text(line: LowBalance | None) -> str:
    """The line as it stands in the form."""
    return plain_credits(line.threshold_micros) if line else ""


def plain_credits(micros: int) -> str:
    """An amount of credits as it stands in a form's field."""
    return credits_exact(micros).replace(",", "")
