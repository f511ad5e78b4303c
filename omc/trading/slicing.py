"""A large order in slices: how many, when each is due, and how much of it each carries.

Time-weighted slices are alike and equally far apart. Volume-weighted ones follow how the coin's volume was spread over
the same times of day before (Berkowitz, Logue and Noser, "The total cost of transactions on the NYSE", 1988, made that
average the benchmark; a schedule in proportion to expected volume is its static strategy: Konishi, 2002). Where no
volumes are known they are time-weighted, and the plan says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

from omc.market.money import SATOSHI, ZERO
from omc.trading.execution import Execution, Style
from omc.trading.volumes import STRETCH

_DAY_S = 86_400
_SECOND, _MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
_HEADROOM = Decimal("1.1")
"""A slice is worth that much of the venue's least order: its price may fall before its turn."""


@dataclass(frozen=True, slots=True)
class Slice:
    """Due at `at`, by the venue's clock."""

    at: datetime
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Plan:
    """The slices of one order, in the order of their times; their quantities add up to the order's, exactly."""

    style: Style
    slices: tuple[Slice, ...]
    until: datetime
    """No slice is sent later."""
    note: str = ""
    """Why it is not what was asked for, when it is not."""

    def as_json(self) -> dict[str, Any]:
        return {
            "style": self.style.value,
            "until": self.until.isoformat(),
            "note": self.note,
            "slices": [{"at": each.at.isoformat(), "quantity": f"{each.quantity:f}"} for each in self.slices],
        }

    @classmethod
    def told(cls, stored: dict[str, Any]) -> Self:
        """From what `as_json` made of one."""
        slices = tuple(
            Slice(datetime.fromisoformat(each["at"]), Decimal(each["quantity"])) for each in stored["slices"]
        )
        return cls(Style(stored["style"]), slices, datetime.fromisoformat(stored["until"]), stored["note"])


def slice_name(parent: str, number: int) -> str:
    """The client order id of the slice of that number, counted from 0: asked for again, it is the same order."""
    return f"{parent}:s{number}"


def profile(
    stretches: Iterable[tuple[datetime, Decimal]], start: datetime, over_s: float, slices: int
) -> tuple[Fraction, ...] | None:
    """The shares of what was traded in the times of day of each of `slices` equal parts of `over_s` from `start`, in
    stretches of a day before (`omc.trading.volumes`): a stretch is spread evenly over its time. They add up to 1. None
    when nothing was traded then."""
    part_s, stretch_s = Fraction(over_s) / slices, Fraction(STRETCH / _SECOND)
    found = [Fraction(0)] * slices
    for began, quantity in stretches:
        if not part_s or began + STRETCH > start:
            continue
        into_s = Fraction((began - start) / _MICROSECOND) / 1_000_000 % _DAY_S
        # One that begins before `start`'s time of day may reach into it.
        for first_s in (into_s, into_s - _DAY_S):
            at_s, end_s = max(first_s, Fraction(0)), min(first_s + stretch_s, part_s * slices)
            while at_s < end_s:
                part = int(at_s / part_s)
                until_s = min(end_s, (part + 1) * part_s)
                found[part] += Fraction(quantity) * (until_s - at_s) / stretch_s
                at_s = until_s
    whole = sum(found)
    return tuple(part / whole for part in found) if whole > 0 else None


def plan(
    quantity: Decimal,
    price_aud: Decimal,
    start: datetime,
    execution: Execution,
    *,
    min_order_aud: Decimal,
    weights: Sequence[Fraction] | None = None,
) -> Plan | None:
    """The slices of an order of `quantity` coins that was decided on at `start`, when one cost `price_aud`; None for an
    order that goes as a whole. Quantities are on the eight-decimal grid, and each is worth the venue's least order.

    `weights`, one a slice, add up to 1: `profile`'s.
    """
    above = execution.slice_above_aud
    if above is None or quantity * price_aud <= above:
        return None
    style, note = execution.style, ""
    if style is Style.VWAP and weights is None:
        style, note = Style.TWAP, "no volumes are known: spread evenly over time"
    shares = [Fraction(1, execution.slices)] * execution.slices
    if style is Style.VWAP and weights is not None:
        shares = list(weights)
    every = timedelta(seconds=execution.over_s / execution.slices)
    due = [start + number * every for number in range(execution.slices)]
    parts = _merged(_shared_out(quantity, shares), due, min_order_aud * _HEADROOM / price_aud)
    if len(parts) < 2:
        return None
    return Plan(style, tuple(parts), start + timedelta(seconds=execution.over_s) + every, note)


def caught_up(slices: Sequence[Slice], left: Decimal) -> Decimal:
    """How much the first of `slices`, those to come, carries of `left`, all that they are to carry: its planned share,
    so that what earlier ones did not give is made up for by all. Rounded down to the grid; the last carries all."""
    units, first = int(left / SATOSHI), int(slices[0].quantity / SATOSHI)
    return units * first // sum(int(each.quantity / SATOSHI) for each in slices) * SATOSHI


def _shared_out(quantity: Decimal, shares: Sequence[Fraction]) -> list[Decimal]:
    """`quantity` in parts on the grid: what is due by each time is rounded down, so no unit is lost or made up."""
    units = int(quantity / SATOSHI)
    due, before, parts = Fraction(0), 0, list[Decimal]()
    for share in shares[:-1]:
        due += share
        by_now = min(int(units * due), units)
        parts.append((by_now - before) * SATOSHI)
        before = by_now
    return [*parts, (units - before) * SATOSHI]


def _merged(parts: Sequence[Decimal], due: Sequence[datetime], least: Decimal) -> list[Slice]:
    """Parts that the venue takes: one that is too small goes with the next, and the last with the one before it."""
    slices: list[Slice] = []
    held, since = ZERO, None
    for quantity, at in zip(parts, due, strict=True):
        held, since = held + quantity, since or at
        if held and held >= least:
            slices.append(Slice(since, held))
            held, since = ZERO, None
    if held and slices:
        slices[-1] = Slice(slices[-1].at, slices[-1].quantity + held)
    return slices
