"""The guards that keep orders from being sent twice or lost, each of which can be taken away: then a bug must show."""

from enum import Enum
from typing import Any

from actors.orders.sender import Sender
from actors.risk import RiskActor
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.errors import OutcomeUnknown, Unavailable
from omc.risk.verdict import Approved
from omc.trading.blotter import MemoryBlotter
from omc.trading.deployment import Deployment
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.closure import Closure
from omc.trading.venue import Placement, Rejected


class Guard(Enum):
    WRITE_AHEAD = "write-ahead"
    """Without it, an order is sent before it is written ahead."""
    SINGLE_SENDER = "single-sender"
    """Without it, nobody asks whether the risk desk that sends is the one in force, and anybody gets a nonce."""
    UNKNOWN_STATE = "unknown-state"
    """Without it, an answer that was lost is taken for a rejection."""
    HALT_GATE = "halt-gate"
    """Without it, nobody looks for a halt right before the bytes of an order leave."""
    PROMISE = "promise"
    """Without it, our risk book forgets what it said yes to until that is written ahead."""
    CLOSED_ACCOUNT = "closed-account"
    """Without it, an account on which something is missing is traded on."""


class _Without:
    def __init__(self, of: Any) -> None:
        self._of = of

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of, name)


class _WrittenLate(_Without):
    """A blotter that says it has written ahead, and has not."""

    async def submitting(self, order: Order, trader: Lease | None, risk: Lease) -> Order:
        return order.become(OrderStatus.SUBMITTED)

    async def settle(self, order: Order) -> Order:
        stored = await self._of.order(order.intent.client_order_id)
        if stored is not None and stored.status is OrderStatus.INTENT:
            await self._of.settle(stored.become(OrderStatus.SUBMITTED))
        return await self._of.settle(order)


class _AnyDesk(_Without):
    """A blotter that takes the word of any risk desk."""

    async def submitting(self, order: Order, trader: Lease | None, risk: Lease) -> Order:
        in_force = Lease(risk.name, await self._of.leases.current(risk.name))
        return await self._of.submitting(order, trader, in_force)


class _AnyNonce(_Without):
    """Nonces for whoever asks."""

    async def next(self, account: str, now_ms: int, sender: Lease | None = None) -> int:
        return await self._of.next(account, now_ms, None)


class _SureOfIt(_Without):
    """A venue whose silence is taken for a no."""

    async def place(self, approved: Approved) -> Placement:
        try:
            return await self._of.place(approved)
        except (OutcomeUnknown, Unavailable) as unsure:
            return Rejected(str(unsure))


class _NeverClosed(Sender):
    """A sender that does not hear that its account is closed."""

    @property
    def closed(self) -> Closure:  # type: ignore[override]
        return Closure()

    @closed.setter
    def closed(self, why: Closure) -> None: ...


def guarded(removed: Guard | None, port: Any) -> Any:
    """`port`, without the guard that was removed."""
    match removed, port:
        case Guard.WRITE_AHEAD, MemoryBlotter():
            return _WrittenLate(port)
        case Guard.SINGLE_SENDER, MemoryBlotter():
            return _AnyDesk(port)
        case Guard.SINGLE_SENDER, MemoryNonces():
            return _AnyNonce(port)
        case Guard.UNKNOWN_STATE, _ if hasattr(port, "place"):
            return _SureOfIt(port)
    return port


def without(removed: Guard | None, desk: RiskActor) -> RiskActor:
    """`desk`, without the guard that was removed."""
    senders = desk._senders
    match removed:
        case Guard.HALT_GATE:
            senders.exposures.halts.gate = lambda intent, liquidating: None  # type: ignore[method-assign]
        case Guard.PROMISE:
            senders.exposures._promise = lambda intent: None  # type: ignore[method-assign]
        case Guard.CLOSED_ACCOUNT:
            made = senders.of

            def of(deployment: Deployment) -> Sender:
                sender = made(deployment)
                sender.__class__ = _NeverClosed
                return sender

            senders.of = of  # type: ignore[method-assign]
    return desk
