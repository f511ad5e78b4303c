"""Locks: what keeps something from being traded just now, and the ways to lift it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from omc.errors import Conflict, NotFound
from omc.trading.notice import NoticeKind
from serve_apps.envelope import Page, Paging, Success
from serve_apps.floor.effects import Effects
from serve_apps.floor.locked import LockOut, locks_of
from serve_apps.floor.owned import deployments_of, is_live
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.stopping import Stopping
from serve_apps.identity import Bearer
from serve_apps.second_factor import Code, demand
from serve_apps.uncut import uncut

_WHY = "lifted by its owner"


class LockQuery(Paging):
    deployment_id: UUID | None = None


def routes(ports: FloorPorts, effects: Effects, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["verbs"])
    asker, stopping = Depends(bearer), Stopping(ports, effects)

    @router.get("/locks")
    async def locks(user_id: Annotated[UUID, asker], query: Annotated[LockQuery, Query()]) -> Page[LockOut]:
        """Halts, cool-downs, orders that wait for a person, coins that are kept out, and accounts that are closed."""
        if query.deployment_id is not None:
            owned = [await ports.deployments.get(query.deployment_id, user_id)]
        else:
            owned = await deployments_of(ports.deployments, user_id)
        return Page.cut(await locks_of(ports, user_id, owned), query)

    @router.delete("/locks/{lock_id}")
    async def lift(user_id: Annotated[UUID, asker], lock_id: str, code: Code = None) -> Success[LockOut]:
        """Lift a halt of one's own, or let a coin be bought again that is kept out. What may trade real money by it
        takes a code of the second factor, where there is one."""
        found = await locks_of(ports, user_id, await deployments_of(ports.deployments, user_id))
        lock = next((each for each in found if each.id == lock_id), None)
        if lock is None:
            raise NotFound(f"there is no lock {lock_id}")
        is_lifted_here = lock.kind in ("halt", "kept_out") and lock.lift is not None
        if is_lifted_here and await is_live(ports.deployments, user_id, lock.deployment_id):
            await demand(ports.second_factors, user_id, code)
        if lock.kind == "halt" and lock.lift is not None:
            released = await uncut(stopping.reset(user_id, _WHY, lock.deployment_id))
            said = [f"still halted: {released.still.reason}"] if released.still else []
            return Success(data=lock, message="; ".join([*said, *released.problems]) or None)
        if lock.kind == "kept_out" and lock.deployment_id is not None and lock.coin is not None:
            await uncut(ports.blotter.notify(lock.deployment_id, NoticeKind.IN, [lock.coin]))
            return Success(data=lock, message="its trader hears of it before its next bar")
        raise Conflict(f"{lock.kind} cannot be lifted here: {lock.lift or lock.reason}")

    return router
