"""Deleting an account, or saying what is in the way."""

from uuid import UUID

from omc.access.closing import StillTrading
from omc.access.user import User
from omc.errors import Conflict
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.problem import Detailed
from serve_apps.uncut import uncut


async def deleted(ports: GatewayPorts, user_id: UUID, leaving_coins: bool) -> User:
    """Conflict, with every live deployment that is in the way."""
    told = await uncut(ports.closing.delete(user_id, ports.clock.now(), leaving_coins=leaving_coins))
    if isinstance(told, StillTrading):
        rows = [
            {"id": str(each.deployment_id), "name": each.deployment_name, "reasons": list(each.reasons)}
            for each in told.hindrances
        ]
        raise Detailed(Conflict("live deployments are in the way: deactivate them first"), {"deployments": rows})
    return told
