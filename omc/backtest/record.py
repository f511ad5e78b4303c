"""What is kept of a backtest: its figures, thin enough to list, and beside them its whole history."""

from dataclasses import asdict
from typing import Any

from omc.backtest import trips
from omc.backtest.benchmark import buy_and_hold
from omc.backtest.curves import Curves, Execution, History
from omc.backtest.monte_carlo import gains_of_equity, monte_carlo
from omc.backtest.study import Study
from omc.trading.exits import Reason

CONFIDENCE = 0.9
_RUNS, _FEWEST_RUNS = 1_000, 50
_DRAWS = 2_000_000


def results(done: Study) -> dict[str, Any]:
    """As `BacktestRun.results` keeps it: plain JSON."""
    return {
        "metrics": dict(done.metrics),
        "bar_s": done.window.bar_s,
        "trades": len(done.fills),
        "monte_carlo": _drawn_anew(done),
    }


def history(done: Study) -> History:
    """Every bar and every trade of it."""
    simulation = done.simulation
    held = buy_and_hold(done.window, float(done.spec.initial_cash_aud), done.costs.fee_bps.tolist())
    curves = Curves(done.window.times, simulation.equity, simulation.cash, held)
    return History(curves, tuple(Execution(fill, why) for fill, why in zip(done.fills, reasons(done), strict=True)))


def reasons(done: Study) -> list[str]:
    """Why each trade was made."""
    names = {int(reason): reason.name.lower() for reason in Reason}
    return [names[code] for code in done.simulation.trades["reason"].tolist()]


def _drawn_anew(done: Study) -> dict[str, Any] | None:
    """What the same trades could have come to; None where there are too few of them, or too many to draw from."""
    simulation = done.simulation
    made = trips.round_trips(simulation.trades, len(simulation.holdings))
    runs = min(_RUNS, _DRAWS // max(len(made), 1))
    if runs < _FEWEST_RUNS:
        return None
    gains = gains_of_equity(trips.profits(made), simulation.equity[made["opened"]])
    drawn = monte_carlo(gains, runs=runs, confidence=CONFIDENCE)
    return None if drawn is None else {**asdict(drawn), "confidence": CONFIDENCE}
