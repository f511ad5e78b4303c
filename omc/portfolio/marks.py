"""What coins fetched when they were last quoted, however long ago: a coin that is not quoted for a while is not worth
what it cost."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from omc.errors import NotFound
from omc.ledger.exchange import PriceArchive
from omc.market.money import from_grid


async def last_bids(archive: PriceArchive, coins: Iterable[str], time: datetime) -> dict[str, Decimal]:
    """The stored bid of each coin at `time`, in AUD; a coin that was never quoted until then is left out."""
    bids = {}
    for coin in coins:
        try:
            # Of one coin alone, every row is one in which it was quoted.
            frame = await archive.tail([coin], time, 1)
        except NotFound:
            continue
        if len(frame):
            bids[coin] = from_grid(float(frame.bid[-1, 0]))
    return bids
