"""What a deployment was worth, bar by bar: its fills against recorded prices."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np

from omc.feature.frame import FloatArray, Frame, as_datetime64
from omc.trading.fill import Fill, Side


def equity_curve(frame: Frame, cash_aud: Decimal, fills: Sequence[Fill]) -> FloatArray:
    """(T,) AUD after the trades of each row, holdings at the bid; a bid that is missing is carried forward, and a coin
    without any counts nothing. Fills after the last row are left out; `fills` may be in any order."""
    moved = np.zeros(len(frame))
    held = np.zeros(frame.bid.shape)
    for fill in fills:
        row = int(np.searchsorted(frame.times, as_datetime64(fill.executed_at)))
        if row == len(frame):
            continue
        buys = fill.side is Side.BUY
        moved[row] += -float(fill.total_aud) if buys else float(fill.total_aud)
        held[row, frame.coins.index(fill.coin)] += float(fill.quantity if buys else -fill.quantity)
    worth = np.nan_to_num(carried_forward(frame.bid)) * np.cumsum(held, axis=0)
    equity: FloatArray = float(cash_aud) + np.cumsum(moved) + worth.sum(axis=1)
    return equity


def carried_forward(price: FloatArray) -> FloatArray:
    """(T, C): each column with its gaps filled by the value before them; NaN before the first."""
    rows = np.where(np.isnan(price), 0, np.arange(len(price))[:, None])
    return np.take_along_axis(price, np.maximum.accumulate(rows, axis=0), axis=0)
