"""Which trade of the floor is which of the backtest's, how far apart the two are, and what that cost.

Trades are paired by the bar that decided them, their coin and their side. On a tape the two are the same to the cent;
at an exchange the floor trades a little later, at another price, and perhaps in several fills.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from difflib import SequenceMatcher
from functools import cached_property
from typing import Self

from omc.market.money import ZERO, cents, eight_places
from omc.market.terms import BPS
from omc.trading.exits import Reason
from omc.trading.fill import Fill, Side
from omc.trading.order import OrderIntent
from omc.trading.outcome import is_forced, is_liquidation
from omc.trading.reconciliation.acceptance import is_synthetic

FORCED_EXIT, EMERGENCY_STOP, SYNTHETIC = "forced_exit", "emergency_stop", "synthetic"
"""Sold at its owner's wish, or to get out; and made to bring our books to the venue's. No backtest has them."""
_REASONS = frozenset(reason.name.lower() for reason in Reason)


@dataclass(frozen=True, slots=True)
class Leg:
    """One trade of one side, all its fills together. `at` is the time of the quotes that it was sized on."""

    at: datetime
    coin: str
    side: Side
    quantity: Decimal
    value_aud: Decimal
    """The coins' own, before the fee."""
    fee_aud: Decimal
    executed_at: datetime
    """When the last of it was."""
    reason: str | None = None
    """signal, the exit that closed it, or who else wanted it; None where nobody said."""

    @classmethod
    def of(cls, fills: Sequence[Fill], at: datetime | None = None, reason: str | None = None) -> Self:
        """`fills` are of one coin and side; without `at` it is when the first of them was. `reason` as `kind_of` or
        `kind_of_order` has it."""
        first = fills[0]
        return cls(
            at=at or first.executed_at,
            coin=first.coin,
            side=first.side,
            quantity=sum((fill.quantity for fill in fills), ZERO),
            value_aud=sum((fill.value_aud for fill in fills), ZERO),
            fee_aud=sum((fill.fee_aud for fill in fills), ZERO),
            executed_at=max(fill.executed_at for fill in fills),
            reason=reason,
        )

    @property
    def price_aud(self) -> Decimal:
        """For one coin, before fees, to eight decimals."""
        return eight_places(self.value_aud / self.quantity)

    def __str__(self) -> str:
        return f"{self.side} of {self.quantity:f} {self.coin} at {self.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class Pair:
    """A trade of both, or of one alone."""

    kernel: Leg | None
    floor: Leg | None
    said: str | None = None
    """What became of the floor's wish for a trade that it has not made."""

    @property
    def later_s(self) -> float | None:
        """How much later the floor traded."""
        if self.kernel is None or self.floor is None:
            return None
        return (self.floor.executed_at - self.kernel.executed_at).total_seconds()

    @property
    def price_bps(self) -> float | None:
        """How much worse the floor's price was for whoever owns it, of the backtest's; negative when it was better."""
        if self.kernel is None or self.floor is None or not self.kernel.price_aud:
            return None
        moved = float(self.floor.price_aud / self.kernel.price_aud - 1) * BPS
        return moved if self.floor.side is Side.BUY else -moved

    @property
    def cost_aud(self) -> Decimal | None:
        """What the floor paid more, or got less, than it would have at the backtest's price and rate of fee; negative
        when it came off better. None for a trade that only one side has."""
        if self.kernel is None or self.floor is None:
            return None
        share = self.floor.quantity / self.kernel.quantity
        worse = self.floor.value_aud - self.kernel.value_aud * share
        dearer = self.floor.fee_aud - self.kernel.fee_aud * share
        return eight_places((worse if self.floor.side is Side.BUY else -worse) + dearer)

    def differences(self) -> list[str]:
        """One sentence for each time, quantity, price (to eight decimals), fee (to the cent) or reason that is not the
        same on both sides, or for the side that is missing."""
        if self.kernel is None or self.floor is None:
            alone, missing = (self.floor, "backtest") if self.kernel is None else (self.kernel, "floor")
            said = f", {self.said}" if self.said else ""
            return [f"{alone}: the {missing} has no such trade{said}"]
        kernel, floor = self.kernel, self.floor
        rows: list[tuple[str, object, object, str]] = [
            ("time", kernel.executed_at, floor.executed_at, f", {self.later_s:+.3f} s"),
            ("quantity", eight_places(kernel.quantity), eight_places(floor.quantity), ""),
            ("price", kernel.price_aud, floor.price_aud, f", {self.price_bps or 0.0:+.2f} bps of cost"),
            ("fee", cents(kernel.fee_aud), cents(floor.fee_aud), ""),
        ]
        if kernel.reason is not None and floor.reason is not None:
            rows.append(("reason", kernel.reason, floor.reason, ""))
        return [
            f"{kernel}: {name} is {ours} in the backtest and {theirs} on the floor{size}"
            for name, ours, theirs, size in rows
            if ours != theirs
        ]


@dataclass(frozen=True)
class Comparison:
    """A whole life, trade by trade; what it comes to is looked for once."""

    pairs: tuple[Pair, ...]

    @cached_property
    def both(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair.kernel is not None and pair.floor is not None)

    @cached_property
    def different(self) -> tuple[Pair, ...]:
        return tuple(pair for pair in self.pairs if pair.differences())

    @property
    def only_kernel(self) -> int:
        return sum(pair.floor is None for pair in self.pairs)

    @property
    def only_floor(self) -> int:
        return sum(pair.kernel is None for pair in self.pairs)

    @property
    def cost_aud(self) -> Decimal:
        """What all differences of price and fee cost together; trades that only one side has are not in it."""
        return sum((pair.cost_aud or ZERO for pair in self.both), ZERO)

    @property
    def traded_aud(self) -> Decimal:
        """The value of the floor's part of all pairs."""
        return sum((pair.floor.value_aud for pair in self.both if pair.floor), ZERO)

    @property
    def cost_bps(self) -> float | None:
        """The cost of what was traded; None where nothing was."""
        return float(self.cost_aud / self.traded_aud) * BPS if self.traded_aud else None

    @property
    def latest_s(self) -> float | None:
        return max((pair.later_s or 0.0 for pair in self.both), default=None)

    def differences(self) -> list[str]:
        return [each for pair in self.different for each in pair.differences()]

    def told(self, noes: Mapping[tuple[datetime, str, Side], str]) -> Self:
        """With what the floor was told where it wanted what it has not made: a limit, a halt or the venue said no, of
        which no backtest knows. `noes` are by the bar, the coin and the side of the wish."""
        return replace(self, pairs=tuple(_told(pair, noes) for pair in self.pairs))


def _told(pair: Pair, noes: Mapping[tuple[datetime, str, Side], str]) -> Pair:
    if pair.floor is not None or pair.kernel is None:
        return pair
    return replace(pair, said=noes.get((pair.kernel.at, pair.kernel.coin, pair.kernel.side)))


def paired(kernel: Sequence[Leg], floor: Sequence[Leg]) -> Comparison:
    """The lists are aligned in order, so that one missing trade is one difference, not one for each trade after it."""
    pairs: list[Pair] = []
    moves = SequenceMatcher(None, [_key(leg) for leg in kernel], [_key(leg) for leg in floor], autojunk=False)
    for move, a, b, c, d in moves.get_opcodes():
        if move == "equal":
            pairs += [Pair(ours, theirs) for ours, theirs in zip(kernel[a:b], floor[c:d], strict=True)]
        else:
            pairs += _unaligned(kernel[a:b], list(floor[c:d]))
    return Comparison(tuple(pairs))


def legs(fills: Iterable[Fill], reasons: Sequence[str] | None = None) -> list[Leg]:
    """Each fill as a trade of its own; `reasons` has one for each."""
    if reasons is None:
        return [Leg.of((fill,)) for fill in fills]
    return [Leg.of((fill,), reason=kind_of(reason)) for fill, reason in zip(fills, reasons, strict=True)]


def kind_of(reason: str) -> str:
    """The exit that a reason names first, or else `signal`: what it says besides are its figures."""
    first = reason.split(maxsplit=1)[0] if reason.strip() else ""
    return first if first in _REASONS else Reason.SIGNAL.name.lower()


def kind_of_order(intent: OrderIntent) -> str:
    """The same of a floor's order. What its algorithm did not want is known by its name, whatever its reason says."""
    if is_forced(intent):
        return FORCED_EXIT
    if is_liquidation(intent):
        return EMERGENCY_STOP
    return SYNTHETIC if is_synthetic(intent) else kind_of(intent.reason)


def _key(leg: Leg) -> tuple[object, ...]:
    return leg.at, leg.coin, leg.side


def _unaligned(kernel: Sequence[Leg], floor: list[Leg]) -> list[Pair]:
    """Where no trade has a twin of the same bar: the next of the same coin and side, or none."""
    pairs: list[Pair] = []
    for ours in kernel:
        twin = next((at for at, leg in enumerate(floor) if (leg.coin, leg.side) == (ours.coin, ours.side)), None)
        if twin is None:
            pairs.append(Pair(ours, None))
        else:
            pairs += [Pair(None, each) for each in floor[:twin]]
            pairs.append(Pair(ours, floor[twin]))
            floor = floor[twin + 1 :]
    return pairs + [Pair(None, each) for each in floor]
