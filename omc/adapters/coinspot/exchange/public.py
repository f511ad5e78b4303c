"""CoinSpot's public paths, which anybody may get: prices, books and what was traded."""

from collections import deque
from dataclasses import dataclass, field

from omc.adapters.coinspot.exchange.answer import NOT_FOUND, Answer, answered, ok, plain
from omc.adapters.coinspot.exchange.faults import Fault, FaultKind
from omc.adapters.coinspot.exchange.rows import book, by_side, public_trades
from omc.adapters.coinspot.exchange.spoiling import prices, sides
from omc.errors import VenueRefused
from omc.market.quote import QuoteBoard
from omc.trading.fill import Side
from omc.trading.paper.venue import PaperVenue

SHOWN_TRADES = 100
_EARLIER = 8
"""Boards that a stale one may be behind."""
_LONG_AGO = 32
"""Boards that an old one is behind at least."""
_KEPT = 160


@dataclass(slots=True)
class PublicDesk:
    """Only AUD markets are played: the paths of USDT markets answer as if they had none."""

    venue: PaperVenue
    _shown: tuple[QuoteBoard, Answer] | None = field(default=None)
    _earlier: deque[Answer] = field(default_factory=lambda: deque(maxlen=_KEPT))
    """What was shown of the boards before, oldest first."""

    def get(self, path: tuple[str, ...]) -> Answer:
        """`path` is what follows /pubapi/v2/, in parts. VenueRefused with the reason where CoinSpot answers 400."""
        match path:
            case ("latest",):
                return self.latest()
            case ("latest", coin):
                return self._latest_of(coin)
            case ("latest", coin, market):
                return self._latest_of(coin) if market.upper() == "AUD" else NOT_FOUND
            case ("buyprice", coin):
                return self._price(coin, Side.BUY)
            case ("sellprice", coin):
                return self._price(coin, Side.SELL)
            case ("buyprice" | "sellprice", coin, _):
                self._known(coin)
                raise VenueRefused("Bad Market")
            case ("orders", "open", *market):
                return answered(ok(**book(self.venue, self._market(market))))
            case ("orders", "summary", "completed", *market):
                rows = public_trades(self.venue, self._market(market))[:SHOWN_TRADES]
                return answered(ok(orders=[row for _, row in rows]))
            case ("orders", "completed", *market):
                lists = by_side(public_trades(self.venue, self._market(market)))
                return answered(ok(**{name: rows[:SHOWN_TRADES] for name, rows in lists.items()}))
        return NOT_FOUND

    def latest(self) -> Answer:
        """Every quoted coin. A bar is written once, however many ask for it."""
        board = self.venue.board
        if self._shown is None or self._shown[0] is not board:
            if self._shown is not None:
                self._earlier.append(self._shown[1])
            shown = {coin.lower(): sides(quote) for coin, quote in board.quotes.items()}
            self._shown = (board, answered({"status": "ok", "prices": shown}))
        return self._shown[1]

    def spoiled(self, fault: Fault) -> Answer:
        """`latest` by an exchange whose prices are stale, crossed or no numbers. An earlier board is one that somebody
        saw; before there is one, what is said is the truth."""
        truth, earlier = self.latest(), list(self._earlier)
        match fault.kind:
            case FaultKind.STALE_PRICES:
                earlier = earlier[-_EARLIER:]
            case FaultKind.OLD_PRICES:
                earlier = earlier[:-_LONG_AGO]
            case _:
                return answered({"status": "ok", "prices": prices(self.venue.board, fault)})
        return earlier[-1 - int(fault.size * len(earlier))] if earlier else truth

    def _latest_of(self, coin: str) -> Answer:
        quote = self.venue.board.quotes.get(coin.upper())
        if quote is None and coin.upper() in self.venue.coins:
            return answered({"status": "ok", "prices": {"bid": "NaN", "ask": "NaN", "last": "NaN"}})
        return answered({"status": "ok", "prices": sides(quote) if quote else {}})

    def _price(self, coin: str, side: Side) -> Answer:
        quote = self.venue.quote(coin.upper())
        rate = quote.ask_aud if side is Side.BUY else quote.bid_aud
        return answered(ok(rate=plain(rate), market=f"{quote.coin}/AUD"))

    def _market(self, path: list[str]) -> str:
        coin = self._known(path[0] if path else "")
        if len(path) > 1 and path[1:] not in (["AUD"], ["aud"]):
            raise VenueRefused("Invalid market")
        return coin

    def _known(self, coin: str) -> str:
        if coin.upper() not in self.venue.coins:
            raise VenueRefused("Coin not found")
        return coin.upper()
