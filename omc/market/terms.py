"""What a venue charges and accepts."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

BPS = 10_000


class OrderKind(StrEnum):
    """How an order reaches a venue's price."""

    INSTANT = "instant"
    """Against the venue itself, at its quote, at once."""
    MARKET = "market"
    """On the coin's order book, at a limit; CoinSpot calls its book "the market"."""


# CoinSpot says that 16 coins have an order book and no source lists them all: an assumption, and a setting.
# A deployment on any other coin pays the instant fee.
COINSPOT_MARKET_COINS = frozenset(
    {
        "ADA",
        "BTC",
        "DOGE",
        "EOS",
        "ETH",
        "GAS",
        "LTC",
        "NEO",
        "POWR",
        "RFOX",
        "RHOC",
        "SOL",
        "TRX",
        "USDT",
        "XLM",
        "XRP",
    }
)


@dataclass(frozen=True, slots=True)
class Terms:
    """CoinSpot's published terms unless said otherwise. The minimum order is an assumption: no source states one."""

    market_coins: frozenset[str] = field(default=COINSPOT_MARKET_COINS)
    instant_fee_bps: int = 100
    market_fee_bps: int = 10
    min_order_aud: Decimal = Decimal("1.00")

    def kind(self, coin: str) -> OrderKind:
        """The cheaper way to trade `coin`."""
        return OrderKind.MARKET if coin in self.market_coins else OrderKind.INSTANT

    def fee_bps_of(self, kind: OrderKind) -> int:
        return self.market_fee_bps if kind is OrderKind.MARKET else self.instant_fee_bps

    def fee_bps(self, coin: str) -> int:
        return self.fee_bps_of(self.kind(coin))
