"""A wallet as docs/money.md describes it, in plain Python and nothing else: what the database is compared with.

It shares no code with the ledger. Expiry is eager here and lazy there; `seen_in` evens that out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

PRIORITIES = {"promotional": 10, "included": 20, "paid": 30}


class Refused(Exception):
    """The model says no; the ledger must say no for the same reason."""


@dataclass
class Lot:
    number: int
    category: str
    expires_at: datetime | None
    amount: int
    remaining: int = 0
    held: int = 0
    expired: int = 0
    clawed: int = 0
    id: str = ""

    @property
    def free(self) -> int:
        return self.remaining - self.held

    def burns_at(self) -> tuple[bool, float, int, int]:
        instant = self.expires_at.timestamp() if self.expires_at else 0.0
        return (self.expires_at is None, instant, PRIORITIES[self.category], self.number)


@dataclass
class Debt:
    owed: int
    paid_by: dict[int, int] = field(default_factory=dict)  # lot number: amount


@dataclass
class Used:
    """A spend, capture, late spend or clawback: what could be undone."""

    id: str
    kind: str
    parts: list[tuple[Lot, int]]
    debt: Debt | None = None
    owed_at_first: int = 0
    clawed: Lot | None = None
    is_undone: bool = False


@dataclass
class Hold:
    id: str
    parts: list[tuple[Lot, int]]
    until: datetime
    state: str = "open"

    @property
    def amount(self) -> int:
        return sum(amount for _, amount in self.parts)


@dataclass
class Model:
    """One wallet and its clock."""

    at: datetime
    lots: list[Lot] = field(default_factory=list)
    debts: list[Debt] = field(default_factory=list)
    used: list[Used] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    house: dict[str, int] = field(default_factory=dict)

    @property
    def posted(self) -> int:
        return sum(lot.remaining for lot in self.lots) - self.owed

    @property
    def held(self) -> int:
        return sum(hold.amount for hold in self.holds if hold.state == "open")

    @property
    def owed(self) -> int:
        return sum(debt.owed for debt in self.debts)

    @property
    def available(self) -> int:
        return self.posted - self.held

    def pass_time(self, span: timedelta) -> None:
        self.at += span
        self._settle()

    def grant(self, amount: int, category: str, expires_at: datetime | None, house: str = "promotions") -> Lot:
        lot = self._open_lot(amount, category, expires_at)
        self._pay(house, amount)
        self._settle()
        return lot

    def spend(self, amount: int, *, late: bool = False) -> Used:
        if not late and amount > self.available:
            raise Refused("insufficient")
        used = Used("", "late_spend" if late else "spend", self._burn(amount))
        self._overdraw(used, amount)
        self._pay("usage", -amount)
        self.used.append(used)
        return used

    def hold(self, amount: int, until: datetime) -> Hold:
        if amount > self.available:
            raise Refused("insufficient")
        parts = self._shares(amount)
        for lot, share in parts:
            lot.held += share
        self.holds.append(Hold("", parts, until))
        return self.holds[-1]

    def settle_hold(self, hold: Hold, captured: int, state: str) -> Used:
        if hold.state != "open":
            raise Refused("not open")
        if captured > hold.amount:
            raise Refused("too large")
        hold.state, parts, wanted = state, [], captured
        for lot, share in hold.parts:
            taken = min(share, wanted)
            lot.held -= share
            lot.remaining -= taken
            wanted -= taken
            if taken:
                parts.append((lot, taken))
        self._pay("usage", -captured)
        self._settle()
        self.used.append(Used("", "capture", parts))
        return self.used[-1]

    def claw_back(self, lot: Lot, amount: int) -> Used:
        if amount > lot.amount - lot.clawed:
            raise Refused("too large")
        amount = min(amount, max(0, lot.amount - lot.expired - lot.clawed))
        own = min(lot.free, amount)
        lot.remaining -= own
        lot.clawed += amount
        parts = ([(lot, own)] if own else []) + self._burn(amount - own)
        used = Used("", "clawback", parts, clawed=lot)
        self._overdraw(used, amount)
        self._pay("clawback", -amount)
        self.used.append(used)
        return used

    def undo(self, used: Used) -> None:
        for lot, amount in used.parts:
            self._restore(lot, amount)
        if used.debt:
            used.debt.owed, paid_by = 0, used.debt.paid_by
            for number, amount in paid_by.items():
                self._restore(self.lots[number - 1], amount)
        total = sum(amount for _, amount in used.parts) + used.owed_at_first
        if used.clawed:
            used.clawed.clawed -= total
        self._pay("clawback" if used.clawed else "usage", total)
        used.is_undone = True
        self._settle()

    def _open_lot(self, amount: int, category: str, expires_at: datetime | None) -> Lot:
        self.lots.append(Lot(len(self.lots) + 1, category, expires_at, amount, remaining=amount))
        return self.lots[-1]

    def _restore(self, lot: Lot, amount: int) -> None:
        if lot.expires_at and lot.expires_at <= self.at:
            self._open_lot(amount, lot.category, self.at + timedelta(days=30))
        else:
            lot.remaining += amount

    def _overdraw(self, used: Used, amount: int) -> None:
        missing = amount - sum(share for _, share in used.parts)
        if missing:
            used.debt, used.owed_at_first = Debt(missing), missing
            self.debts.append(used.debt)

    def _shares(self, amount: int) -> list[tuple[Lot, int]]:
        shares = []
        for lot in sorted(self.lots, key=Lot.burns_at):
            if min(lot.free, amount) > 0:
                shares.append((lot, min(lot.free, amount)))
                amount -= shares[-1][1]
        return shares

    def _burn(self, amount: int) -> list[tuple[Lot, int]]:
        shares = self._shares(amount)
        for lot, share in shares:
            lot.remaining -= share
        return shares

    def _settle(self) -> None:
        """What is free and over expires; what is free then pays debts, the oldest first."""
        for lot in self.lots:
            if lot.expires_at and lot.expires_at <= self.at and lot.free:
                self._pay("expired", -lot.free)
                lot.expired += lot.free
                lot.remaining -= lot.free
        for debt in self.debts:
            for lot, share in self._burn(debt.owed):
                debt.owed -= share
                debt.paid_by[lot.number] = debt.paid_by.get(lot.number, 0) + share

    def _pay(self, house: str, amount: int) -> None:
        """A house account gives (positive) to the wallet, or takes."""
        self.house[house] = self.house.get(house, 0) - amount
