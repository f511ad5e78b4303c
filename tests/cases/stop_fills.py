"""Orders with stops and targets, carried out by the kernel: at which bars and prices they are entered and left."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from omc.backtest.cost import Costs
from omc.backtest.kernel import simulate
from omc.backtest.market import Market
from omc.backtest.orders import Orders
from omc.feature.frame import FloatArray
from omc.trading.exits import Exits

_CASH_AUD = 10_000.0


class _Trade(NamedTuple):
    """One that was observed elsewhere."""

    size: float
    entry_bar: int
    exit_bar: int
    entry: float
    exit: float
    stop: float
    take: float


def run(content: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> list[tuple[str, str | None]]:
    """Each scenario's name, and how it differs from what was observed, if it does."""
    scenarios = content["scenarios"] if isinstance(content, Mapping) else content
    return [(scenario.get("name", f"scenario {at}"), _outcome(scenario)) for at, scenario in enumerate(scenarios)]


def _outcome(scenario: Mapping[str, Any]) -> str | None:
    try:
        return _difference(scenario)
    except Exception as fault:
        # A scenario that cannot be carried out takes no other with it.
        return f"{type(fault).__name__}: {fault}"


def _difference(scenario: Mapping[str, Any]) -> str | None:
    bars = np.array(scenario["ohlc"], np.float64)
    params, observed = scenario.get("params") or {}, scenario["observed"]
    cash, at_close = float(params.get("cash", _CASH_AUD)), bool(params.get("trade_on_close", False))
    trades = [
        _Trade(size, entry_bar, exit_bar, entry, left, _price(stop), _price(take))
        for size, entry_bar, exit_bar, entry, left, stop, take in zip(
            *(observed[name] for name in ("Size", "EntryBar", "ExitBar", "EntryPrice", "ExitPrice")),
            *(observed.get(name, [None] * len(observed["Size"])) for name in ("SL", "TP")),
            strict=True,
        )
    ]
    made: list[tuple[float, ...]] = []
    for trade in trades:
        made += _carried_out(trade, bars, cash, at_close)
    expected = [(each.size, each.entry_bar, each.exit_bar, each.entry, each.exit) for each in trades]
    if len(made) != len(expected) or not np.allclose(made, expected, rtol=0.0, atol=1e-6):
        return f"trades {made}, observed {expected}"
    final = cash + sum(size * (left - entry) for size, _, _, entry, left in made)
    final -= sum(observed.get("Commission", []))
    if abs(final - scenario["equity_final"]) > 0.01:
        return f"{final:.2f} at the end, observed {scenario['equity_final']}"
    return None


def _price(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _carried_out(trade: _Trade, bars: FloatArray, cash: float, at_close: bool) -> list[tuple[float, ...]]:
    """(size, entry bar, exit bar, entry price, exit price) of what comes of the order behind a trade."""
    market = Market.candles(*(bars[:, [column]] for column in range(4)))
    long = trade.size > 0
    step = max(float(np.floor(abs(trade.size))), 1e-8) if abs(trade.size) >= 1 else 1e-8
    weight = np.copysign(min(1.0, 1.5 * abs(trade.size) * trade.entry / cash), trade.size)
    nothing = np.full((len(bars), 1), np.nan)
    targets, limits, triggers, stops, takes = (nothing.copy() for _ in range(5))
    decided = trade.entry_bar if at_close else trade.entry_bar - 1
    targets[decided], stops[decided], takes[decided] = weight, trade.stop, trade.take
    opened = bars[trade.entry_bar, 3 if at_close else 0]
    if trade.entry != opened:
        # Towards a worse price than the open's it was a stop, towards a better one a limit.
        waits = triggers if (trade.entry > opened) == long else limits
        waits[decided] = trade.entry
    leaves = bars[trade.exit_bar, 3 if at_close else 0]
    row = trade.exit_bar if at_close else trade.exit_bar - 1
    if not _is_closed_by_itself(trade, bars) and trade.exit == leaves and row > decided:
        targets[row] = 0.0
    costs = Costs(np.array([0], np.int64), min_order_aud=0.0, band=0.0, quantity_step=step, short=True)
    orders = Orders(targets, limits, triggers, stops, takes, at_close=at_close)
    made = simulate(market, orders, costs, cash_aud=cash, exits=Exits()).trades
    if len(made) != 2:
        return []
    entered, left = made[0], made[1]
    return [
        (
            float(entered["side"] * entered["quantity"]),
            int(entered["row"]),
            int(left["row"]),
            float(entered["price_aud"]),
            float(left["price_aud"]),
        )
    ]


def _is_closed_by_itself(trade: _Trade, bars: FloatArray) -> bool:
    """Whether its stop or target is reached in the bar in which it was left, so that nobody had to ask for it."""
    high, low = bars[trade.exit_bar, 1], bars[trade.exit_bar, 2]
    if trade.size > 0:
        return bool(low <= trade.stop or high >= trade.take)
    return bool(high >= trade.stop or low <= trade.take)
