"""What holdings are worth: bids, from the hot cache, or as they were stored."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

import numpy as np

from omc.errors import NotFound
from omc.ledger.exchange import HotCache, PriceArchive
from omc.market.money import from_grid
from omc.portfolio.equity import carried_forward
from serve_apps.patience import newest_board
from serve_apps.wire import LATEST

# A coin may be missing from the newest bars, for an hour at most before it counts as not quoted.
_BARS_BACK = 12


async def marks_now(hot: HotCache, archive: PriceArchive, coins: Collection[str]) -> dict[str, Decimal]:
    """The newest bid of each coin. The archive stands in for a collector that does not answer; a coin that neither
    knows is left out."""
    board = await newest_board(hot) if coins else None
    known = {coin: board.quotes[coin].bid_aud for coin in coins if coin in board.quotes} if board else {}
    missing = [coin for coin in coins if coin not in known]
    return {**known, **await marks_at(archive, missing, board.time if board else LATEST)}


async def marks_at(archive: PriceArchive, coins: Collection[str], time: datetime) -> dict[str, Decimal]:
    """The stored bid of each coin at `time`; a coin without one is left out."""
    marks = {}
    for coin in coins:
        try:
            frame = await archive.tail([coin], time, _BARS_BACK)
        except NotFound:
            continue
        bids = carried_forward(frame.bid)[:, 0]
        if len(bids) and not np.isnan(bids[-1]):
            marks[coin] = from_grid(float(bids[-1]))
    return marks
