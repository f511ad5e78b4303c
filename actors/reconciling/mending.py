"""What is done about the differences of one account: orders settled, others' adopted, the comparison remembered."""

import asyncio
import logging
from dataclasses import dataclass, field
from uuid import UUID

from actors import address
from actors.orders.sender import Office, RiskPorts, Sender
from actors.reconciling.accounting import Accounting
from actors.reconciling.comparison import closure_of, compared_of, unbooked
from actors.reconciling.lasting import Lasting
from omc.errors import Conflict, InvalidInput, Unavailable
from omc.trading.blotter import row_id
from omc.trading.deployment import Deployment, DeploymentStatus, trader_name
from omc.trading.floor import Choice, Reconciliation
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation import doubles
from omc.trading.reconciliation.acceptance import accepted
from omc.trading.reconciliation.books import fit
from omc.trading.reconciliation.reading import Reading, Trouble
from omc.trading.reconciliation.resolution import resolution_of, resolved
from omc.trading.reconciliation.shared_account import sharing
from omc.trading.reconciliation.steps import AddFills, AdoptFill, AdoptMovement, AdoptOrder, Hold, Settle, Surplus
from omc.trading.reconciliation.table import moved
from omc.trading.reconciliation.venue_book import HeldOrder

_log = logging.getLogger(__name__)
_LOOKS = 5
"""For a shortage: what is held may be listed later than what was done."""
_TWICE = 1
_PAUSES = 3
_BY_ITSELF = "the venue"
"""Who said what an order became that waited, and of which there is no doubt any more."""


@dataclass(slots=True)
class Watched:
    """One account, as far as this desk has seen it."""

    sender: Sender
    deployment: Deployment
    """One of those that trade it."""
    lasting: frozenset[Trouble] = frozenset()
    """What was looked at for long enough already."""
    unbooked: Lasting = field(default_factory=Lasting)
    """Fills that the sender of an order under way is to store."""


class Mending:
    def __init__(self, ports: RiskPorts, office: Office, accounting: Accounting) -> None:
        self._ports = ports
        self._office = office
        self._accounting = accounting

    async def mend(self, of: Watched, deployment: Deployment) -> Reconciliation:
        """Look at an account until what it holds is explained, or the same is seen again and again; do what is to be
        done, and say how its books compare then. Between two looks its sender has its turn. Unavailable when it does
        not hold still, or cannot be read."""
        before, lease = of.lasting, self._office.in_force()
        for number in range(_LOOKS):
            async with of.sender.lock:
                for order, held in await self._accounting.undone(deployment):
                    await self._settle(of.sender, resolved(order, held))
                reading = await self._accounting.look(of.sender, deployment, number)
                if _is_enough(reading, before, number, known=of.lasting):
                    # Another desk may have begun meanwhile: then this is its account.
                    await of.sender.check_own(lease)
                    return await self._mended(of, deployment, reading)
            before = reading.troubles
            if number < _LOOKS - 1:
                await asyncio.sleep(self._ports.cadence.pause_s(number + _PAUSES))
        raise Unavailable("what the account holds changes while it is looked at")

    async def _mended(self, of: Watched, deployment: Deployment, reading: Reading) -> Reconciliation:
        await self._carry_out(of.sender, deployment, reading)
        late = unbooked(of.unbooked, reading, self._ports.reconcile_every_s)
        compared = compared_of(deployment, reading, late, self._ports.clock.now())
        until = reading.known.looked_until if reading.doubtful else reading.board_time
        await self._ports.venue_book.compare(deployment.account, compared, until)
        held = await self._ports.venue_book.held(account=deployment.account)
        of.lasting = reading.lasting
        of.sender.claimed = reading.external.union(*(each.ids for each in held))
        was, of.sender.closed = of.sender.closed, closure_of(compared, reading, held)
        if of.sender.closed and of.sender.closed != was:
            _log.warning("account closed", extra={"account": deployment.account, "why": str(of.sender.closed)})
        for text in compared.told:
            _log.info("reconciled", extra={"account": deployment.account, "what": text})
        return compared

    async def _carry_out(self, sender: Sender, deployment: Deployment, reading: Reading) -> None:
        orders = {order.intent.client_order_id: order for order in (*reading.ours.sent, *reading.ours.orders)}
        for step in reading.steps:
            match step:
                case AddFills(name, fills):
                    await self._settle(sender, orders[name].filled_by(fills))
                case Settle(name, status, fills, venue_order_id) if orders[name].status is OrderStatus.UNRESOLVED:
                    found = orders[name].filled_by(fills).known_as(venue_order_id)
                    await self._settle(sender, moved(found, status, message="found at the venue"))
                case Hold(name, _) if orders[name].status is OrderStatus.UNRESOLVED or doubles.is_known(orders[name]):
                    await self._ports.venue_book.hold(self._held(deployment, orders[name], step))
                case _:
                    # An order under way is its sender's; what is told is in the comparison.
                    continue
        adopted = [step for step in reading.steps if isinstance(step, AdoptFill | AdoptOrder | AdoptMovement)]
        if adopted:
            await self._ports.venue_book.adopt(deployment.account, adopted, movements=reading.known.movements)
        for held in reading.over:
            counted = tuple(each for each in sorted(held.ids) if each in reading.ours.counted)
            said = resolution_of(Choice(counted), _BY_ITSELF)
            await self._ports.venue_book.resolve(held.client_order_id, said)

    def _held(self, deployment: Deployment, order: Order, hold: Hold) -> HeldOrder:
        intent = order.intent
        return HeldOrder(
            order_id=row_id(intent.deployment_id, intent.client_order_id),
            client_order_id=intent.client_order_id,
            user_id=intent.user_id,
            deployment_id=intent.deployment_id,
            account=deployment.account,
            held_at=self._ports.clock.now(),
            candidates=hold.candidates,
        )

    async def _settle(self, sender: Sender, order: Order) -> Order:
        """Store what became of an order, and let its trader look at its books anew: it knows nothing of this."""
        settled = await sender.settle(order)
        await self._unseat(order.intent.deployment_id)
        return settled

    async def _unseat(self, deployment_id: UUID) -> None:
        deployment = await self._ports.deployments.get(deployment_id)
        if deployment.status is DeploymentStatus.ACTIVE:
            await self._ports.leases.take(trader_name(deployment), address.holder())

    # What a person says: the account's lock is held by whoever asks.

    async def resolve(self, sender: Sender, order: Order, choice: Choice, by: str) -> Order:
        """Conflict when it does not wait, or was decided otherwise; InvalidInput for what it could not be."""
        intent, book = order.intent, self._ports.venue_book
        held = await book.held_order(row_id(intent.deployment_id, intent.client_order_id), intent.user_id)
        said = resolution_of(choice, by) if held.resolution is None else {**resolution_of(choice, by), **_who(held)}
        known = order.status is not OrderStatus.UNRESOLVED
        if held.resolution is None and known and not doubles.is_known(order):
            raise Conflict(f"order {intent.client_order_id} does not wait: it is {order.status}")
        became = resolved(order, held, choice)
        if known and became != order:
            account = await self._ports.blotter.account(intent.deployment_id)
            if not fit(account, became.fills[len(order.fills) :]):
                raise InvalidInput(
                    "the deployment has neither the cash nor the coins for that: it was its owner's then"
                )
        # Decided first: whoever finds it decided and not settled settles it.
        await book.resolve(intent.client_order_id, said)
        return order if became == order else await self._settle(sender, became)

    async def accept(self, of: Watched, deployment: Deployment, by: str) -> None:
        """Make the books of the account the venue's, right after it was looked at. Conflict while an order is in doubt:
        it may be what is missing."""
        reading = await self._accounting.look(of.sender, deployment)
        if reading.doubtful:
            raise Conflict(f"{', '.join(reading.doubtful)}: first it must be known what became of it")
        if reading.lasting != of.lasting or reading.unbooked:
            raise Unavailable("what the account holds changes while it is looked at")
        await self._carry_out(of.sender, deployment, reading)
        board = await self._ports.quotes.newest()
        marks = {coin: quote.bid_aud for coin, quote in board.quotes.items()} if board else {}
        made = accepted(
            sharing(reading.deployments, reading.accounts, reading.under_way),
            reading.report.balances,
            reading.ours.own,
            marks,
            at=board.time if board else self._ports.clock.now(),
            terms=self._ports.terms,
        )
        for each in made:
            before = reading.accounts[each.deployment_id]
            await self._ports.blotter.adjust(before, each, f"the venue's balances were accepted by {by}")
            await self._unseat(each.deployment_id)
        reading = await self._accounting.anew(of.sender, deployment, reading)
        moves = [_movement(step) for step in reading.steps if isinstance(step, AdoptMovement | Surplus)]
        if moves:
            await self._ports.venue_book.adopt(deployment.account, moves, movements=reading.known.movements)


def _is_enough(reading: Reading, before: frozenset[Trouble], number: int, *, known: frozenset[Trouble]) -> bool:
    """Whether a look need not be made again: all is explained, or it is as it was often enough."""
    if not reading.troubles or reading.troubles == known:
        return True
    often = number == _LOOKS - 1 if reading.shorts else number >= _TWICE
    return often and reading.troubles == before


def _movement(step: AdoptMovement | Surplus) -> AdoptMovement:
    return AdoptMovement(step.coin, step.quantity)


def _who(held: HeldOrder) -> dict[str, str]:
    """Asked for again by another of the same mind, it is the same decision."""
    return {"by": str((held.resolution or {}).get("by", ""))}
