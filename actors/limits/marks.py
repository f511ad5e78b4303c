"""What held coins are worth to losses and limits: the newest bid of each, carried on while boards lack it."""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal

from omc.ledger.exchange import PriceArchive
from omc.market.quote import QuoteBoard
from omc.portfolio.marks import last_bids


class Marks:
    """One for a risk desk. A coin that no board has shown since the desk began was quoted last in the archive."""

    def __init__(self, archive: PriceArchive) -> None:
        self._archive = archive
        self._seen: QuoteBoard | None = None
        self._bids: dict[str, Decimal] = {}

    async def of(self, coins: Collection[str], board: QuoteBoard | None, now: datetime) -> dict[str, Decimal]:
        """AUD for one of each of `coins`; one that was never quoted is left out, and counts at what it cost."""
        if board is not None and board is not self._seen:
            self._seen = board
            self._bids |= {coin: quote.bid_aud for coin, quote in board.quotes.items()}
        missing = [coin for coin in coins if coin not in self._bids]
        if missing:
            stored = await last_bids(self._archive, missing, now)
            # A board may have shown it meanwhile.
            self._bids = {**stored, **self._bids}
        return {coin: self._bids[coin] for coin in coins if coin in self._bids}
