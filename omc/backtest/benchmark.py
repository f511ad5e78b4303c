"""What doing nothing would have been worth: the same coins, bought once in equal parts and held."""

from collections.abc import Sequence

import numpy as np

from omc.feature.frame import FloatArray, Frame
from omc.market.terms import BPS


def buy_and_hold(window: Frame, cash_aud: float, fee_bps: Sequence[int]) -> FloatArray:
    """(T,) AUD after each row, with an equal part of the cash for each coin.

    Like any decision, it is made on the first row and carried out at the next at which the coin is quoted: at the ask,
    with the fee inside. What is held is worth the bid, or the last one known.
    """
    rows, coins = window.bid.shape
    part = cash_aud / coins
    worth = np.zeros(rows)
    for c, fee in enumerate(fee_bps):
        quoted = np.flatnonzero(~np.isnan(window.ask[1:, c] + window.bid[1:, c])) + 1
        if not len(quoted):
            worth += part
            continue
        bought = int(quoted[0])
        quantity = part / (1 + fee / BPS) / window.ask[bought, c]
        bid = window.bid[bought:, c]
        known = np.maximum.accumulate(np.where(np.isnan(bid), 0, np.arange(len(bid))))
        worth[:bought] += part
        worth[bought:] += quantity * bid[known]
    return worth
