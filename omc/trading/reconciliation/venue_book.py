"""What an account at a venue showed besides our own orders: what was there before us, what others did there since,
which orders of ours wait for a person, and how our books compared last."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from omc.clock import Clock, ManualClock
from omc.errors import Conflict, NotFound
from omc.trading.floor import Reconciliation
from omc.trading.journal import MemoryJournal
from omc.trading.reconciliation.books import moved, summed
from omc.trading.reconciliation.matching import Match
from omc.trading.reconciliation.steps import AdoptFill, AdoptMovement, AdoptOrder
from omc.trading.reconciliation.telling import Adoption, decided, tells_the_same, told_of, told_of_adopted


@dataclass(frozen=True, slots=True)
class Known:
    """One account, as it was last left."""

    account: str
    user_id: UUID
    opening: Mapping[str, Decimal]
    """What it held in all when we first looked, less what our own orders had moved by then."""
    outside: Mapping[str, Decimal]
    """What others' trades, deposits and withdrawals have changed since; below zero where they took."""
    movements: int = 0
    """How many deposits, withdrawals and transfers were adopted."""
    looked_until: datetime | None = None
    """By the venue's clock: what it did before then was seen, as far as its lists do not lag."""
    compared: Reconciliation | None = None
    opened_from: datetime | None = None
    """By the venue's clock: whatever was executed before then, listed or not, is in the opening."""


@dataclass(frozen=True, slots=True)
class HeldOrder:
    """An order of ours that waits for a person, with everything at the venue that it could be; or that it could have
    become besides, when it is known what became of it."""

    order_id: UUID
    client_order_id: str
    user_id: UUID
    deployment_id: UUID
    account: str
    held_at: datetime
    candidates: tuple[Match, ...]
    resolution: Mapping[str, Any] | None = None
    """What the person said, and who that was; None while nobody has."""

    @property
    def ids(self) -> frozenset[str]:
        """Of every fill and order that it could be."""
        return frozenset[str]().union(*(each.ids for each in self.candidates))


class VenueBook(Protocol):
    """Every method is one transaction, and doing one twice is doing it once."""

    async def open(
        self,
        account: str,
        user_id: UUID,
        opening: Mapping[str, Decimal],
        before: frozenset[str],
        since: datetime | None = None,
    ) -> None:
        """Remember an account when it is first looked at; `before` are ids of fills and orders that were there, of
        fills those from `since` on. Who was first is kept."""
        ...

    async def known(self, account: str) -> Known | None: ...

    async def external(self, account: str, since: datetime, named: Collection[str]) -> frozenset[str]:
        """Ids of fills and orders of this account that are not ours, and never will be: of fills executed since
        `since`, of what was there before us, and whichever of those `named`."""
        ...

    async def adopt(self, account: str, found: Sequence[Adoption], *, movements: int) -> int:
        """Remember what others did; how much of it is new, which is journaled as `external`. `movements` is how many
        were known when these were found: if others were adopted since, these movements are not."""
        ...

    async def hold(self, held: HeldOrder) -> None:
        """Remember what an order could be; the candidates of one that is held already are replaced. One that was
        decided waits again only for what nobody decided about."""
        ...

    async def held(self, *, user_id: UUID | None = None, account: str | None = None) -> list[HeldOrder]:
        """Orders that nobody has decided about, oldest first."""
        ...

    async def held_order(self, order_id: UUID, user_id: UUID) -> HeldOrder:
        """Decided or not. NotFound when it was never held, or is somebody else's."""
        ...

    async def resolve(self, client_order_id: str, resolution: Mapping[str, Any]) -> None:
        """Remember what a person decided, and journal it as `resolved`. Conflict when something else was decided."""
        ...

    async def compare(self, account: str, compared: Reconciliation, looked_until: datetime | None) -> None:
        """Remember a comparison; journaled as `reconciliation` when it does not say what the one before said."""
        ...

    async def answer(self, operation: UUID, compared: Reconciliation) -> None:
        """Remember what came of an operation; the first answer is kept."""
        ...

    async def answered(self, operation: UUID) -> Reconciliation | None: ...


def held_anew(before: HeldOrder | None, held: HeldOrder) -> HeldOrder:
    """What is remembered of an order that is to be held, of which `before` was."""
    if before is None:
        return held
    if before.resolution is not None and (before.ids & held.ids or not held.ids):
        return before
    return replace(before, candidates=held.candidates, resolution=None)


@dataclass(slots=True)
class MemoryVenueBook:
    """A VenueBook that lives and dies with the process."""

    clock: Clock = field(default_factory=lambda: ManualClock(datetime(2000, 1, 1, tzinfo=UTC)))
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    _known: dict[str, Known] = field(default_factory=dict)
    _external: dict[str, dict[str, datetime | None]] = field(default_factory=dict)
    """When each of them was executed; None for what was there before us."""
    _orders: dict[str, set[str]] = field(default_factory=dict)
    _held: dict[str, HeldOrder] = field(default_factory=dict)
    _answers: dict[UUID, Reconciliation] = field(default_factory=dict)

    async def open(
        self,
        account: str,
        user_id: UUID,
        opening: Mapping[str, Decimal],
        before: frozenset[str],
        since: datetime | None = None,
    ) -> None:
        if account not in self._known:
            self._known[account] = Known(account, user_id, dict(opening), {}, opened_from=since)
            self._external[account] = dict.fromkeys(before)
            self._orders[account] = set()

    async def known(self, account: str) -> Known | None:
        return self._known.get(account)

    async def external(self, account: str, since: datetime, named: Collection[str]) -> frozenset[str]:
        fills, orders = self._external.get(account, {}), self._orders.get(account, set())
        late = {name for name, executed_at in fills.items() if executed_at is None or executed_at >= since}
        return frozenset(late | {name for name in named if name in fills or name in orders})

    async def adopt(self, account: str, found: Sequence[Adoption], *, movements: int) -> int:
        known = self._of(account)
        fills, orders = self._external[account], self._orders[account]
        fresh: list[Adoption] = []
        for each in found:
            match each:
                case AdoptFill(listed) if listed.fill.fill_id not in fills:
                    fills[listed.fill.fill_id] = listed.fill.executed_at
                    known = replace(known, outside=summed(known.outside, moved([listed.fill])))
                case AdoptOrder(order) if order.venue_order_id not in orders:
                    orders.add(order.venue_order_id)
                case AdoptMovement(coin, quantity) if self._known[account].movements == movements:
                    outside = summed(known.outside, {coin: quantity})
                    known = replace(known, outside=outside, movements=known.movements + 1)
                case _:
                    continue
            fresh.append(each)
        self._known[account] = known
        for each in fresh:
            self._write(known.user_id, "external", told_of_adopted(account, each))
        return len(fresh)

    async def hold(self, held: HeldOrder) -> None:
        self._held[held.client_order_id] = held_anew(self._held.get(held.client_order_id), held)

    async def held(self, *, user_id: UUID | None = None, account: str | None = None) -> list[HeldOrder]:
        return [
            each
            for each in self._held.values()
            if each.resolution is None and user_id in (None, each.user_id) and account in (None, each.account)
        ]

    async def held_order(self, order_id: UUID, user_id: UUID) -> HeldOrder:
        for each in self._held.values():
            if (each.order_id, each.user_id) == (order_id, user_id):
                return each
        raise NotFound(f"no order {order_id} waits for a person")

    async def resolve(self, client_order_id: str, resolution: Mapping[str, Any]) -> None:
        held = self._held[client_order_id]
        if held.resolution is not None:
            if dict(held.resolution) != dict(resolution):
                raise Conflict(f"order {client_order_id} was decided already: {decided(held.resolution)}")
            return
        self._held[client_order_id] = replace(held, resolution=dict(resolution))
        told = {"client_order_id": client_order_id, **resolution}
        self._write(held.user_id, "resolved", told, held.deployment_id)

    async def compare(self, account: str, compared: Reconciliation, looked_until: datetime | None) -> None:
        known = self._of(account)
        until = looked_until or known.looked_until
        self._known[account] = replace(known, compared=compared, looked_until=until)
        if not tells_the_same(known.compared, compared):
            self._write(known.user_id, "reconciliation", told_of(compared))

    async def answer(self, operation: UUID, compared: Reconciliation) -> None:
        self._answers.setdefault(operation, compared)

    async def answered(self, operation: UUID) -> Reconciliation | None:
        return self._answers.get(operation)

    def _of(self, account: str) -> Known:
        if account not in self._known:
            raise NotFound(f"account {account} was never looked at")
        return self._known[account]

    def _write(self, user_id: UUID, kind: str, data: Mapping[str, Any], deployment_id: UUID | None = None) -> None:
        self.journal.write(user_id, kind, data, at=self.clock.now(), deployment_id=deployment_id)
