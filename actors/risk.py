"""The risk desk: the one place that approves orders, writes ahead that they are sent, sends them, and finds out what
became of those whose answer was lost.

A crash anywhere is recovered by the code that runs anyway: an order that was sent and is not final is looked for at the
venue and settled, before anything else of its account is taken on.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby
from uuid import UUID

import ray

from actors import address
from omc.clock import Clock
from omc.errors import (
    Conflict,
    Halted,
    IllegalTransition,
    OmcError,
    OutcomeUnknown,
    StaleLease,
    Unavailable,
    VenueRefused,
)
from omc.ledger.cadence import Cadence
from omc.ledger.exchange import HotCache
from omc.market.money import ZERO
from omc.market.terms import OrderKind, Terms
from omc.portfolio.account import Account
from omc.risk.book import RiskBook
from omc.risk.check import Exposure, day_result
from omc.risk.kill_switch import KillSwitch
from omc.risk.verdict import Approved, DenialReason, Denied, denial
from omc.trading import books, outcome
from omc.trading.blotter import Blotter
from omc.trading.deployment import Deployment, DeploymentStatus, DeploymentStore, trader_name
from omc.trading.fill import Side
from omc.trading.floor import HaltReport, Reconciliation, Venues
from omc.trading.lease import Lease, LeaseStore
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.venue import Absent, Finding, Placement, Rejected, Venue

_log = logging.getLogger(__name__)
_PAGE = 100
_TAKEN = frozenset({OrderStatus.ACCEPTED, OrderStatus.PARTIAL})
_LOOKS_FOR_TAKEN = 12
"""Two minutes by the usual cadence: no list of a venue's lags that far behind."""
_LOOK_BACK = timedelta(hours=1)
"""A venue whose clock is behind looks for fills before the quote too, so it is told what other orders own there."""


@dataclass(frozen=True)
class RiskPorts:
    """What the risk desk works with."""

    blotter: Blotter
    deployments: DeploymentStore
    leases: LeaseStore
    kill_switch: KillSwitch
    venues: Venues
    quotes: HotCache
    clock: Clock
    terms: Terms = field(default_factory=Terms)
    cadence: Cadence = field(default_factory=lambda: Cadence(every_s=1.0, longest_s=30.0, first_s=0.05))
    """How long to wait between two looks for an order."""
    sell_out_patience_s: float = 30.0
    """How long an emergency sale waits for the account's order under way."""


@dataclass(slots=True)
class _Desk:
    """One deployment's account. `lock` is held by an order from its beginning to its end; `sending` by one call to the
    venue, so that an emergency stop need not wait for an order that cannot be found."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    sending: asyncio.Lock = field(default_factory=asyncio.Lock)
    venue: Venue | None = None


class RiskActor:
    """A RiskDesk. Keys and secrets live in the venues that it opened, and nowhere else."""

    def __init__(self, ports: RiskPorts, name: str = address.RISK, retire: Callable[[], None] = address.die) -> None:
        self._ports = ports
        self._name = name
        self._retire = retire
        self._book = RiskBook()
        self._lease: Lease | None = None
        self._desks: dict[UUID, _Desk] = {}
        self._state = "starting"
        self._settling: set[asyncio.Task[None]] = set()
        self._task = address.background(self._recover(), name)

    def __repr__(self) -> str:
        return self._name

    @ray.method(concurrency_group="control")
    def ping(self) -> str:
        return f"{self._name} {self._state}"

    async def submit(self, intent: OrderIntent, trader: Lease) -> Order | Denied:
        self._in_force()
        desk = self._desk(intent.deployment_id)
        async with desk.lock:
            if await self._ports.leases.current(trader.name) != trader.epoch:
                raise StaleLease(f"{trader.name} of epoch {trader.epoch} was replaced")
            order = await self._ports.blotter.begin(intent)
            order = await self._finish(order, trader, desk)
        return denial(order) if order.status is OrderStatus.DENIED else order

    async def halt(self, user_id: UUID, liquidate: bool) -> HaltReport:
        deployments = await self._deployments_of(user_id)
        reports = await asyncio.gather(*(self._halt_one(each, liquidate) for each in deployments))
        return HaltReport(
            sum(report.cancelled_orders for report in reports),
            tuple(order for report in reports for order in report.sold),
            tuple(problem for report in reports for problem in report.problems),
        )

    async def reconcile(self, deployment_id: UUID) -> Reconciliation:
        self._in_force()
        deployment = await self._ports.deployments.get(deployment_id)
        desk = self._desk(deployment_id)
        async with desk.lock:
            ours = books.ours(await self._ports.blotter.account(deployment_id))
            async with self._sending(desk, deployment) as venue:
                venues = await venue.balances()
        now = self._ports.clock.now()
        return Reconciliation(deployment_id, now, ours, venues, books.differences(ours, venues))

    async def stop(self) -> None:
        """Take on nothing more, and let what is under way come to its end."""
        self._state, self._lease = "stopped", None
        self._task.cancel()
        for desk in self._desks.values():
            async with desk.lock:
                pass

    # Recovery

    async def _recover(self) -> None:
        faults = 0
        while True:
            try:
                lease = await self._ports.leases.take(self._name, address.holder())
                unsettled = await self._ports.blotter.unsettled()
                break
            except Exception:
                _log.exception("risk desk cannot recover yet")
                faults += 1
                await asyncio.sleep(self._ports.cadence.pause_s(faults))
        by_deployment = groupby(
            sorted(unsettled, key=lambda order: order.intent.deployment_id.int),
            key=lambda order: order.intent.deployment_id,
        )
        for deployment_id, orders in by_deployment:
            # Held before anything is taken on, so that these orders come first in their account.
            await self._desk(deployment_id).lock.acquire()
            task = asyncio.create_task(self._settle_all(deployment_id, list(orders)))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
        self._lease, self._state = lease, "running"

    async def _settle_all(self, deployment_id: UUID, orders: list[Order]) -> None:
        """Find and settle what an earlier risk desk left behind. The account's lock is held already."""
        desk, faults = self._desk(deployment_id), 0
        try:
            while orders:
                try:
                    await self._finish(orders[0], await self._lease_of(orders[0].intent), desk)
                    orders.pop(0)
                except Exception:
                    _log.exception("an order cannot be settled yet", extra={"deployment": str(deployment_id)})
                    faults += 1
                    await asyncio.sleep(self._ports.cadence.pause_s(faults))
                    orders[0] = await self._ports.blotter.order(orders[0].intent.client_order_id) or orders[0]
        finally:
            desk.lock.release()

    async def _lease_of(self, intent: OrderIntent) -> Lease | None:
        """The lease of whoever trades that deployment now: it would ask for the same order again."""
        if outcome.is_liquidation(intent):
            return None
        name = trader_name(await self._ports.deployments.get(intent.deployment_id))
        return Lease(name, await self._ports.leases.current(name))

    # One order

    async def _finish(self, order: Order, trader: Lease | None, desk: _Desk) -> Order:
        """Carry an order on from wherever it stands to its end."""
        looks = 0
        while not order.status.final:
            if order.status is OrderStatus.INTENT:
                order = await self._send(order, trader, desk)
                continue
            if looks:
                await asyncio.sleep(self._ports.cadence.pause_s(looks))
            looks += 1
            order = await self._look(order, trader, desk, looks)
        return order

    async def _send(self, order: Order, trader: Lease | None, desk: _Desk) -> Order:
        """Approve an order, write ahead that it is sent, and send it; or store our no."""
        ports, lease = self._ports, self._in_force()
        deployment = await ports.deployments.get(order.intent.deployment_id)
        verdict = self._book.assess(order.intent, await self._exposure(order.intent, deployment, trader is None))
        if isinstance(verdict, Denied):
            return await self._refuse(order, verdict)
        async with self._sending(desk, deployment) as venue:
            try:
                order = await ports.blotter.submitting(order, trader, lease)
            except Halted as no:
                return await self._refuse(order, Denied(order.intent, DenialReason.KILL_SWITCH, str(no)))
            except StaleLease:
                await self._check_own(lease)
                raise
            except IllegalTransition:
                raise
            except Conflict as no:
                return await self._refuse(order, Denied(order.intent, DenialReason.NOT_ACTIVE, str(no)))
            try:
                placement = await _place(venue, replace(verdict, sender=lease))
            except StaleLease:
                await self._check_own(lease)
                raise
        if isinstance(placement, str):
            return await ports.blotter.settle(order.become(OrderStatus.UNKNOWN, message=placement))
        return await ports.blotter.settle(outcome.placed(order, placement))

    async def _refuse(self, order: Order, denied: Denied) -> Order:
        """Our no. An order that was sent once, in vain, has failed; one that never was is denied."""
        if order.status is OrderStatus.INTENT:
            return await self._ports.blotter.deny(order, denied)
        message = f"it never arrived, and may not be sent again: {denied.message}"
        return await self._ports.blotter.settle(order.become(OrderStatus.FAILED, message=message))

    async def _look(self, order: Order, trader: Lease | None, desk: _Desk, looks: int) -> Order:
        """One look for an order that was sent and is not final."""
        try:
            finding = await self._find(order, desk)
        except (OutcomeUnknown, Unavailable) as unsure:
            return await self._in_doubt(order, str(unsure))
        if isinstance(finding, Absent):
            return await (self._lagging(order, looks) if order.status in _TAKEN else self._absent(order, trader, desk))
        found = outcome.placed(order, finding)
        if found == order:
            return order
        return await self._ports.blotter.settle(found)

    async def _find(self, order: Order, desk: _Desk) -> Finding:
        """Whatever of it still works at the venue is cancelled first: no order of ours is meant to rest there."""
        intent = order.intent
        own = {fill.fill_id for fill in order.fills}
        known = await self._ports.blotter.fill_ids(intent.deployment_id, intent.quoted_at - _LOOK_BACK)
        deployment = await self._ports.deployments.get(intent.deployment_id)
        async with self._sending(desk, deployment) as venue:
            finding = await venue.find(intent, intent.quoted_at, known - own)
            if not isinstance(finding, Absent) and finding.open:
                await venue.cancel_all()
                finding = await venue.find(intent, intent.quoted_at, known - own)
        return finding

    async def _lagging(self, order: Order, looks: int) -> Order:
        """The venue said that it took the order, and lists it nowhere. To send it again could make two of one."""
        if looks < _LOOKS_FOR_TAKEN or order.intent.kind is OrderKind.INSTANT:
            return order
        # A limit that neither works nor was filled is off the book; an instant order cannot be, so it is looked for on.
        message = "the venue took it, and it left its book without a fill"
        return await self._ports.blotter.settle(order.become(OrderStatus.CANCELLED, message=message))

    async def _absent(self, order: Order, trader: Lease | None, desk: _Desk) -> Order:
        """The venue never took it, and never can: it is sent again while its quote stands."""
        order = await self._in_doubt(order, "the venue has no trace of it")
        board = await self._ports.quotes.newest()
        if board is None:
            return order
        if outcome.is_fresh(order.intent, board.time):
            return await self._send(order, trader, desk)
        message = "it never reached the venue, and its quote is too old to send it again"
        return await self._ports.blotter.settle(order.become(OrderStatus.FAILED, message=message))

    async def _in_doubt(self, order: Order, message: str) -> Order:
        if order.status is not OrderStatus.SUBMITTED:
            # Unknown already, or taken: that the venue said so must not be forgotten.
            return order
        return await self._ports.blotter.settle(order.become(OrderStatus.UNKNOWN, message=message))

    async def _exposure(self, intent: OrderIntent, deployment: Deployment, liquidating: bool) -> Exposure:
        ports = self._ports
        midnight = datetime.combine(intent.quoted_at.astimezone(UTC).date(), time(), UTC)
        halt = await ports.kill_switch.halted(intent.user_id)
        account = await ports.blotter.account(deployment.id)
        realized = unrealized = ZERO
        if intent.side is Side.BUY:
            # What was lost keeps nobody from selling.
            realized = await ports.blotter.realized_since(deployment.id, midnight)
            unrealized = await self._unrealized(account)
        return Exposure(
            account=account,
            limits=deployment.limits,
            status=deployment.status,
            day_result_aud=day_result(realized, unrealized),
            halt=halt,
            terms=ports.terms,
            liquidating=liquidating,
        )

    async def _unrealized(self, account: Account) -> Decimal:
        """By the newest bids. A coin that is not quoted now counts at its cost, like everything without quotes."""
        if not any(position.quantity for position in account.positions.values()):
            return ZERO
        board = await self._ports.quotes.newest()
        return account.unrealized_aud({coin: quote.bid_aud for coin, quote in board.quotes.items()} if board else {})

    # Emergency stop

    async def _halt_one(self, deployment: Deployment, liquidate: bool) -> HaltReport:
        cancelled, sold, problems = 0, list[Order](), list[str]()
        try:
            cancelled = await self._cancel_all(deployment)
        except OmcError as error:
            problems.append(f"{deployment.name}: open orders may remain: {error}")
        if liquidate:
            try:
                sold, unsold = await self._sell_out(deployment)
                problems += unsold
            except (OmcError, TimeoutError) as error:
                problems.append(f"{deployment.name}: not sold out: {str(error) or 'an order is still under way'}")
        return HaltReport(cancelled, tuple(sold), tuple(problems))

    async def _deployments_of(self, user_id: UUID) -> list[Deployment]:
        owned: list[Deployment] = []
        while True:
            page, total = await self._ports.deployments.page(user_id, len(owned), _PAGE)
            owned += page
            if len(owned) >= total or not page:
                break
        return [each for each in owned if each.status is not DeploymentStatus.STOPPED or await self._holds(each)]

    async def _holds(self, deployment: Deployment) -> bool:
        account = await self._ports.blotter.account(deployment.id)
        return deployment.id in self._desks or any(position.quantity for position in account.positions.values())

    async def _cancel_all(self, deployment: Deployment) -> int:
        async with self._sending(self._desk(deployment.id), deployment) as venue:
            return await venue.cancel_all()

    async def _sell_out(self, deployment: Deployment) -> tuple[list[Order], list[str]]:
        """Sell every position at the newest bid; what was sold, and a sentence for each that was not."""
        ports, desk = self._ports, self._desk(deployment.id)
        self._in_force()
        sold: list[Order] = []
        problems: list[str] = []
        await asyncio.wait_for(desk.lock.acquire(), ports.sell_out_patience_s)
        try:
            account, board = await ports.blotter.account(deployment.id), await ports.quotes.newest()
            for coin, position in account.positions.items():
                quote = board.quotes.get(coin) if board else None
                if position.quantity and (board is None or quote is None):
                    problems.append(f"{deployment.name}: {coin} is not quoted, {position.quantity:f} remain")
                elif position.quantity and board is not None and quote is not None:
                    intent = outcome.liquidation(deployment, position, quote, at=board.time, terms=ports.terms)
                    try:
                        order = await self._finish(await ports.blotter.begin(intent), None, desk)
                    except OmcError as error:
                        # One coin's trouble keeps no other from being sold.
                        problems.append(f"{deployment.name}: {position.quantity:f} {coin} remain: {error}")
                        continue
                    sold += [order] if order.fills else []
                    if order.filled_quantity < position.quantity:
                        left = position.quantity - order.filled_quantity
                        problems.append(f"{deployment.name}: {left:f} {coin} remain: {order.message or order.status}")
        finally:
            desk.lock.release()
        return sold, problems

    # Accounts and leases

    def _desk(self, deployment_id: UUID) -> _Desk:
        return self._desks.setdefault(deployment_id, _Desk())

    @asynccontextmanager
    async def _sending(self, desk: _Desk, deployment: Deployment) -> AsyncIterator[Venue]:
        """The venue, for one call or one sending: one sender a key, and one call at a time."""
        async with desk.sending:
            if desk.venue is None:
                desk.venue = await self._ports.venues.open(deployment)
            yield desk.venue

    def _in_force(self) -> Lease:
        if self._lease is None:
            raise Unavailable(f"the risk desk is {self._state}")
        return self._lease

    async def _check_own(self, lease: Lease) -> None:
        """Another risk desk runs: this one is what a dead node left behind, and must not send another order."""
        if await self._ports.leases.current(lease.name) != lease.epoch:
            self._state, self._lease = "stopped", None
            self._retire()
            raise Unavailable("this risk desk was replaced")


async def _place(venue: Venue, approved: Approved) -> Placement | str:
    """What the venue answered, or why nobody knows."""
    try:
        return await venue.place(approved)
    except VenueRefused as no:
        return Rejected(str(no))
    except (OutcomeUnknown, Unavailable) as unsure:
        return str(unsure)
