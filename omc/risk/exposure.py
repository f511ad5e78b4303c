"""All that a verdict on an order depends on, as it was when it was given."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from omc.market.money import ZERO
from omc.market.terms import Terms
from omc.portfolio.account import Account
from omc.risk.kill_switch import Halt
from omc.risk.limits import Bounds, Limits
from omc.risk.standing import Streak
from omc.trading.deployment import DeploymentStatus


class Level(StrEnum):
    """Whose limits, the nearest first."""

    DEPLOYMENT = "deployment"
    ACCOUNT = "account"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class Figures:
    """One level's limits, and what they are held against. Amounts in AUD at the last bids that were shown, coins that
    never had one at what they cost. Orders that are on their way count as if they were filled."""

    level: Level
    bounds: Bounds
    equity_aud: Decimal
    day_result_aud: Decimal = ZERO
    drawdown: Decimal = ZERO
    held: Decimal = ZERO
    """Of the order's coin, in coins, with what is being bought."""
    gross_aud: Decimal = ZERO
    orders: int = 0
    """Sent within the minute before this one."""
    streak: Streak = field(default=Streak())


@dataclass(frozen=True, slots=True)
class Market:
    """The order's coin in the newest quotes; None where it is not quoted."""

    time: datetime | None = None
    bid_aud: Decimal | None = None
    ask_aud: Decimal | None = None
    behind: timedelta | None = None
    """How long ago they were shown, by our own clock; None where nobody can tell, as of a tape that is played."""


@dataclass(frozen=True, slots=True)
class Reserved:
    """What the deployment's open orders may still take: cash with their fees, and of the order's coin."""

    cash_aud: Decimal = ZERO
    coins: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Exposure:
    account: Account
    status: DeploymentStatus
    levels: tuple[Figures, ...]
    halt: Halt | None = None
    terms: Terms = field(default_factory=Terms)
    market: Market = field(default=Market())
    reserved: Reserved = field(default=Reserved())
    repeats: timedelta | None = None
    """How long before this order the very same was sent, by the quotes that they were sized on."""
    liquidating: bool = False
    """The house sells out after an emergency stop."""

    @classmethod
    def alone(cls, account: Account, limits: Limits, status: DeploymentStatus, equity_aud: Decimal) -> "Exposure":
        """Of a deployment whose limits are the only ones, without orders on their way."""
        return cls(account, status, (Figures(Level.DEPLOYMENT, limits, equity_aud),))
