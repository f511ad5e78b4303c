"""What is kept of a backtest: its figures, thin enough to list, and beside them its whole history."""

from typing import Any

import numpy as np

from omc.backtest.benchmark import buy_and_hold
from omc.backtest.curves import Curves, Execution, History
from omc.backtest.kernel import BUY
from omc.backtest.study import Study
from omc.trading.exits import Reason


def results(done: Study) -> dict[str, Any]:
    """As `BacktestRun.results` keeps it: plain JSON."""
    return {"metrics": dict(done.metrics), "costs": paid(done), "trades": len(done.fills)}


def history(done: Study) -> History:
    """Every bar and every trade of it."""
    simulation = done.simulation
    held = buy_and_hold(done.window, float(done.spec.initial_cash_aud), done.costs.fee_bps.tolist())
    curves = Curves(done.window.times, simulation.equity, simulation.cash, held)
    return History(curves, tuple(Execution(fill, why) for fill, why in zip(done.fills, reasons(done), strict=True)))


def paid(done: Study) -> dict[str, float]:
    """AUD that trading cost, by kind: the venue's fees; `spread`, from the middle between bid and ask to the quote; and
    `slippage`, from the quote to the price that was got, negative where it was better."""
    trades, window = done.simulation.trades, done.window
    rows, coins, quantity = trades["row"], trades["coin"], trades["quantity"]
    bid, ask = window.bid[rows, coins], window.ask[rows, coins]
    bought = trades["side"] == BUY
    slipped = np.where(bought, trades["price_aud"] - ask, bid - trades["price_aud"]) * quantity
    return {
        "fees": float(sum(fill.fee_aud for fill in done.fills)),
        "spread": float(((ask - bid) / 2 * quantity).sum()),
        "slippage": float(slipped.sum()),
    }


def reasons(done: Study) -> list[str]:
    """Why each trade was made."""
    names = {int(reason): reason.name.lower() for reason in Reason}
    return [names[code] for code in done.simulation.trades["reason"].tolist()]
