"""Rates, fees and amounts, traded by the kernel: what is earned, in money and as a part of the stake."""

from collections.abc import Mapping
from math import ceil
from typing import Any

import numpy as np

from omc.backtest.cost import Costs
from omc.backtest.kernel import simulate
from omc.backtest.market import Market
from omc.backtest.orders import Orders
from omc.market.terms import BPS
from omc.trading.exits import Exits

# As large as a step of quantity may be, and prices above 1, so that whole cents do not show.
_LARGEST_STEP = 1_000_000
_USUAL: Mapping[str, Any] = {"exchange": "", "is_short": False, "leverage": 1.0, "mode": "spot", "funding_fees": 0.0}
"""What a row is that does not say it."""


def run(content: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Each row's name, and how it differs from what was expected, if it does."""
    return [_outcome(at, row, content) for at, row in enumerate(content["rows"])]


def _outcome(at: int, values: Any, content: Mapping[str, Any]) -> tuple[str, str | None]:
    try:
        row = {**_USUAL, **dict(zip(content["columns"], values, strict=True))}
        side = "short" if row["is_short"] else "long"
        name = f"profit {at}: {row['exchange']} {side} x{row['leverage']} to {row['close_rate']} at {row['fee_close']}"
        return name, _difference(row, content["setup"])
    except Exception as fault:
        # A row that cannot be carried out takes no other with it.
        return f"profit {at}", f"{type(fault).__name__}: {fault}"


def _difference(row: Mapping[str, Any], setup: Mapping[str, Any]) -> str | None:
    amount, short = float(setup["amount"]), bool(row["is_short"])
    owed = _interest(row, setup)
    # Who borrowed coins buys back the interest with them; who borrowed money pays it in money.
    bought = amount + owed if short else amount
    opened = _cash_moved(amount, setup["open_rate"], setup["fee_open"], buys=not short)
    closed = _cash_moved(bought, row["close_rate"], row["fee_close"], buys=short)
    earned = closed + opened + float(row["funding_fees"] or 0.0) - (0.0 if short else owed)
    ratio = earned / abs(opened) * float(row["leverage"] or 1.0)
    if not abs(earned - row["profit_abs"]) <= 1e-4:
        return f"a profit of {earned:.6f}, expected {row['profit_abs']}"
    if not abs(ratio - row["profit_ratio"]) <= 1e-6:
        return f"a ratio of {ratio:.8f}, expected {row['profit_ratio']}"
    return None


def _interest(row: Mapping[str, Any], setup: Mapping[str, Any]) -> float:
    """On what a margin trade borrowed: coins when short, else the part of the money that leverage added; by the hour
    begun, or (kraken) a charge to open and one for every four hours begun."""
    leverage, short = float(row["leverage"] or 1.0), bool(row["is_short"])
    if row["mode"] != "margin" or (leverage == 1.0 and not short):
        return 0.0
    amount, hours = float(setup["amount"]), float(setup["held_minutes"]) / 60
    borrowed = amount if short else amount * float(setup["open_rate"]) * (leverage - 1) / leverage
    times = 1 + ceil(hours / 4) if row["exchange"] == "kraken" else ceil(hours) / 24
    return borrowed * float(setup["interest_rate_per_day"]) * times


def _cash_moved(amount: float, rate: float, fee: float, *, buys: bool) -> float:
    """AUD that an order moves: negative when paid. A fee between two whole basis points lies between their cash."""
    low = int(np.floor(round(fee * BPS, 9)))
    part = round(fee * BPS - low, 9)
    moved = _traded(amount, rate, low, buys=buys)
    return moved + part * (_traded(amount, rate, low + 1, buys=buys) - moved) if part else moved


def _traded(amount: float, rate: float, fee_bps: int, *, buys: bool) -> float:
    times = 10.0 ** np.floor(np.log10(_LARGEST_STEP / amount))
    lifted = 10.0 ** max(0.0, np.floor(np.log10(10.0 / rate)))
    prices = np.full((3, 1), round(rate * lifted, 8), np.float64)
    costs = Costs(
        np.array([fee_bps], np.int64), min_order_aud=0.0, band=0.0, quantity_step=round(amount * times, 8), short=True
    )
    simulation = simulate(
        Market(prices, prices, prices),
        Orders(np.array([[1.0 if buys else -1.0], [np.nan], [np.nan]])),
        costs,
        cash_aud=np.ceil(1.5 * amount * times * rate * lifted),
        exits=Exits(),
    )
    (trade,) = simulation.trades
    return -float(trade["side"]) * float(trade["total_aud"]) / times / lifted
