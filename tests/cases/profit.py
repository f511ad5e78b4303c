"""Rates, fees and amounts, traded by the kernel: what is earned, in money and as a part of the stake."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from omc.backtest.cost import Costs
from omc.backtest.kernel import simulate
from omc.backtest.market import Market
from omc.backtest.orders import Orders
from omc.market.terms import BPS
from omc.trading.exits import Exits

# As large as a step of quantity may be, so that whole cents do not show.
_LARGEST_STEP = 1_000_000


def run(content: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Each row's name, and how it differs from what was expected, if it does."""
    named = [dict(zip(content["columns"], row, strict=True)) for row in content["rows"]]
    return [(_name(at, row), _difference(row, content["setup"])) for at, row in enumerate(named)]


def _name(at: int, row: Mapping[str, Any]) -> str:
    side = "short" if row["is_short"] else "long"
    return f"profit {at}: {row['exchange']} {side} x{row['leverage']} to {row['close_rate']} at {row['fee_close']}"


def _difference(row: Mapping[str, Any], setup: Mapping[str, Any]) -> str | None:
    opened, closed = _cash_moved(row, setup)
    earned = closed + opened + float(row["funding_fees"] or 0.0)
    ratio = earned / abs(opened) * float(row["leverage"] or 1.0)
    if abs(earned - row["profit_abs"]) > 1e-4:
        return f"a profit of {earned:.6f}, expected {row['profit_abs']}"
    if abs(ratio - row["profit_ratio"]) > 1e-6:
        return f"a ratio of {ratio:.8f}, expected {row['profit_ratio']}"
    return None


def _cash_moved(row: Mapping[str, Any], setup: Mapping[str, Any]) -> tuple[float, float]:
    """AUD that opening and closing move, each under its own fee: negative when paid."""
    amount, goal = float(setup["amount"]), -1.0 if row["is_short"] else 1.0
    times = 10.0 ** np.floor(np.log10(_LARGEST_STEP / amount))
    prices = np.array([[setup["open_rate"]], [setup["open_rate"]], [row["close_rate"]]], np.float64)
    legs = []
    for leg, fee in enumerate((setup["fee_open"], row["fee_close"])):
        costs = Costs(
            np.array([round(fee * BPS)], np.int64),
            min_order_aud=0.0,
            band=0.0,
            quantity_step=amount * times,
            short=True,
        )
        simulation = simulate(
            Market(prices, prices, prices),
            Orders(np.array([[goal], [0.0], [np.nan]])),
            costs,
            cash_aud=np.ceil(1.5 * amount * times * float(setup["open_rate"])),
            exits=Exits(),
        )
        trade = simulation.trades[leg]
        legs.append(-float(trade["side"]) * float(trade["total_aud"]) / times)
    return legs[0], legs[1]
