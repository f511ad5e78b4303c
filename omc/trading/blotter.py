"""Orders, fills, accounts and the journal, written before the next step is taken."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol, Self, TypeVar
from uuid import UUID, uuid5

from omc.errors import Conflict, NotFound, Overtaken, StaleLease
from omc.market.money import ZERO
from omc.portfolio.account import Account
from omc.risk.kill_switch import KillSwitch
from omc.risk.verdict import Denied
from omc.trading import outcome
from omc.trading.deployment import Deployment, DeploymentStatus, MemoryDeploymentStore
from omc.trading.fill import Fill, Side
from omc.trading.journal import JournalEntry as JournalEntry
from omc.trading.lease import Lease, LeaseStore
from omc.trading.notice import JOURNALED, Notice, NoticeKind, changed, named_out, same
from omc.trading.order import STANDING, UNSETTLED, Order, OrderIntent, OrderStatus
from omc.trading.reconciliation.acceptance import Adjustment
from omc.trading.slippage import slippage_bps
from omc.trading.told import moved_told, pnl_told, position_told
from omc.trading.tuning import Tuning, check_tunable

_Known = TypeVar("_Known")


@dataclass(frozen=True, slots=True)
class Rebalance:
    """A rebalancing under way: what it began with, so that whoever restarts in its middle sizes the rest alike."""

    quoted_at: datetime
    equity_aud: float
    targets: tuple[float | None, ...]
    """A weight for each of the deployment's coins; None leaves it as it is."""


@dataclass(frozen=True, slots=True)
class TraderMemory:
    """All that a trader must know again after a restart, besides its account and its orders."""

    done_until: datetime | None = None
    """The last quotes that it finished with."""
    decided_at: datetime | None = None
    targets: tuple[float | None, ...] | None = None
    """The weights decided at `decided_at`, one for each coin; None for one that is left as it is."""
    stopped: tuple[bool, ...] | None = None
    """Coins that an exit closed, out until the algorithm lets go of them."""
    rebalance: Rebalance | None = None
    ages: tuple[int | None, ...] | None = None
    """How many bars ago each coin was opened; None for one that is not held."""
    trails: tuple[float | None, ...] | None = None
    """Where each coin's trailing stop stands; None for none."""
    openings: tuple[float | None, ...] | None = None
    """The price that each coin was opened at; None for one that is not held, or as the books say."""
    leaving: tuple[str | None, ...] | None = None
    """Why an exit closes a coin that it could sell in part only, or not at all; None for a coin that stays."""
    heard: int = 0
    """The newest notice that it knows of."""
    wanted: tuple[float, ...] | None = None
    """The weights that the algorithm itself decided last, where it is asked on some bars only."""

    def as_held(self, held: Sequence[float]) -> Self:
        """With an age for whatever is `held` before a bar's first order and for nothing else: others may have sold, or
        bought before ages were remembered."""
        ages = self.ages or (None,) * len(held)
        if [age is not None for age in ages] == [quantity > 0.0 for quantity in held]:
            return self
        return replace(
            self,
            ages=tuple((age or 0) if quantity else None for quantity, age in zip(held, ages, strict=True)),
            trails=_of_held(self.trails, held),
            openings=_of_held(self.openings, held),
            leaving=_of_held(self.leaving, held),
        )

    def told_of(self, coins: Sequence[str], notices: Sequence[Notice]) -> Self:
        """After `notices`, in their order: what is out is not wanted, not even by a rebalancing under way, and counts
        as what an exit closed; what may be bought again is the algorithm's to want."""
        if not notices:
            return self
        out = named_out(coins, notices)
        left = [at for at, is_out in out.items() if is_out]
        begun = self.rebalance
        if begun is not None:
            begun = replace(begun, targets=changed(begun.targets, left, lambda _: None) or ())
        return replace(
            self,
            heard=notices[-1].number,
            stopped=changed(self.stopped or (False,) * len(coins), out, lambda at: out[at]),
            targets=changed(self.targets, left, lambda _: 0.0),
            rebalance=begun,
        )


def _of_held(known: tuple[_Known | None, ...] | None, held: Sequence[float]) -> tuple[_Known | None, ...]:
    """What is `known` of each coin that is held."""
    each = known or (None,) * len(held)
    return tuple(value if quantity else None for quantity, value in zip(held, each, strict=True))


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a deployment wants what it wants."""

    decided_at: datetime
    targets: Mapping[str, float | None]
    why: Mapping[str, str]
    order_ms: tuple[float, ...] = ()
    """How long each order sent on this bar took, from its quotes' arrival to its end: journaled, because whoever
    measured it may not live to tell."""
    printed: str = ""
    """The last of what the algorithm has printed since the decision before."""
    trigger: str = ""
    """What it was asked for, where it is asked on some bars only."""


@dataclass(frozen=True, slots=True)
class Trade:
    """A fill as it is shown to a person, with the order that it belongs to."""

    id: UUID
    deployment_id: UUID
    client_order_id: str
    venue_order_id: str | None
    fill: Fill


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order as it is shown to a person."""

    id: UUID
    order: Order
    created_at: datetime
    updated_at: datetime


def row_id(deployment_id: UUID, client_order_id: str) -> UUID:
    """The id of an order as it is shown; it follows from its name."""
    return uuid5(deployment_id, client_order_id)


class Blotter(Protocol):
    """Every method is one transaction: when it returns, it is durable; when it raises, nothing of it happened."""

    async def begin(
        self, intent: OrderIntent, trader: Lease | None = None, memory: TraderMemory | None = None
    ) -> Order:
        """Journal an intent, and with it what its trader remembers from then on, as `remember` does. An intent that is
        known already is returned as the order it became, and its trader's memory was stored with it. StaleLease when
        `trader`, known or not, is not in force, Overtaken when the memory has not heard of a notice."""
        ...

    async def deny(self, order: Order, denied: Denied, by: Lease | None = None) -> Order:
        """Store and journal our own no, as `denied.of(order)`. StaleLease when `by`, the lease of whoever says so, is
        not the one in force."""
        ...

    async def submitting(self, order: Order, trader: Lease | None, risk: Lease) -> Order:
        """Write ahead that the order is about to be sent: INTENT or UNKNOWN -> SUBMITTED.

        StaleLease when either epoch is not the one in force, Halted when the kill switch is on (AddingHalted when that
        is so for what adds only, and this does), Conflict when the deployment is not active, Overtaken when the coin
        that it buys was sold over its trader's head: checked in the same transaction, so that nothing slips in between.

        Without a trader it is the risk desk's own sale, made to get out after an emergency stop: the risk lease is
        checked, the kill switch and the deployment's status are not; any other order without a trader is a Conflict.
        """
        ...

    async def settle(self, order: Order, by: Lease | None = None) -> Order:
        """Store an order's new status and the fills that it has and the store has not: the fills, the positions,
        the cash and the journal move together, and no fill is ever counted twice. One that is final stays as it is, but
        for fills that come to light.

        `by` is the lease of whoever saw what it became. StaleLease when it is not the one in force: a risk desk that
        was replaced must not change an order between its successor's look and what that makes of it."""
        ...

    async def order(self, client_order_id: str) -> Order | None:
        """One that is carried out in slices has their fills, wherever it is shown; they are counted for the slices."""
        ...

    async def row(self, order_id: UUID, user_id: UUID) -> OrderRow:
        """One order as it is shown. NotFound when there is none of that id, or it is somebody else's."""
        ...

    async def slices(self, client_order_id: str) -> list[Order]:
        """The orders that carry out parts of one, oldest first."""
        ...

    async def sliced(self) -> list[Order]:
        """Orders that are carried out in slices and are not final, oldest first."""
        ...

    async def unsettled(self) -> list[Order]:
        """Orders that were sent and are not final, oldest first."""
        ...

    async def standing(self, user_id: UUID) -> list[OrderRow]:
        """A person's orders that were sent, whole or in slices, and are not final: newest first."""
        ...

    async def placed_as(self, venue_order_ids: Collection[str]) -> list[Order]:
        """The orders that a venue gave one of these ids."""
        ...

    async def adjust(self, before: Account, adjustment: Adjustment, reason: str) -> Account:
        """Make a deployment's books those of its venue, by fills that nobody made and by cash that came or went; the
        account afterwards. Journaled as `synthetic`. Conflict when the books are not as `before` any more."""
        ...

    async def fill_ids(self, deployment_ids: Collection[UUID], since: datetime) -> frozenset[str]:
        """Ids of the fills counted for these deployments since `since`."""
        ...

    async def account(self, deployment_id: UUID) -> Account: ...

    async def brief(self, deployment_id: UUID) -> tuple[Deployment, Account]:
        """A deployment and its account as of one moment. NotFound when there is none."""
        ...

    async def accounts(self, user_id: UUID) -> dict[UUID, Account]:
        """Of all deployments that a person ever made, all of one moment."""
        ...

    async def recall(self, deployment_id: UUID) -> TraderMemory:
        """What a trader remembers, after all notices there are."""
        ...

    async def remember(
        self,
        deployment_id: UUID,
        memory: TraderMemory,
        decision: Decision | None = None,
        *,
        trader: Lease | None = None,
    ) -> None:
        """Store a trader's memory, count an execution and stamp the heartbeat; journal the decision when given.
        Overtaken when there is a notice that the memory has not heard of, StaleLease when `trader` is not in force,
        whose memory is older than its successor's: nothing is stored."""
        ...

    async def notify(
        self, deployment_id: UUID, kind: NoticeKind, coins: Sequence[str], key: str | None = None
    ) -> Notice:
        """Leave a notice for a deployment's trader, and journal it. The same key again returns the first one; Conflict
        when that was another."""
        ...

    async def set_parameters(
        self,
        deployment_id: UUID,
        parameters: Mapping[str, Any],
        *,
        before: Mapping[str, Any],
        once: UUID | None = None,
    ) -> Deployment:
        """Other parameters, from the bar on that its trader has not finished yet: a notice makes it sit down to them,
        and the journal has a `Tuning`. Conflict when it was stopped, Overtaken when they are not `before` any more:
        nothing is changed. The operation `once` has its effect once: had already, it leaves what others have changed
        since."""
        ...

    async def noticed(self, deployment_id: UUID, key: str) -> Notice | None:
        """The notice that was left with that key."""
        ...

    async def done(self, notice: Notice) -> None:
        """What the house did about a notice is over, and the trader must look at the books again."""
        ...

    async def unfinished(self) -> list[Notice]:
        """Notices that the house has not carried out yet, oldest first."""
        ...

    async def orders(
        self, user_id: UUID, deployment_id: UUID | None, offset: int, limit: int
    ) -> tuple[list[OrderRow], int]:
        """Newest first, with the total."""
        ...

    async def trades(
        self,
        user_id: UUID,
        deployment_id: UUID | None,
        offset: int,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[list[Trade], int]:
        """Newest first, with the total; `until` exclusive."""
        ...

    async def journal(
        self, user_id: UUID, deployment_id: UUID | None, kinds: Sequence[str], offset: int, limit: int
    ) -> tuple[list[JournalEntry], int]:
        """Newest first, with the total; no kinds means all."""
        ...

    async def realized_since(self, deployment_id: UUID, since: datetime) -> Decimal:
        """Realized P&L less fees of the fills executed since `since`."""
        ...


@dataclass(slots=True)
class MemoryBlotter:
    """A Blotter that lives and dies with the process. Nothing in it awaits between looking and changing, so each
    method is the one transaction that it promises."""

    deployments: MemoryDeploymentStore
    leases: LeaseStore
    kill_switch: KillSwitch
    _rows: dict[str, OrderRow] = field(default_factory=dict)
    _accounts: dict[UUID, Account] = field(default_factory=dict)
    _earned: dict[tuple[UUID, str], Decimal] = field(default_factory=dict)
    _memories: dict[UUID, TraderMemory] = field(default_factory=dict)
    _notices: dict[UUID, list[Notice]] = field(default_factory=dict)

    async def begin(
        self, intent: OrderIntent, trader: Lease | None = None, memory: TraderMemory | None = None
    ) -> Order:
        await self._check(trader)
        known = self._rows.get(intent.client_order_id)
        if known is not None:
            return self._whole(known.order)
        deployment = await self.deployments.get(intent.deployment_id)
        if deployment.user_id != intent.user_id:
            raise NotFound(f"there is no deployment {intent.deployment_id}")
        if memory is not None:
            await self.remember(intent.deployment_id, memory)
        return self._store(Order(intent))

    async def deny(self, order: Order, denied: Denied, by: Lease | None = None) -> Order:
        await self._check(by)
        return self._store(denied.of(self._stored(order)), reason=denied.reason.value)

    async def submitting(self, order: Order, trader: Lease | None, risk: Lease) -> Order:
        intent = order.intent
        for lease in (trader, risk):
            await self._check(lease)
        outcome.check_trader(intent, trader)
        if trader is not None:
            adding = intent.side is Side.BUY
            halt = await self.kill_switch.halted(intent.user_id, intent.deployment_id, adding=adding)
            if halt is not None:
                raise halt.fault()
            status = (await self.deployments.get(intent.deployment_id)).status
            if status is not DeploymentStatus.ACTIVE:
                raise Conflict(f"the deployment is {status}")
            unheard = self._unheard(intent.deployment_id)
            if adding and any(each.kind is NoticeKind.OUT and intent.coin in each.coins for each in unheard):
                raise Overtaken(f"{intent.coin} was sold at its owner's wish")
        return self._store(self._stored(order).become(OrderStatus.SUBMITTED))

    async def settle(self, order: Order, by: Lease | None = None) -> Order:
        await self._check(by)
        stored = self._stored(order)
        if order.status is not stored.status:
            stored.become(order.status)
        counted = {fill.fill_id for row in self._rows_of(order.intent.deployment_id) for fill in row.order.fills}
        fresh = tuple(fill for fill in order.fills if fill.fill_id not in counted)
        account = await self.account(order.intent.deployment_id)
        for fill in fresh:
            account = self._counted(account, order.intent, fill)
        self._accounts[order.intent.deployment_id] = account
        self.deployments.cash[order.intent.deployment_id] = account.cash_aud
        settled = replace(order, fills=stored.fills + fresh, plan=stored.plan or order.plan)
        if stored.status.final:
            # It has ended, and why is told: only fills that come to light are added.
            settled = replace(stored, fills=stored.fills + fresh)
            if not fresh:
                return self._whole(stored)
        settled = self._whole(settled)
        self._store(
            replace(settled, fills=stored.fills + fresh), fills=[asdict(fill) for fill in fresh], **order_told(settled)
        )
        if fresh:
            owner, deployment_id = order.intent.user_id, order.intent.deployment_id
            self._write("position", owner, deployment_id, position_told(account, order.intent.coin))
            self._write("pnl", owner, deployment_id, pnl_told(account))
        return settled

    async def order(self, client_order_id: str) -> Order | None:
        row = self._rows.get(client_order_id)
        return self._whole(row.order) if row else None

    async def row(self, order_id: UUID, user_id: UUID) -> OrderRow:
        for row in self._rows.values():
            if row.id == order_id and row.order.intent.user_id == user_id:
                return replace(row, order=self._whole(row.order))
        raise NotFound(f"there is no order {order_id}")

    async def slices(self, client_order_id: str) -> list[Order]:
        return [row.order for row in self._rows.values() if row.order.intent.slice_of == client_order_id]

    async def sliced(self) -> list[Order]:
        return [self._whole(row.order) for row in self._rows.values() if row.order.status is OrderStatus.SLICED]

    async def unsettled(self) -> list[Order]:
        return [row.order for row in self._rows.values() if row.order.status in UNSETTLED]

    async def standing(self, user_id: UUID) -> list[OrderRow]:
        rows = [row for row in reversed(self._rows.values()) if row.order.intent.user_id == user_id]
        return [replace(row, order=self._whole(row.order)) for row in rows if row.order.status in STANDING]

    async def placed_as(self, venue_order_ids: Collection[str]) -> list[Order]:
        return [row.order for row in self._rows.values() if row.order.venue_order_id in venue_order_ids]

    async def adjust(self, before: Account, adjustment: Adjustment, reason: str) -> Account:
        deployment_id = adjustment.deployment_id
        owner = (await self.deployments.get(deployment_id)).user_id
        if await self.account(deployment_id) != before:
            raise Conflict(f"the books of deployment {deployment_id} have moved meanwhile")
        account, now = adjustment.of(before), self.deployments.clock.now()
        moving = before
        for order in adjustment.orders(owner, reason):
            key = order.intent.client_order_id
            for fill in order.fills:
                moving = self._counted(moving, order.intent, fill)
            self._rows[key] = OrderRow(uuid5(deployment_id, key), order, now, now)
        self._accounts[deployment_id] = account
        self.deployments.cash[deployment_id] = account.cash_aud
        for kind, data in (("synthetic", adjustment.told(account, reason)), *moved_told(before, account)):
            self._write(kind, owner, deployment_id, data)
        return account

    async def fill_ids(self, deployment_ids: Collection[UUID], since: datetime) -> frozenset[str]:
        return frozenset(
            fill.fill_id
            for each in deployment_ids
            for row in self._rows_of(each)
            for fill in row.order.fills
            if fill.executed_at >= since
        )

    async def account(self, deployment_id: UUID) -> Account:
        if deployment_id not in self._accounts:
            cash_aud = (await self.deployments.get(deployment_id)).cash_aud
            self._accounts[deployment_id] = Account.opened_with(cash_aud)
        return self._accounts[deployment_id]

    async def accounts(self, user_id: UUID) -> dict[UUID, Account]:
        owned = [each.id for each in self.deployments.kept.values() if each.user_id == user_id]
        return {each: await self.account(each) for each in owned}

    async def brief(self, deployment_id: UUID) -> tuple[Deployment, Account]:
        return await self.deployments.get(deployment_id), await self.account(deployment_id)

    async def recall(self, deployment_id: UUID) -> TraderMemory:
        coins = (await self.deployments.get(deployment_id)).coins if self._notices.get(deployment_id) else ()
        return self._memories.get(deployment_id, TraderMemory()).told_of(coins, self._unheard(deployment_id))

    async def remember(
        self,
        deployment_id: UUID,
        memory: TraderMemory,
        decision: Decision | None = None,
        *,
        trader: Lease | None = None,
    ) -> None:
        owner = (await self.deployments.get(deployment_id)).user_id
        await self._check(trader)
        if len(self._notices.get(deployment_id, ())) > memory.heard:
            raise Overtaken("something was done over its trader's head")
        self._memories[deployment_id] = memory
        self.deployments.beat(deployment_id, signal=decision is not None)
        if memory.rebalance is not None:
            self._write("rebalance", owner, deployment_id, asdict(memory.rebalance))
        if decision is not None:
            self._write("decision", owner, deployment_id, asdict(decision))

    async def notify(
        self, deployment_id: UUID, kind: NoticeKind, coins: Sequence[str], key: str | None = None
    ) -> Notice:
        owner = (await self.deployments.get(deployment_id)).user_id
        known = await self.noticed(deployment_id, key) if key is not None else None
        if known is not None:
            return same(known, kind, coins)
        notices = self._notices.setdefault(deployment_id, [])
        notice = Notice(deployment_id, len(notices) + 1, kind, tuple(coins), key, kind is not NoticeKind.OUT)
        notices.append(notice)
        if kind in JOURNALED:
            self._write(JOURNALED[kind], owner, deployment_id, notice.told())
        return notice

    async def set_parameters(
        self,
        deployment_id: UUID,
        parameters: Mapping[str, Any],
        *,
        before: Mapping[str, Any],
        once: UUID | None = None,
    ) -> Deployment:
        deployment, key = await self.deployments.get(deployment_id), str(once) if once else None
        if key is not None and await self.noticed(deployment_id, key) is not None:
            return deployment
        check_tunable(deployment, before)
        await self.notify(deployment_id, NoticeKind.MOVED, (), key)
        last_bar = self._memories.get(deployment_id, TraderMemory()).done_until
        told = Tuning(deployment.parameters, parameters, last_bar).told()
        return self.deployments.tune(deployment_id, parameters, told)

    async def noticed(self, deployment_id: UUID, key: str) -> Notice | None:
        return next((each for each in self._notices.get(deployment_id, ()) if each.key == key), None)

    async def done(self, notice: Notice) -> None:
        notices = self._notices[notice.deployment_id]
        if not notices[notice.number - 1].done:
            notices[notice.number - 1] = replace(notice, done=True)
            notices.append(Notice(notice.deployment_id, len(notices) + 1, NoticeKind.MOVED, notice.coins))

    async def unfinished(self) -> list[Notice]:
        return [each for notices in self._notices.values() for each in notices if not each.done]

    async def _check(self, lease: Lease | None) -> None:
        if lease is not None and await self.leases.current(lease.name) != lease.epoch:
            raise StaleLease(f"the lease {lease.name} of epoch {lease.epoch} was taken by another")

    def _unheard(self, deployment_id: UUID) -> list[Notice]:
        return self._notices.get(deployment_id, [])[self._memories.get(deployment_id, TraderMemory()).heard :]

    async def orders(
        self, user_id: UUID, deployment_id: UUID | None, offset: int, limit: int
    ) -> tuple[list[OrderRow], int]:
        found = [row for row in reversed(self._rows.values()) if _is_of(row.order, user_id, deployment_id)]
        return [replace(row, order=self._whole(row.order)) for row in found[offset : offset + limit]], len(found)

    async def trades(
        self,
        user_id: UUID,
        deployment_id: UUID | None,
        offset: int,
        limit: int,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[list[Trade], int]:
        found = [
            _trade(row.order, fill)
            for row in reversed(self._rows.values())
            if _is_of(row.order, user_id, deployment_id)
            for fill in reversed(row.order.fills)
            if (since is None or fill.executed_at >= since) and (until is None or fill.executed_at < until)
        ]
        found.sort(key=lambda trade: trade.fill.executed_at, reverse=True)
        return found[offset : offset + limit], len(found)

    async def journal(
        self, user_id: UUID, deployment_id: UUID | None, kinds: Sequence[str], offset: int, limit: int
    ) -> tuple[list[JournalEntry], int]:
        return self.deployments.journal.page(user_id, deployment_id, kinds, offset, limit)

    async def realized_since(self, deployment_id: UUID, since: datetime) -> Decimal:
        fills = (fill for row in self._rows_of(deployment_id) for fill in row.order.fills)
        return sum((self.earned(deployment_id, fill) for fill in fills if fill.executed_at >= since), ZERO)

    def _counted(self, account: Account, intent: OrderIntent, fill: Fill) -> Account:
        before, after = account.position(fill.coin), account.apply(fill, intent.quote_price_aud)
        earned = after.position(fill.coin).realized_aud - before.realized_aud - fill.fee_aud
        self._earned[intent.deployment_id, fill.fill_id] = earned
        return after

    def earned(self, deployment_id: UUID, fill: Fill) -> Decimal:
        """What a fill realized, less its fee, by the books as they were when it was counted: one may be listed before
        another that came earlier."""
        return self._earned[deployment_id, fill.fill_id]

    def _rows_of(self, deployment_id: UUID) -> list[OrderRow]:
        return [row for row in self._rows.values() if row.order.intent.deployment_id == deployment_id]

    def _whole(self, order: Order) -> Order:
        """With the fills of its slices."""
        if order.plan is None:
            return order
        name = order.intent.client_order_id
        parts = (row.order for row in self._rows.values() if row.order.intent.slice_of == name)
        return replace(order, fills=tuple(fill for part in parts for fill in part.fills))

    def _stored(self, order: Order) -> Order:
        row = self._rows.get(order.intent.client_order_id)
        if row is None:
            raise NotFound(f"there is no order {order.intent.client_order_id}")
        return row.order

    def _store(self, order: Order, **data: Any) -> Order:
        intent, now = order.intent, self.deployments.clock.now()
        key = intent.client_order_id
        known = self._rows.get(key)
        shown_as, created_at = (known.id, known.created_at) if known else (row_id(intent.deployment_id, key), now)
        self._rows[key] = OrderRow(shown_as, order, created_at, now)
        if order.status in UNSETTLED:
            self.deployments.unsettled[key] = intent.deployment_id, intent.side
        else:
            self.deployments.unsettled.pop(key, None)
        data = {"client_order_id": key, "coin": intent.coin, "side": intent.side.value, **data}
        self._write(order.status.value, intent.user_id, intent.deployment_id, data)
        return order

    def _write(self, kind: str, user_id: UUID, deployment_id: UUID, data: dict[str, Any]) -> None:
        now = self.deployments.clock.now()
        self.deployments.journal.write(user_id, kind, data, at=now, deployment_id=deployment_id)


def order_told(order: Order) -> dict[str, Any]:
    """What the journal says of a settled order beyond its fills: where its limit was moved to; how it is sliced, and in
    the end how far that slipped."""
    data: dict[str, Any] = {}
    if order.limit_aud is not None:
        data["limit_aud"] = order.limit_aud
    if order.plan is not None and order.status is OrderStatus.SLICED:
        data["plan"] = order.plan.as_json()
    if order.plan is not None and order.status.final:
        data["slippage_bps"] = slippage_bps(order)
    return data


def _is_of(order: Order, user_id: UUID, deployment_id: UUID | None) -> bool:
    return order.intent.user_id == user_id and deployment_id in (None, order.intent.deployment_id)


def _trade(order: Order, fill: Fill) -> Trade:
    intent = order.intent
    trade_id = uuid5(intent.deployment_id, fill.fill_id)
    return Trade(trade_id, intent.deployment_id, intent.client_order_id, order.venue_order_id, fill)
