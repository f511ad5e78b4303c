"""From weights to quantities: where float64 and Decimal meet.

Backtest and floor must buy the same quantity to the last unit, so both run these very functions on the same floats.
The floor hands in floats of decimals on the eight-place grid and the kernel keeps its own state on that grid, where
every decimal has one nearest float64; the results are put back on the grid by integer arithmetic, exactly. Quantities
and prices stay below 2**51 / 10**8, about 22 million, cash below 22 trillion: beyond, a float times the units is no
longer nearest to the integer that it came from.
"""

import numba
import numpy as np

from omc.market.terms import BPS

UNITS = 100_000_000
"""Units of quantity in a coin, and of price in a dollar."""
LARGEST_HOLDING = 20_000_000.0
"""Coins of one kind that a position may reach: well inside the grid."""
_BUY, _SELL = 1, -1


@numba.njit(cache=True, inline="always")
def settled_total(sign: int, quantity: float, price: float, fee_bps: int) -> float:
    """The AUD that move, in whole cents half up: float twin of `settlement.settle`.

    `sign` is +1 to buy and -1 to sell. A float product may be wrong in its last bit, so the cents are guessed in
    float and corrected by their exact remainder: the remainder of the true products is small, hence exact in
    wrapping int64 arithmetic, however much the products themselves overflow.
    """
    numerator = np.int64(np.rint(quantity * UNITS)) * np.int64(np.rint(price * UNITS)) * np.int64(BPS + sign * fee_bps)
    denominator = np.int64(1_000_000_000_000_000_000)  # units * units * bps, over cents
    guess = np.int64(np.rint(quantity * price * (BPS + sign * fee_bps) / BPS * 100.0))
    remainder = np.int64(numerator - guess * denominator)
    half = denominator // 2
    while remainder >= half:
        guess += 1
        remainder -= denominator
    while remainder < -half:
        guess -= 1
        remainder += denominator
    return guess / 100.0


@numba.njit(cache=True, inline="always")
def on_grid(value: float) -> float:
    """The float64 nearest to `value` rounded to eight decimals."""
    return np.rint(value * UNITS) / UNITS


@numba.njit(cache=True, inline="always")
def in_cents(value: float) -> float:
    """The float64 nearest to `value` rounded to whole cents."""
    return np.rint(value * 100.0) / 100.0


@numba.njit(cache=True, inline="always")
def is_dust(held: float, price: float, min_order_aud: float) -> bool:
    """Whether what is `held`, or owed, is too little for the venue to sell: a position is opened on top of it as on
    nothing."""
    return held == 0.0 or abs(held) * price < min_order_aud


@numba.njit(cache=True)
def equity(cash: float, quantity: np.ndarray, mark: np.ndarray) -> float:
    """Cash plus everything held, or owed where less than nothing is, at its mark; a coin without a mark (NaN) counts
    nothing."""
    total = cash
    for c in range(quantity.shape[0]):
        if quantity[c] != 0.0 and not np.isnan(mark[c]):
            total += quantity[c] * mark[c]
    return total


@numba.njit(cache=True)
def quantity_to_sell(
    weight: float, equity_aud: float, held: float, bid: float, band: float, min_order_aud: float
) -> float:
    """How much of `held` to sell so that it is worth `weight` of equity; 0 when there is nothing to do.

    A weight of zero sells all. Otherwise nothing is sold while the excess is within `band`, a fraction of equity, and
    nothing ever that is worth less than the venue's minimum.
    """
    if np.isnan(bid) or held <= 0.0:
        return 0.0
    if weight <= 0.0:
        quantity = held
    else:
        excess = held * bid - weight * equity_aud
        if excess <= band * equity_aud:
            return 0.0
        quantity = min(np.floor(excess / bid * UNITS) / UNITS, held)
    return quantity if quantity * bid >= min_order_aud else 0.0


@numba.njit(cache=True)
def quantity_to_buy(
    weight: float,
    equity_aud: float,
    held: float,
    bid: float,
    ask: float,
    fee_bps: int,
    cash: float,
    band: float,
    min_order_aud: float,
) -> float:
    """How much to buy so that the holding is worth `weight` of equity, as far as `cash` goes; 0 for nothing to do.

    The fee is paid out of the same money, so a weight of one spends the cash and no more. A holding stays within
    LARGEST_HOLDING, whatever the weight.
    """
    if np.isnan(ask) or np.isnan(bid) or weight <= 0.0:
        return 0.0
    shortfall = weight * equity_aud - held * bid
    if shortfall <= band * equity_aud:
        return 0.0
    each = ask * (BPS + fee_bps) / BPS
    quantity = min(np.floor(min(shortfall, cash) / each * UNITS) / UNITS, on_grid(max(LARGEST_HOLDING - held, 0.0)))
    while quantity > 0.0 and settled_total(_BUY, quantity, ask, fee_bps) > cash:
        quantity = on_grid(quantity - 1.0 / UNITS)
    return quantity if quantity * ask >= min_order_aud else 0.0


def check_weights(weights: np.ndarray, coins: int, *, instructions: bool = False, short: bool = False) -> None:
    """Refuse weights of the wrong length, not finite, negative, or adding up to more than all of the equity.

    `instructions` may be NaN, which leaves a coin as it is; where one can sell `short`, -1 is the least.
    """
    if weights.shape[-1:] != (coins,):
        raise ValueError(f"weights have shape {weights.shape}, expected one for each of {coins} coins")
    wanted = np.nan_to_num(weights, nan=0.0, posinf=np.inf, neginf=-np.inf) if instructions else weights
    if not np.isfinite(wanted).all():
        raise ValueError("a weight is not a finite number")
    if short and (abs(wanted) > 1).any():
        raise ValueError("a weight lies outside -1 to 1")
    if not short and ((wanted < 0).any() or (wanted > 1).any()):
        raise ValueError("a weight lies outside 0 to 1: this venue sells nothing that is not held")
    if (abs(wanted).sum(axis=-1) > 1 + 1e-9).any():
        raise ValueError("weights add up to more than 1: more coins than cash")
