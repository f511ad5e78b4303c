"""Fills that nobody made, to bring a position of ours to what the venue holds, at prices that invent no profit.

Quantities are signed: negative is short. A synthetic fill has the price that leaves the venue's average behind it, so
what is not realized yet is worth the same on both sides; what only closes goes at our own average, and realizes
nothing. Their ids are made of what they say: asked for again on the same state, they are the same.
"""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID, uuid5

from omc.market.money import ZERO, eight_places
from omc.trading.fill import Side

TOLERANCE = Decimal("0.0001")
"""By how much of itself an average may be off."""
_NAMES = UUID("6f0d2a7e-3d5b-5f0a-9a55-0c8f5f1d7b11")


@dataclass(frozen=True, slots=True)
class Held:
    """A position: signed quantity, and the average price that it was opened at."""

    quantity: Decimal = ZERO
    average_aud: Decimal = ZERO

    def after(self, side: Side, quantity: Decimal, price_aud: Decimal) -> "Held":
        """This position after one more fill, at average cost; what crosses zero opens anew at its own price."""
        signed = quantity if side is Side.BUY else -quantity
        now = self.quantity + signed
        if not now:
            return Held()
        if self.quantity and (self.quantity > 0) != (now > 0):
            return Held(now, price_aud)
        if abs(now) < abs(self.quantity):
            return Held(now, self.average_aud)
        return Held(now, (self.quantity * self.average_aud + signed * price_aud) / now)

    def unrealized_aud(self, mark_aud: Decimal) -> Decimal:
        return self.quantity * (mark_aud - self.average_aud)

    def is_like(self, other: "Held", tolerance: Decimal = TOLERANCE) -> bool:
        """The same quantity, at an average that is off by no more than `tolerance` of it."""
        if self.quantity != other.quantity:
            return False
        return not self.quantity or abs(self.average_aud - other.average_aud) <= tolerance * abs(other.average_aud)


@dataclass(frozen=True, slots=True)
class Synthetic:
    synthetic_id: str
    side: Side
    quantity: Decimal
    price_aud: Decimal


def bridging(name: str, ours: Held, venue: Held) -> tuple[Synthetic, ...]:
    """The fills that lead from `ours` to `venue`, none when the quantities agree. `name` says whose position it is:
    the account, and the coin."""
    change = venue.quantity - ours.quantity
    if not change:
        return ()
    apart = ours.quantity and venue.quantity and (ours.quantity > 0) != (venue.quantity > 0)
    if not apart:
        price = _price(ours, venue, change)
        if price is not None:
            return (_one(name, ours, venue, change, price),)
    # Through zero, or to an average that no single fill leads to: closed whole, and opened as the venue has it.
    closed = _one(name, ours, Held(), -ours.quantity, ours.average_aud)
    return closed, _one(name, Held(), venue, venue.quantity, eight_places(venue.average_aud))


def at_worth(name: str, ours: Held, quantity: Decimal, price_aud: Decimal) -> Synthetic:
    """The one fill that leads from `ours` to another `quantity` of its side, for what each is worth: where the venue
    states no average. It realizes what was not realized yet, and makes nobody richer or poorer."""
    told = f"{name}:{eight_places(price_aud):f}"
    return _one(told, ours, Held(quantity, ours.average_aud), quantity - ours.quantity, price_aud)


def _price(ours: Held, venue: Held, change: Decimal) -> Decimal | None:
    """Of the one fill that does it; None when there is none."""
    if abs(venue.quantity) < abs(ours.quantity):
        same = ours.average_aud if not venue.quantity else venue.average_aud
        reached = Held(venue.quantity, ours.average_aud).is_like(Held(venue.quantity, same))
        return eight_places(ours.average_aud) if reached else None
    price = eight_places((venue.quantity * venue.average_aud - ours.quantity * ours.average_aud) / change)
    if price <= 0:
        return None
    side = Side.BUY if change > 0 else Side.SELL
    return price if ours.after(side, abs(change), price).is_like(venue) else None


def _one(name: str, before: Held, after: Held, change: Decimal, price_aud: Decimal) -> Synthetic:
    told = f"{name}:{_text(before)}:{_text(after)}"
    side = Side.BUY if change > 0 else Side.SELL
    return Synthetic(str(uuid5(_NAMES, told)), side, abs(change), price_aud)


def _text(held: Held) -> str:
    return f"{eight_places(held.quantity):f}@{eight_places(held.average_aud):f}"
