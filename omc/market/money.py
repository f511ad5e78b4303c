"""Decimal grids: cents for cash that moves, eight places for everything else."""

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Final

import numpy as np
from numpy.typing import NDArray

from omc.errors import InvalidInput

ZERO = Decimal(0)
CENT = Decimal("0.01")
SATOSHI = Decimal("0.00000001")
_EXACT: Final = 2**51 / 1e8
"""Up to here a float and its product with 1e8 give the units exactly."""
_LARGEST: Final = 9e10
"""As many AUD in units fit into 64 bits."""


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


def money_units(values: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The numbers that `from_grid` makes of `values`, (N,), each times 1e8, and which of them there are: 0 stands for
    NaN. InvalidInput for an amount that no coin was ever worth."""
    known = ~np.isnan(values)
    some = np.where(known, values, 0.0)
    large = np.flatnonzero(np.abs(some) >= _EXACT)
    units = np.rint(np.where(np.abs(some) < _EXACT, some, 0.0) * 1e8).astype(np.int64)
    for row in large.tolist():
        if not abs(some[row]) < _LARGEST:
            raise InvalidInput(f"{some[row]} is no amount of money")
        units[row] = int(from_grid(float(some[row])).scaleb(8))
    return units, known


def from_units(units: int) -> Decimal:
    """Units of 1e-8 as a number of eight decimals."""
    return Decimal(units).scaleb(-8)
