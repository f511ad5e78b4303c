"""A position of which a part of the fills is listed: rows by their words, each tried on positions of both signs."""

from collections.abc import Sequence
from decimal import Decimal

from omc.trading.fill import Side
from omc.trading.reconciliation.partial_window import Adjustment, Step, Window, adjusted
from omc.trading.reconciliation.synthetic import TOLERANCE, Held, bridging

Outcome = tuple[str, str | None]
Signed = tuple[int, str]
"""A quantity, negative when sold, and its price."""


def steps(*signed: Signed, mirrored: bool = False) -> tuple[Step, ...]:
    turn = -1 if mirrored else 1
    return tuple(
        Step(Side.BUY if turn * quantity > 0 else Side.SELL, Decimal(abs(quantity)), Decimal(price))
        for quantity, price in signed
    )


def held(quantity: int, average: str, *, mirrored: bool = False) -> Held:
    return Held(Decimal(-quantity if mirrored else quantity), Decimal(average))


# What each situation looks like: what is listed, what the venue holds, and what is to be done.
_OPENED = ((100, "10"), (50, "13"))
_SITUATIONS: Sequence[tuple[tuple[str, ...], Sequence[Signed], tuple[int, str], Adjustment]] = (
    (("no fills",), (), (100, "10"), Adjustment.EMPTY),
    (("venue flat", "flat"), _OPENED, (0, "0"), Adjustment.NONE),
    (("all fills", "complete", "captured"), _OPENED, (150, "11"), Adjustment.NONE),
    (("opening fills missing", "incomplete", "missing"), ((50, "13"), (-30, "14")), (120, "11"), Adjustment.OPENING),
    (
        ("crossings, current mismatch", "mismatch", "differ"),
        ((100, "9"), (-100, "12"), (80, "10")),
        (120, "11"),
        Adjustment.REPLACED,
    ),
    (
        ("crossings, current lifecycle matches", "match"),
        ((100, "9"), (-100, "12"), (80, "10"), (40, "13")),
        (120, "11"),
        Adjustment.CURRENT,
    ),
)
_EXPECTED = {
    Adjustment.EMPTY: ("empty",),
    Adjustment.NONE: ("no adjustment",),
    Adjustment.OPENING: ("opening",),
    Adjustment.CURRENT: ("current lifecycle only", "current only", "keep current"),
    Adjustment.REPLACED: ("one synthetic", "single synthetic", "replace"),
}


def outcome(row: Sequence[str]) -> Outcome:
    situation, expected = row
    named = [each for each in _SITUATIONS if any(word in situation.lower() for word in each[0])]
    if not named:
        return situation, "no situation of ours is that"
    _, listed, (quantity, average), wanted = named[0]
    if not any(word in expected.lower() for word in _EXPECTED[wanted]):
        return situation, f"{wanted}, expected {expected}"
    for mirrored in (False, True):
        venue = held(quantity, average, mirrored=mirrored)
        window = adjusted("an account's BTC", steps(*listed, mirrored=mirrored), venue)
        if window.adjustment is not wanted:
            return situation, f"{window.adjustment}, expected {expected}"
        if wrong := _unlike(window, venue):
            return situation, wrong
    return situation, None


def _unlike(window: Window, venue: Held) -> str | None:
    """Whatever is listed leads to what the venue holds; a venue that is flat is not held against old fills."""
    if window.adjustment is Adjustment.EMPTY:
        return "there is something in it" if window.synthetic or window.kept else None
    if not venue.quantity:
        return "something was made up" if window.synthetic else None
    return None if window.held.is_like(venue) else f"it leads to {window.held}, the venue holds {venue}"


_POSITIONS = [
    Held(Decimal(q), Decimal(p)) for q in ("-150", "-7.5", "0", "0.00000001", "100", "150") for p in ("10", "11.37")
]


def invariant(row: str) -> Outcome:
    """Held between every two of some positions."""
    text = row.lower()
    for ours in _POSITIONS:
        for venue in _POSITIONS:
            made = bridging("an account's BTC", ours, venue)
            reached = ours
            for each in made:
                reached = reached.after(each.side, each.quantity, each.price_aud)
            if wrong := _broken(text, ours, venue, reached):
                return row, f"{wrong}: from {ours} to {venue} it came to {reached}"
            if "determin" in text and made != bridging("an account's BTC", ours, venue):
                return row, "other ids the second time"
            if ("determin" in text) and len({each.synthetic_id for each in made}) < len(made):
                return row, "one id for two fills"
    known = any(word in text for word in ("quantity", "average", "pnl", "p&l", "determin"))
    return row, None if known else "no invariant that is known here"


def _broken(text: str, ours: Held, venue: Held, reached: Held) -> str | None:
    if "quantity" in text and reached.quantity != venue.quantity:
        return "another quantity"
    if not venue.quantity or ours.quantity == venue.quantity:
        # Flat has no average; the same quantity keeps the average that our own fills gave it.
        return None
    if "average" in text and abs(reached.average_aud - venue.average_aud) > TOLERANCE * venue.average_aud:
        return "another average"
    if "pnl" in text or "p&l" in text:
        mark = Decimal("12.5")
        off = abs(reached.unrealized_aud(mark) - venue.unrealized_aud(mark))
        if off > TOLERANCE * abs(venue.quantity * venue.average_aud):
            return "another unrealized result"
    return None
