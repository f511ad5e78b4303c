"""What a paper venue keeps of an order: what was executed, and what still rests on its book."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from omc.errors import VenueRefused
from omc.market.terms import OrderKind
from omc.trading.fill import Fill, Side
from omc.trading.settlement import Settlement


class Unit(StrEnum):
    """What the amount of an instant order counts."""

    COIN = "coin"
    AUD = "aud"


class Direction(StrEnum):
    """Which move of the rate an instant order is protected from."""

    UP = "UP"
    DOWN = "DOWN"
    BOTH = "BOTH"


@dataclass(frozen=True, slots=True)
class Protection:
    """The rate that a customer was shown, and by how many percent it may have moved since."""

    rate: Decimal
    threshold_percent: Decimal
    direction: Direction

    def check(self, rate: Decimal) -> None:
        """VenueRefused when `rate` is too far from what was shown."""
        margin = self.rate * self.threshold_percent / 100
        up = self.direction is not Direction.DOWN and rate > self.rate + margin
        down = self.direction is not Direction.UP and rate < self.rate - margin
        if up or down:
            raise VenueRefused("The rate has moved beyond your threshold")


@dataclass(frozen=True, slots=True)
class Swapped:
    """What a swap was paid in, instead of cash."""

    coin: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Execution:
    """One fill of one order. A market order has as many as it took; an instant order has one."""

    execution_id: str
    order_id: str
    account: str
    coin: str
    side: Side
    kind: OrderKind
    quantity: Decimal
    price_aud: Decimal
    """The bid, ask or limit it was filled at, before fees."""
    settlement: Settlement
    executed_at: datetime
    swapped: Swapped | None = None

    @property
    def cash_moved_aud(self) -> Decimal:
        """Into the account; negative when it paid."""
        if self.swapped:
            return Decimal(0)
        return -self.settlement.total_aud if self.side is Side.BUY else self.settlement.total_aud

    @property
    def fill(self) -> Fill:
        return Fill(
            fill_id=self.execution_id,
            coin=self.coin,
            side=self.side,
            quantity=self.quantity,
            total_aud=self.settlement.total_aud,
            fee_aud=self.settlement.fee_aud,
            executed_at=self.executed_at,
        )


@dataclass(frozen=True, slots=True)
class RestingOrder:
    """A limit order, or what is left of it."""

    order_id: str
    account: str
    coin: str
    side: Side
    quantity: Decimal
    price_aud: Decimal
    held_aud: Decimal
    """Cash set aside for a buy, fee included; zero for a sale, which sets aside its coins."""
    created_at: datetime
    filled: int = 0
    """How many executions it has had."""
