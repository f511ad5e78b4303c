"""A backtest's tear sheet."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import numpy as np

from omc.backtest.run import BacktestRun
from omc.backtest.tearsheet import Curve, dollars, tearsheet
from omc.feature.frame import as_datetime64
from omc.trading.fill import Fill, Side


def page_of(run: BacktestRun, results: Mapping[str, Any]) -> str:
    """The whole page, as the run's stored results tell it."""
    spec, equity = run.spec, results["equity"]
    times = [as_datetime64(datetime.fromisoformat(each)) for each in equity["times"]]
    curve = Curve(np.array(times, "datetime64[us]"), np.array(equity["aud"], np.float64))
    facts = {
        "parameters": ", ".join(f"{name} {value}" for name, value in sorted(spec.parameters.items())),
        "cash": dollars(spec.initial_cash_aud),
        "rebalance band": f"{spec.rebalance_band:.2%}",
        **{name.replace("_", " "): _figure(value) for name, value in results["metrics"].items()},
    }
    about = (
        f"{spec.algorithm_type}, version {run.algorithm_version}, on {', '.join(spec.coins)} "
        f"from {spec.start:%Y-%m-%d %H:%M} to {spec.end:%Y-%m-%d %H:%M} UTC"
    )
    fills = [_fill(at, row) for at, row in enumerate(results["trades"])]
    return tearsheet(f"Backtest {run.id}", {"backtest": curve}, fills, facts, about=about)


def _fill(at: int, row: Sequence[str]) -> Fill:
    time, coin, side, quantity, _, total, fee = row
    return Fill(
        fill_id=str(at),
        coin=coin,
        side=Side(side),
        quantity=Decimal(quantity),
        total_aud=Decimal(total),
        fee_aud=Decimal(fee),
        executed_at=datetime.fromisoformat(time),
    )


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:,.4f}"
