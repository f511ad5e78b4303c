"""What a decision would have brought: the label that a model learns from."""

import numpy as np

from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame


def gain(frame: Frame, horizon_bars: int, fee_bps: float = 0.0) -> FloatArray:
    """What a coin bought after each row brings by `horizon_bars` bars later, as a fraction of what it cost, (T, C).

    A decision of row t buys at the ask of row t + 1 and sells at the bid of row t + 1 + `horizon_bars`; each side pays
    `fee_bps`. So the label of a row looks `horizon_bars` + 1 rows ahead, and nothing may learn from it before. NaN
    where one of the two was not quoted, and in rows whose future is not there yet.
    """
    if horizon_bars < 1:
        raise InvalidInput(f"a gain over {horizon_bars} bars is none")
    gains = np.full(frame.bid.shape, np.nan)
    fee = fee_bps / 10_000.0
    bought = frame.ask[1:-horizon_bars] * (1.0 + fee)
    sold = frame.bid[1 + horizon_bars :] * (1.0 - fee)
    gains[: len(bought)] = sold / bought - 1.0
    return gains


def label_rows(horizon_bars: int) -> int:
    """How many rows ahead a label looks."""
    return horizon_bars + 1
