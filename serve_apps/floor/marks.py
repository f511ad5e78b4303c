"""What holdings are worth: bids, from the hot cache, or as they were stored."""

from collections.abc import Collection
from decimal import Decimal

from omc.ledger.exchange import HotCache, PriceArchive
from omc.portfolio.marks import last_bids
from serve_apps.patience import newest_board
from serve_apps.wire import LATEST


async def marks_now(hot: HotCache, archive: PriceArchive, coins: Collection[str]) -> dict[str, Decimal]:
    """The newest bid of each coin. The archive stands in for a collector that does not answer; a coin that neither
    knows is left out."""
    board = await newest_board(hot) if coins else None
    known = {coin: board.quotes[coin].bid_aud for coin in coins if coin in board.quotes} if board else {}
    missing = [coin for coin in coins if coin not in known]
    return {**known, **await last_bids(archive, missing, board.time if board else LATEST)}
