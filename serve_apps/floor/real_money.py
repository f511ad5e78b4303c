"""What a request must bring before it has real money traded."""

from uuid import UUID

from omc.access.credential import Credential, Keyhole, Use
from omc.errors import Conflict, NotFound
from omc.market.money import ZERO
from omc.trading.deployment import Deployment
from omc.trading.funds import Funds
from omc.trading.real_money import check_venue
from omc.trading.reconciliation.books import CASH
from serve_apps.floor.ports import FloorPorts
from serve_apps.patience import soon

# A venue far away, asked after whatever its account has under way.
_BALANCE_S = 20.0


async def check_allowed(ports: FloorPorts, user_id: UUID, venue: str) -> None:
    """Conflict where no real money is traded there, or the owner's key does not fit."""
    facts = ports.venues.get(venue)
    if facts is None:
        raise Conflict(f"nobody here trades at {venue}")
    check_venue(facts, await _credential(ports, user_id, venue))


async def funds_of(ports: FloorPorts, wanted: Deployment) -> Funds:
    """The cash of the account that it would trade. Unavailable when the venue does not show it."""
    allotted = await ports.deployments.allotted_aud(wanted.user_id, wanted.venue)
    held = await soon(ports.risk.balances(wanted), "the risk desk", _BALANCE_S)
    return Funds(held.get(CASH, ZERO), allotted)


async def _credential(ports: FloorPorts, user_id: UUID, venue: str) -> Credential | None:
    try:
        return await ports.credentials.get(user_id, Keyhole(Use.EXCHANGE, venue))
    except NotFound:
        return None
