"""Everything that keeps something of an owner's from being traded just now."""

from datetime import datetime
from typing import Literal, Self
from uuid import UUID

from pydantic import BaseModel

from omc.risk.kill_switch import Halt, HaltScope
from omc.risk.limits import AccountLimits, Bounds
from omc.risk.standing import Streak
from omc.risk.store import Place
from omc.trading.deployment import Deployment, DeploymentStatus, Mode
from serve_apps.floor.ports import FloorPorts
from serve_apps.patience import newest_board
from serve_apps.wire import Time

_SALES = 1_000
Kind = Literal["halt", "cool_down", "held_order", "kept_out", "account_closed"]


class LockOut(BaseModel):
    """`stops` is everything, or only what adds to a position. Without `until` it holds until something happens, which
    `reason` says. `lift` is what its owner may do about it, null where nothing but time or the operator helps."""

    id: str
    kind: Kind
    stops: Literal["all", "adding"]
    deployment_id: UUID | None = None
    coin: str | None = None
    since: Time | None = None
    until: Time | None = None
    reason: str
    lift: str | None = None

    @classmethod
    def of_halt(cls, halt: Halt) -> Self:
        name = f"halt-{halt.scope.value}" + (f"-{halt.deployment_id}" if halt.deployment_id else "")
        platform = halt.scope is HaltScope.PLATFORM
        return cls(
            id=name,
            kind="halt",
            stops=halt.level.value,
            deployment_id=halt.deployment_id,
            since=halt.since,
            reason=halt.reason,
            lift=None if platform else f"DELETE /locks/{name}",
        )


async def locks_of(ports: FloorPorts, user_id: UUID, owned: list[Deployment]) -> list[LockOut]:
    """Those of some of its owner's deployments, and of the account. `until` is by the market's clock."""
    board = await newest_board(ports.hot)
    now = board.time if board else ports.clock.now()
    ids = {each.id for each in owned}
    locks = [
        LockOut.of_halt(each)
        for each in await ports.flag.on()
        if each.user_id in (None, user_id) and (each.deployment_id is None or each.deployment_id in ids)
    ]
    running = [each for each in owned if each.status is not DeploymentStatus.STOPPED]
    locks += await _cooling(ports, user_id, running, now)
    for held in await ports.venue_book.held(user_id=user_id):
        order = await ports.blotter.order(held.client_order_id)
        if order is not None and held.deployment_id in ids:
            locks.append(
                LockOut(
                    id=f"held-{held.order_id}",
                    kind="held_order",
                    stops="all",
                    deployment_id=held.deployment_id,
                    coin=order.intent.coin,
                    since=held.held_at,
                    reason=f"a person must say what became of order {held.client_order_id}",
                    lift=f"POST /reconciliation/{held.order_id}/resolve",
                )
            )
    for each in running:
        locks += await _of_deployment(ports, each)
    return locks


async def _of_deployment(ports: FloorPorts, deployment: Deployment) -> list[LockOut]:
    found = []
    memory = await ports.blotter.recall(deployment.id)
    out = memory.stopped or (False,) * len(deployment.coins)
    for coin in (coin for coin, is_out in zip(deployment.coins, out, strict=True) if is_out):
        name = f"out-{deployment.id}-{coin}"
        found.append(
            LockOut(
                id=name,
                kind="kept_out",
                stops="adding",
                deployment_id=deployment.id,
                coin=coin,
                reason="closed by an exit or by its owner: kept out until the algorithm lets go of it",
                lift=f"DELETE /locks/{name}",
            )
        )
    known = await ports.venue_book.known(deployment.account)
    if known and known.compared and known.compared.closed:
        found.append(
            LockOut(
                id=f"closed-{deployment.id}",
                kind="account_closed",
                stops="adding",
                deployment_id=deployment.id,
                since=known.compared.compared_at,
                reason=known.compared.closed,
                lift="POST /reconciliation/accept",
            )
        )
    return found


async def _cooling(ports: FloorPorts, user_id: UUID, running: list[Deployment], now: datetime) -> list[LockOut]:
    limits = await ports.limits.limits(user_id)
    places: dict[Place, Bounds] = {Place.all_of(each)[0]: each.limits for each in running}
    places |= {Place(mode, user_id): limits.bounds for mode in Mode if any(each.mode is mode for each in running)}
    return [lock for place, bounds in places.items() for lock in await _cools(ports, place, bounds, limits, now)]


async def _cools(
    ports: FloorPorts, place: Place, bounds: Bounds, limits: AccountLimits, now: datetime
) -> list[LockOut]:
    if bounds.losses_in_a_row is None and bounds.cool_down_s is None:
        return []
    sales = await ports.limits.sales(place, _SALES)
    zone = limits.zone_of(place.level)
    streak = Streak.of(sales, int(bounds.losses_in_a_row or 1), bounds.cool_down_s, zone)
    if streak.cooling_until is None or streak.cooling_until <= now:
        return []
    whose = place.deployment_id or f"account-{place.mode}"
    return [
        LockOut(
            id=f"cooling-{whose}",
            kind="cool_down",
            stops="adding",
            deployment_id=place.deployment_id,
            since=sales[-1].at,
            until=streak.cooling_until,
            reason=f"{streak.losses} losses in a row",
        )
    ]
