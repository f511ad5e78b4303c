"""Blows of fate: processes that die, are cut off or stand still, and what is away for a while."""

from datetime import timedelta

from actors import address
from tests.simulation.happening import Blow, Happening
from tests.simulation.world import CORE, World


def strike(world: World, each: Happening, blow: Blow) -> None:
    hosts = world.hosts
    match blow:
        case Blow.KILL_ALL:
            hosts.all_die(CORE)
        case Blow.STORES_DOWN:
            world.wire.stores_down = True
            world.wire.later(each.lasts_s, _stores_up, world)
        case Blow.MAINTENANCE:
            world.exchange.closed = True
            world.wire.later(each.lasts_s, _reopen, world)
        case Blow.SPLIT_SENDING:
            world.wire.armed = True
        case Blow.CLOCK_JUMP:
            world.clock.jumped += timedelta(seconds=(-each.lasts_s, each.lasts_s)[each.which % 2] * 60)
        case _:
            name = _struck(world, blow, each.which)
            place = hosts.places.get(name)
            if place is None:
                return
            if blow in (Blow.SPLIT_RISK, Blow.SPLIT_TRADER, Blow.SPLIT_COLLECTOR):
                hosts.split(name, each.lasts_s if each.which % 3 else 0.0)
            elif blow in (Blow.STILL_RISK, Blow.STILL_TRADER):
                hosts.stand_still(name, each.lasts_s)
            elif place.life is not None:
                hosts.kill(place.life)


def clear_up(world: World) -> None:
    """From here on nothing goes wrong."""
    world.tell("the weather clears up")
    world.wire.weather.clear_up()
    world.exchange.app.control.faults.begin(None, world.venue.executions)
    world.wire.stores_down = world.wire.armed = world.exchange.closed = False
    world.hosts.rejoin()


def _struck(world: World, blow: Blow, which: int) -> str:
    match blow:
        case Blow.KILL_RISK | Blow.SPLIT_RISK | Blow.STILL_RISK:
            return address.RISK
        case Blow.KILL_COLLECTOR | Blow.SPLIT_COLLECTOR:
            return address.COLLECTOR_EXCHANGE
        case Blow.KILL_SUPERVISOR:
            return address.SUPERVISOR
    traders = sorted(name for name in world.hosts.places if name.startswith(address.TRADER_PREFIX))
    return traders[which % len(traders)] if traders else ""


def _stores_up(world: World) -> None:
    world.wire.stores_down = False


def _reopen(world: World) -> None:
    world.exchange.closed = False
