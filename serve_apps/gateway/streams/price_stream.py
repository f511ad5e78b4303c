"""The exchange's quotes as a stream: asked of the collector once for a replica, written once for all who ask for the
same coins.

Its numbers are of this replica's life, because quotes are no history: who connects again is told how prices stand.
"""

import asyncio
import logging

from omc.clock import Clock
from omc.errors import OmcError
from omc.ledger.cadence import Cadence
from omc.ledger.exchange import QuoteWatch
from omc.market.quote import QuoteBoard
from omc.trading.stream import Message, MessageType, quote_of, time_text
from serve_apps.gateway.streams.client import Client

_log = logging.getLogger("omc.streams")

_ASK_S = 20.0


class PriceStream:
    """A Stream that is the same for all."""

    def __init__(self, hot: QuoteWatch, clock: Clock, cadence: Cadence) -> None:
        self._hot, self._clock, self._cadence = hot, clock, cadence
        self._board: QuoteBoard | None = None
        self._seq = 0
        self._clients: set[Client] = set()

    async def run(self) -> None:
        """Follow the collector for as long as the replica lives."""
        failures = 0
        while True:
            try:
                board = await self._hot.watch(self._board.time if self._board else None, _ASK_S)
                failures = 0
            except OmcError as error:
                failures += 1
                _log.warning("no prices come in", extra={"error": str(error), "failures": failures})
                await asyncio.sleep(self._cadence.pause_s(failures))
                continue
            if board is not None:
                self._show(board)

    async def join(self, client: Client) -> None:
        quotes = self._board.quotes.values() if self._board else ()
        wanted = client.hello.coins
        data = {
            "quoted_at": time_text(self._board.time) if self._board else None,
            "quotes": [quote_of(quote) for quote in quotes if wanted is None or quote.coin in wanted],
        }
        if client.hello.seq is not None:
            data["reason"] = "prices are no history: this is how they stand"
        client.tell(Message(MessageType.SNAPSHOT, self._seq, self._clock.now(), data))
        self._clients.add(client)

    def leave(self, client: Client) -> None:
        self._clients.discard(client)

    def _show(self, board: QuoteBoard) -> None:
        """Tell what has changed, to those who asked for it; nothing is told twice, and no number is left out."""
        before = self._board.quotes if self._board else {}
        changed = [quote for coin, quote in board.quotes.items() if before.get(coin) != quote]
        self._board = board
        self._seq += 1
        told = {quote.coin: quote_of(quote) for quote in changed}
        texts: dict[frozenset[str] | None, str] = {}
        now, quoted_at = self._clock.now(), time_text(board.time)
        for client in self._clients:
            wanted = client.hello.coins
            if wanted not in texts:
                quotes = [quote for coin, quote in told.items() if wanted is None or coin in wanted]
                data = {"quoted_at": quoted_at, "quotes": quotes}
                texts[wanted] = Message(MessageType.PRICE, self._seq, now, data).text()
            client.deliver(self._seq, texts[wanted])
