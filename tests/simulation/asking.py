"""What people ask of a floor.

A request is carried out as the floor's own effects do it: first the durable flag, then everything else, each step asked
again until it is done, because requests are finished whether or not anybody still waits.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from actors.handle import RiskHandle
from omc.errors import Conflict, InvalidInput, NotFound, Unavailable, VenueRefused
from omc.market.money import floor_eight_places
from omc.risk.halt_files import PLATFORM, ResetAsked
from omc.risk.kill_switch import Halt, HaltLevel
from omc.trading import outcome
from omc.trading.deployment import Deployment, DeploymentStatus
from omc.trading.floor import Choice
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.venue_book import HeldOrder
from serve_apps.floor.effects import Effects
from serve_apps.floor.stopping import Stopping
from tests.simulation.accounts import OwnKey
from tests.simulation.world import World

_CANCEL_S, _REPLACE_S = 10.0, 20.0
"""How long whoever asks waits for it."""
_WAIT_S, _LOOK_S = 20.0, 0.02
"""How long a person waits for an order that can be cancelled or moved, and how often he looks."""


@dataclass(slots=True)
class Asking:
    world: World
    complaints: dict[str, str] = field(default_factory=dict)
    """What a person could not make known, by order or account."""
    keys: dict[UUID, int] = field(default_factory=dict)
    """How many keys each user has made since the first, and which of them is stored."""
    in_use: dict[UUID, int] = field(default_factory=dict)

    # Halts

    async def stop(self, one: Deployment, reason: str, *, alone: bool, liquidate: bool, level: HaltLevel) -> None:
        place = one.id if alone else None
        await insisted(
            lambda: self._stopping.stop(one.user_id, reason, liquidate, deployment_id=place, level=level),
        )

    async def by_file(self, one: Deployment, *, everybody: bool, alone: bool, level: HaltLevel, late: bool) -> None:
        """By any hand that can write there: nobody is told of it. Late is when an order is on its way already."""
        if late:
            await self._order(0, lambda each: each.status in (OrderStatus.INTENT, OrderStatus.SUBMITTED))
        user, place = (None, None) if everybody else (one.user_id, one.id if alone else None)
        await self.world.halt_files.trip(Halt(user, self.world.clock.now(), "enough", level, place))

    async def reset(self) -> None:
        """Whatever is halted: everybody's own, and the platform by whoever may write to its home."""
        world = self.world
        while PLATFORM in self._halted():
            if world.halt_files.reset_asked() is None:
                mark = world.halt_files.mark(PLATFORM)
                world.halt_files.asked = ResetAsked("its operator", "over", world.clock.now(), mark)
            await asyncio.sleep(0.5)
        for user in world.users:
            # Without a deployment, too: whoever resets does not look first.
            places = {(user, None), *(each for each in self._halted() if each[0] == user)}
            for _, place in sorted(places, key=str):
                await self._release(user, place)
        await self.activate_all()

    def _halted(self) -> set[tuple[UUID | None, UUID | None]]:
        return {each.place for each in (*self.world.halt_files.on(), *self.world.kill_switch.halts.values())}

    async def _release(self, user: UUID, place: UUID | None) -> None:
        while (done := await insisted(lambda: self._stopping.reset(user, "over", place))).problems:
            self.world.tell("not released yet:", *done.problems)

    # Deployments

    async def activate_all(self) -> None:
        for one in self.world.deployed:
            await self.move(one, DeploymentStatus.ACTIVE)

    async def move(self, one: Deployment, status: DeploymentStatus) -> None:
        await insisted(lambda: self._move(one.id, status))

    async def _move(self, deployment_id: UUID, status: DeploymentStatus) -> None:
        effects = self._stopping.effects
        await effects.move(await effects.ports.deployments.get(deployment_id), status)

    @property
    def _stopping(self) -> Stopping:
        ports = self.world.floor_ports()
        return Stopping(ports, Effects(ports))

    async def force_exit(self, one: Deployment, coins: tuple[str, ...], key: str) -> None:
        await insisted(lambda: RiskHandle().force_exit(one.id, coins, key))

    # Orders

    async def cancel(self, which: int) -> None:
        order = await self._order(which, lambda each: not each.status.final)
        if order is not None:
            ending = RiskHandle().cancel(order.intent.client_order_id, "cancelled by its owner")
            await self._asked("cancel", ending, _CANCEL_S)

    async def move_limit(self, which: int) -> None:
        order = await self._order(which, lambda each: outcome.rests(each) and each.intent.good_for_s > 0)
        if order is not None:
            price = floor_eight_places(order.price_aud * (1 + Decimal(which - 4) / 300))
            await self._asked("move", RiskHandle().replace(order.intent.client_order_id, price), _REPLACE_S)

    async def _asked(self, what: str, asked: Awaitable[Any], patience_s: float) -> None:
        """Whoever asked leaves after a while, or after a no; what was asked for goes on."""
        try:
            await asyncio.wait_for(asyncio.shield(asked), patience_s)
        except (TimeoutError, Unavailable, VenueRefused, InvalidInput, Conflict) as no:
            self.world.tell(f"told of the {what}:", repr(no))

    async def _order(self, which: int, wanted: Callable[[Order], bool]) -> Order | None:
        """One that is as wanted, as soon as there is any."""
        until = self.world.loop.time() + _WAIT_S
        while self.world.loop.time() < until:
            found = [row.order for row in self.world.blotter._rows.values() if wanted(row.order)]
            if found:
                return found[which % len(found)]
            await asyncio.sleep(_LOOK_S)
        return None

    # Keys

    async def replace_key(self, one: Deployment) -> None:
        """A new key is made at the venue, stored as soon as no order is under way with the old one, and then the old
        one is ended. Whoever cannot store it in time goes on with the old one."""
        world, user = self.world, one.user_id
        number = self.keys[user] = self.keys.get(user, 0) + 1
        new, old = OwnKey(world, user, number), OwnKey(world, user, self.in_use.get(user, 0))
        new.make()
        store, until = world._store(world.credentials, "credentials"), world.loop.time() + _WAIT_S
        while world.loop.time() < until:
            try:
                await insisted(lambda: store.replace(new.credential()))
            except Conflict as no:
                world.tell("not replaced:", no)
                await asyncio.sleep(_LOOK_S)
            else:
                self.in_use[user] = number
                await asyncio.sleep(2.0)
                old.end()
                return
        new.end()

    # What waits for a person

    async def resolve_all(self) -> None:
        """Every order that is held, as the exchange's own record has it."""
        for held in await self.world.venue_book.held():
            self._end_by_hand(held)
            self.complaints.pop(held.client_order_id, None)
            try:
                await self._resolve(held, truth(self.world, held))
            except (LookupError, Conflict, NotFound, InvalidInput) as no:
                self.complaints[held.client_order_id] = f"{held.client_order_id} cannot be resolved as it was: {no}"

    def _end_by_hand(self, held: HeldOrder) -> None:
        """What rests of an order that is over already is taken off the book at the venue itself."""
        if self.world.blotter._rows[held.client_order_id].order.status.final:
            for order in list(self.world.venue.wallet(held.account).orders.values()):
                if self.world.venue.sent_for[order.order_id] == held.client_order_id:
                    self.world.venue.cancel(held.account, order.side, order.order_id)

    async def _resolve(self, held: HeldOrder, choice: Choice) -> None:
        await insisted(lambda: RiskHandle().resolve(held.client_order_id, choice, str(held.user_id)))

    async def accept(self, one: Deployment) -> None:
        self.complaints.pop(one.account, None)
        try:
            await insisted(lambda: RiskHandle().accept(one.id, str(one.user_id)))
        except Conflict as no:
            self.complaints[one.account] = f"the balances of {one.account} cannot be accepted: {no}"


def truth(world: World, held: HeldOrder) -> Choice:
    """What a held order was, or was besides what is known of it. LookupError when it is none of the things that a
    person may choose from."""
    order = world.blotter._rows[held.client_order_id].order
    ids = {each.order_id for each in world.venue.taken if each.about == held.client_order_id}
    done = Counter((e.quantity, e.settlement.total_aud) for e in world.venue.executions if e.order_id in ids)
    done -= Counter((fill.quantity, fill.total_aud) for fill in order.fills)
    resting = ids & world.venue.wallet(held.account).orders.keys()
    for each in held.candidates:
        listed = Counter((fill.quantity, fill.total_aud) for fill in each.fills)
        if each.venue_order_id is not None and each.venue_order_id in ids:
            if not order.status.final:
                return Choice((), each.venue_order_id)
            # What its owner did to the same cent may be counted for it already: then this is as good as the owner's.
            return Choice(tuple(fill.fill_id for fill in each.fills) if listed <= done else ())
        if each.venue_order_id is None and done and done == listed:
            return Choice(tuple(fill.fill_id for fill in each.fills))
    if done or resting:
        raise LookupError(f"its candidates are {held.candidates}, the venue executed {dict(done)}")
    return Choice()


async def insisted(ask: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until it is done, or refused."""
    while True:
        try:
            return await ask()
        except Unavailable:
            await asyncio.sleep(0.5)
