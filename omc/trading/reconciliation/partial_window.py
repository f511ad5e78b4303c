"""The history of a position, of which a venue lists only a part.

A *lifecycle* runs from flat to flat: through zero, one ends and the next begins. Of fills that begin in the middle,
what came before is made up for by one synthetic fill, priced so that the average is the venue's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from omc.market.money import eight_places
from omc.trading.fill import Side
from omc.trading.reconciliation.synthetic import Held, Synthetic, bridging


class Adjustment(StrEnum):
    NONE = "none"
    EMPTY = "empty"
    OPENING = "opening"
    """A synthetic fill stands before the listed ones, for those that opened the position."""
    CURRENT = "current"
    """Only what came after the position was flat last."""
    REPLACED = "replaced"
    """One synthetic fill instead of all of them."""


@dataclass(frozen=True, slots=True)
class Step:
    """One listed fill, oldest first."""

    side: Side
    quantity: Decimal
    price_aud: Decimal


@dataclass(frozen=True, slots=True)
class Window:
    """What to take for the history of the position that is held now: the synthetic fills first."""

    adjustment: Adjustment
    synthetic: tuple[Synthetic, ...]
    kept: tuple[Step, ...]

    @property
    def held(self) -> Held:
        """Where it leads to."""
        made = [Step(each.side, each.quantity, each.price_aud) for each in self.synthetic]
        return _after((*made, *self.kept))


def adjusted(name: str, fills: Sequence[Step], venue: Held) -> Window:
    """`fills`, oldest first, made to lead to what the venue holds. `name` says whose position it is."""
    if not fills:
        return Window(Adjustment.EMPTY, (), ())
    if not venue.quantity or (_after(fills).is_like(venue) and not _crossings(fills)):
        return Window(Adjustment.NONE, (), tuple(fills))
    crossings = _crossings(fills)
    if crossings:
        current = _since(fills, crossings[-1])
        if _after(current).is_like(venue):
            return Window(Adjustment.CURRENT, (), current)
        return _replaced(name, venue)
    return _opened(name, fills, venue) or _replaced(name, venue)


def _replaced(name: str, venue: Held) -> Window:
    return Window(Adjustment.REPLACED, bridging(name, Held(), venue), ())


def _opened(name: str, fills: Sequence[Step], venue: Held) -> Window | None:
    """With the opening that leads to the venue's average; None when there is no price for one that does."""
    change = sum((each.quantity if each.side is Side.BUY else -each.quantity for each in fills), Decimal(0))
    missing = venue.quantity - change
    if not missing:
        return None
    # Bought and sold at average cost, what is added on the way weighs on the average, and what is taken does not.
    low, high = Decimal(0), Decimal(0)
    for price in (Decimal(1), Decimal(2)):
        low, high = high, _after(fills, Held(missing, price)).average_aud
    slope = high - low
    if not slope:
        return None
    price = eight_places(1 + (venue.average_aud - low) / slope)
    if price <= 0 or not _after(fills, Held(missing, price)).is_like(venue):
        return None
    return Window(Adjustment.OPENING, bridging(f"{name}:opening", Held(), Held(missing, price)), tuple(fills))


def _after(fills: Sequence[Step], held: Held | None = None) -> Held:
    reached = held or Held()
    for each in fills:
        reached = reached.after(each.side, each.quantity, each.price_aud)
    return reached


def _crossings(fills: Sequence[Step]) -> list[int]:
    """Numbers of the fills after which the position is flat or on the other side."""
    found, before = [], Held()
    for number, each in enumerate(fills):
        after = before.after(each.side, each.quantity, each.price_aud)
        if before.quantity and (not after.quantity or (before.quantity > 0) != (after.quantity > 0)):
            found.append(number)
        before = after
    return found


def _since(fills: Sequence[Step], crossing: int) -> tuple[Step, ...]:
    """What came after a crossing, and the part of the fill that crossed which opened anew."""
    left = _after(fills[: crossing + 1])
    rest = tuple(fills[crossing + 1 :])
    if not left.quantity:
        return rest
    crossed = fills[crossing]
    return (Step(crossed.side, abs(left.quantity), crossed.price_aud), *rest)
