"""What is to be done about a difference between our books of an account and what its venue shows. Values: whoever
carries one out twice has done it once."""

from dataclasses import dataclass
from decimal import Decimal

from omc.trading.fill import Fill
from omc.trading.listed import ListedFill, ListedOrder
from omc.trading.order import OrderStatus
from omc.trading.reconciliation.matching import Match


@dataclass(frozen=True, slots=True)
class Settle:
    """An order of ours that was not over: where it stands, and the fills that we had missed."""

    client_order_id: str
    status: OrderStatus
    fills: tuple[Fill, ...] = ()
    venue_order_id: str | None = None


@dataclass(frozen=True, slots=True)
class AddFills:
    """Fills of an order that was over for us already."""

    client_order_id: str
    fills: tuple[Fill, ...]


@dataclass(frozen=True, slots=True)
class LookAgain:
    """This report cannot tell what became of an order."""

    client_order_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Hold:
    """Several things at the venue could be this order: a person must say which."""

    client_order_id: str
    candidates: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class AdoptFill:
    """Somebody else's trade on this account."""

    listed: ListedFill


@dataclass(frozen=True, slots=True)
class AdoptOrder:
    """Somebody else's open order on this account: it is left alone."""

    listed: ListedOrder


@dataclass(frozen=True, slots=True)
class AdoptMovement:
    """Coins or cash that came (or went, below zero) by no trade: a deposit, a withdrawal, a transfer."""

    coin: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Surplus:
    """The venue holds more than anybody can account for."""

    coin: str
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Short:
    """The venue holds less than our books claim: the account is closed until a person accepts it."""

    coin: str
    claimed: Decimal
    held: Decimal

    def __str__(self) -> str:
        return f"{self.coin}: our books claim {self.claimed:f}, the venue holds {self.held:f}"


@dataclass(frozen=True, slots=True)
class Warn:
    message: str


def sentence(step: "Step") -> str:
    """A step in words, for a person; empty for what is told by the comparison itself."""
    match step:
        case Settle(name, status, fills):
            return f"order {name} is {status}" + (f", with {_counted(fills)} that we had missed" if fills else "")
        case AddFills(name, fills):
            return f"order {name} had {_counted(fills)} that we had missed"
        case AdoptFill(listed):
            fill = listed.fill
            return f"fill {fill.fill_id} ({fill.side} {fill.quantity:f} {fill.coin}) is not ours"
        case AdoptOrder(order):
            return f"open order {order.venue_order_id} ({order.side} {order.quantity:f} {order.coin}) is not ours"
        case AdoptMovement(coin, quantity):
            return f"{quantity:f} {coin} {'came' if quantity > 0 else 'went'} by no order"
        case LookAgain(name, why):
            return f"order {name}: {why}"
        case Hold(name, candidates):
            return f"order {name} could be {len(candidates)} things at the venue: a person must say which"
        case Warn(message):
            return message
        case Surplus() | Short():
            return ""


def _counted(fills: tuple[Fill, ...]) -> str:
    return "1 fill" if len(fills) == 1 else f"{len(fills)} fills"


Step = Settle | AddFills | LookAgain | Hold | AdoptFill | AdoptOrder | AdoptMovement | Surplus | Short | Warn
