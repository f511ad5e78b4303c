"""Whether a floor has come to rest: nothing is under way, and whoever may trade has traded to the end of the tape."""

from collections.abc import Iterator

from actors import address
from omc.trading.deployment import Deployment, DeploymentStatus
from omc.trading.order import UNSETTLED, OrderStatus
from tests.simulation.people import Outside
from tests.simulation.world import World

_HELD = frozenset({OrderStatus.UNRESOLVED})
"""A person must say what became of it: nothing goes on by itself."""
_UNDER_WAY = (UNSETTLED | {OrderStatus.SLICED}) - _HELD


def at_rest(world: World, outside: Outside) -> bool:
    return next(unrest(world, outside), None) is None


def unrest(world: World, outside: Outside) -> Iterator[str]:
    """What is still under way."""
    if outside.under_way:
        yield f"{outside.under_way} requests of a person are not carried out"
    for row in world.blotter._rows.values():
        if row.order.status in _UNDER_WAY:
            yield f"{row.order.intent.client_order_id} is {row.order.status}: {row.order.message}"
    for name, place in world.hosts.places.items():
        if place.life is None:
            yield f"{name} is away"
    desk = world.hosts.places[address.RISK].life
    if desk is not None and desk.actor is not None and desk.actor._halting.selling:
        # Whoever asked for it waits for less long than it goes on, and between two tries nothing is on its way.
        yield "everything is being sold"
    for notices in world.blotter._notices.values():
        for notice in notices:
            if not notice.done:
                yield f"{', '.join(notice.coins)} of {notice.deployment_id} are to be sold, and are not yet"
    for each in world.deployments.kept.values():
        if each.status is DeploymentStatus.ACTIVE:
            yield from _behind(world, each)


def _behind(world: World, of: Deployment) -> Iterator[str]:
    halts = (*world.kill_switch.halts.values(), *world.halt_files.on())
    if any(each.binds(of.user_id, of.id, adding=False) for each in halts):
        # It finds out at its next order, and pauses itself.
        return
    done = world.blotter._memories.get(of.id)
    if done is None or done.done_until is None or done.done_until < world.last_bar():
        yield f"{of.name} has finished with the bars until {done and done.done_until}, of {world.last_bar()}"
