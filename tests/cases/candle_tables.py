"""Tables of candles and signals, carried out by the kernel: which trades come of them, why they end, what they earn."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from omc.backtest.cost import Costs
from omc.backtest.kernel import Simulation, simulate
from omc.backtest.market import Market
from omc.backtest.orders import Orders
from omc.feature.frame import FloatArray
from omc.trading.exits import NONE, Exits, Reason

BAR_MINUTES = 60
_CASH_AUD = 10_000_000.0
_REASONS = {
    Reason.SIGNAL: "EXIT_SIGNAL",
    Reason.STOP_LOSS: "STOP_LOSS",
    Reason.TAKE_PROFIT: "ROI",
    Reason.TRAILING_STOP: "TRAILING_STOP_LOSS",
    Reason.END: "FORCE_EXIT",
}
# The whole stake is in one coin, so a band of half of it tells in from out.
_COSTS = Costs(np.array([0], np.int64), min_order_aud=0.0, band=0.5, short=True)


_USUAL: Mapping[str, Any] = {
    "roi": None,
    "trailing_stop": False,
    "trailing_only_offset_is_reached": False,
    "trailing_stop_positive": None,
    "trailing_stop_positive_offset": 0.0,
    "use_exit_signal": False,
}
"""What a table says that does not say it."""


def run(content: Sequence[Mapping[str, Any]] | Mapping[str, Any]) -> list[tuple[str, str | None]]:
    """Each case's id, and how it differs from what was expected, if it does."""
    tables = content
    if isinstance(content, Mapping):
        tables = [case for held in content.values() if isinstance(held, list) for case in held]
    return [(case.get("id", f"table {at}"), _difference({**_USUAL, **case})) for at, case in enumerate(tables)]


def _difference(case: Mapping[str, Any]) -> str | None:
    try:
        trades, earned = _trades(case)
        expected = [
            (each["open_tick"], each["close_tick"], each["exit_reason"], bool(each.get("is_short")))
            for each in case["trades"]
        ]
        promised = float(case["profit_perc"])
    except Exception as fault:
        # A table that cannot be carried out takes no other with it.
        return f"{type(fault).__name__}: {fault}"
    if trades != expected:
        return f"trades {trades}, expected {expected}"
    if not abs(earned - promised) <= 0.0005:
        return f"a profit of {earned:.5f}, expected {promised}"
    return None


def _trades(case: Mapping[str, Any]) -> tuple[list[tuple[int, int, str, bool]], float]:
    """(opening tick, closing tick, reason, short) of each trade, and the sum of their returns."""
    table = np.array([row + [0] * (10 - len(row)) for row in case["data"]], np.float64)
    prices = tuple(table[:, [column]] for column in range(1, 5))
    exits = _exits(case)
    targets = np.full((len(table), 1), np.nan)
    for row in range(len(table)):
        # A signal means something else to who is in and who is out, so each row is decided on what came before.
        before = _simulate(prices, targets, exits, row + 1)
        targets[row] = _decision(table[row, 6:], float(before.holdings[0]), use_exits=bool(case["use_exit_signal"]))
    made, earned, trades = _simulate(prices, targets, exits, len(table), close_at_end=True).trades, 0.0, []
    for opened, closed in zip(made[::2], made[1::2], strict=True):
        side = float(opened["side"])
        earned += side * (closed["price_aud"] / opened["price_aud"] - 1.0)
        reason = _REASONS[Reason(int(closed["reason"]))]
        trades.append((int(table[opened["row"], 0]), int(table[closed["row"], 0]), reason, side < 0))
    return trades, earned


def _simulate(
    prices: Sequence[FloatArray], targets: FloatArray, exits: Exits, rows: int, *, close_at_end: bool = False
) -> Simulation:
    opens, high, low, close = (each[:rows] for each in prices)
    # As they stand: some tables have an open a little outside of its candle.
    kept = Market(opens, opens, close, high, low)
    orders = Orders(targets[:rows])
    return simulate(kept, orders, _COSTS, cash_aud=_CASH_AUD, exits=exits, close_at_end=close_at_end)


def _decision(signals: FloatArray, held: float, *, use_exits: bool) -> float:
    """The target that a row's signals (enter long, exit long, enter short, exit short) set, or NaN for none."""
    enter_long, exit_long, enter_short, exit_short = (bool(signal) for signal in signals)
    if held > 0.0:
        return 0.0 if use_exits and exit_long and not enter_long else NONE
    if held < 0.0:
        return 0.0 if use_exits and exit_short and not enter_short else NONE
    if enter_long and not exit_long and not enter_short:
        return 1.0
    return -1.0 if enter_short and not exit_short and not enter_long else NONE


def _exits(case: Mapping[str, Any]) -> Exits:
    distance, tight = abs(case["stop_loss"]), case["trailing_stop_positive"]
    offset, trailing = case["trailing_stop_positive_offset"], NONE
    if not case["trailing_stop"]:
        tight = None
    elif not case["trailing_only_offset_is_reached"] or not offset:
        trailing = distance
    elif tight is None:
        tight = distance
    return Exits(
        stop_loss=distance if 0.0 < distance < 1.0 else NONE,
        trailing=trailing if trailing < 1.0 else NONE,
        trailing_tight=NONE if tight is None else tight,
        trailing_offset=offset or 0.0,
        take_profit=tuple(sorted((int(minutes) / BAR_MINUTES, gain) for minutes, gain in (case["roi"] or {}).items())),
        reentry=True,
        gaps_at_open=False,
    )
