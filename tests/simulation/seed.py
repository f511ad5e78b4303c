"""One seed from its beginning to its end: a floor is set up, troubled, left in peace, and then examined."""

import hashlib
from collections.abc import Callable, Iterator
from contextvars import Context
from dataclasses import dataclass
from typing import Any

from actors.handle import RiskHandle
from omc.errors import Unavailable
from omc.trading.deployment import Deployment
from omc.trading.order import OrderStatus
from tests.simulation.guards import Guard
from tests.simulation.invariants import violations
from tests.simulation.loop import Stuck
from tests.simulation.people import Outside
from tests.simulation.rest import at_rest, unrest
from tests.simulation.scenario import ORDERS_A_BAR, Scenario
from tests.simulation.weather import at_once
from tests.simulation.world import World, found_in

_LOOK_EVERY_S = 1.0
_PATIENCE_S = 900.0
"""How long a floor in fair weather may take to come to rest."""
_VISITS, _VISIT_EVERY_S = 8, 45.0
"""How often a person comes by to see to what waits for one."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a seed. `digest` names the whole journal and the whole record of the exchange."""

    seed: int
    violations: tuple[str, ...]
    digest: str
    orders: int
    held: int
    """How many had to wait for a person."""
    deaths: int
    calls: int
    virtual_s: float


def run(seed: int, guard: Guard | None = None, trace: Callable[[str], None] | None = None) -> Outcome:
    world = World(Scenario.of(seed), guard, trace)
    outside = Outside(world)
    found = played(world, outside)
    outcome = Outcome(
        seed,
        tuple(found),
        digest(world),
        len(world.venue.taken),
        sum(entry.kind == OrderStatus.UNRESOLVED for _, entry in world.deployments.journal.lines),
        world.hosts.deaths,
        world.wire.calls,
        world.loop.time(),
    )
    world.end()
    return outcome


def played(world: World, outside: Outside) -> list[str]:
    """What is found in a world that is played to its end."""
    with found_in(world.hosts):
        try:
            found = Context().run(world.loop.run_until_complete, _play(world, outside))
        except Stuck:
            found = ["everything waits for something that never comes"]
    return found + [f"a fault that nobody expected: {fault}" for fault in world.loop.faults]


async def _play(world: World, outside: Outside) -> list[str]:
    for each in world.wanted():
        await world.deployments.create(each)
    world.start()
    outside.arrange()
    await _pass(world, world.scenario.fair_s)
    if not await _rests(world, outside):
        return [*violations(world, outside), *(f"does not come to rest: {each}" for each in unrest(world, outside))]
    # Whatever came last is seen.
    unread = [each for each in [await _compared(world, each) for each in world.wanted()] if isinstance(each, str)]
    tidied = await _tidied(world, outside) if world.scenario.tidy else []
    return [*unread, *tidied, *violations(world, outside), *await _told(world)]


async def _rests(world: World, outside: Outside) -> bool:
    # What rests on the book may do so for its whole time, one order of a bar after the other.
    resting_s = world.scenario.bars * ORDERS_A_BAR * world.scenario.execution.good_for_s
    until = world.loop.time() + _PATIENCE_S + resting_s
    while not at_rest(world, outside):
        if world.loop.time() > until:
            return False
        await _pass(world, _LOOK_EVERY_S)
    return True


async def _tidied(world: World, outside: Outside) -> list[str]:
    """What is left, once a person has seen to everything that waits for one."""
    for _ in range(_VISITS):
        waiting = list(_waiting(world))
        if not waiting:
            return []
        await outside.asking.resolve_all()
        for each in world.deployed:
            known = await world.venue_book.known(each.account)
            if known is not None and known.compared is not None and known.compared.closed:
                await outside.asking.accept(each)
        await _pass(world, _VISIT_EVERY_S)
        if not await _rests(world, outside):
            return [f"does not come to rest: {each}" for each in unrest(world, outside)]
    return [*_waiting(world), *outside.asking.complaints.values()]


def _waiting(world: World) -> Iterator[str]:
    for name, row in world.blotter._rows.items():
        if row.order.status is OrderStatus.UNRESOLVED:
            yield f"{name} still waits, whatever a person says: {row.order.message}"
    for held in at_once(world.venue_book.held()):
        yield f"{held.client_order_id} is still held, whatever a person says: {held.candidates}"
    for known in world.venue_book._known.values():
        if known.compared is not None and known.compared.closed:
            yield f"{known.account} stays closed, whatever a person says: {known.compared.closed}"


async def _told(world: World) -> list[str]:
    """What the floor itself says of its books beside the venue's, where nothing waits for a person."""
    if any(True for _ in _waiting(world)) or (world.scenario.takes and not world.scenario.tidy):
        return []
    found: list[str] = []
    for each in world.wanted():
        compared = await _compared(world, each)
        found += compared if isinstance(compared, list) else [compared]
    return found


async def _compared(world: World, of: Deployment) -> list[str] | str:
    """What is different between the books of a deployment's account and the venue's; or why that cannot be said."""
    until = world.loop.time() + _PATIENCE_S
    while True:
        try:
            found = await RiskHandle().reconcile(of.id)
        except Unavailable as fault:
            # Whoever died last may still be coming up.
            if world.loop.time() > until:
                return f"{of.name} cannot be reconciled: {fault}"
            await _pass(world, _LOOK_EVERY_S)
        else:
            return [f"{of.name} is not reconciled: {difference}" for difference in found.differences]


async def _pass(world: World, seconds: float) -> None:
    passed = world.loop.create_future()
    world.loop.call_later(seconds, passed.set_result, None)
    await passed


def digest(world: World) -> str:
    """The same for the same history, to the bit."""
    told = hashlib.sha256()
    for _, entry in world.deployments.journal.lines:
        told.update(repr((entry.seq, entry.kind, entry.deployment_id, entry.recorded_at, _plain(entry.data))).encode())
    for each in world.venue.taken:
        told.update(repr(each).encode())
    for done in world.venue.executions:
        told.update(repr(done).encode())
    return told.hexdigest()[:16]


def _plain(data: Any) -> Any:
    return sorted((str(key), repr(value)) for key, value in data.items())
