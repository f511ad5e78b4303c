"""Decimal grids: cents for cash that moves, eight places for everything else."""

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
CENT = Decimal("0.01")
SATOSHI = Decimal("0.00000001")


def cents(amount: Decimal) -> Decimal:
    """Rounded half up to whole cents, as CoinSpot's `audtotal` is."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def eight_places(amount: Decimal) -> Decimal:
    """Rounded half up to eight decimals."""
    return amount.quantize(SATOSHI, ROUND_HALF_UP)


def floor_eight_places(amount: Decimal) -> Decimal:
    """Rounded down to eight decimals: never more than there is."""
    return amount.quantize(SATOSHI, ROUND_FLOOR)


def from_grid(value: float) -> Decimal:
    """The eight-decimal number that `value` is the nearest float64 of.

    Exact for magnitudes below 2**51 / 10**8, about 22 million.
    """
    return Decimal(repr(float(value))).quantize(SATOSHI, ROUND_HALF_UP)
