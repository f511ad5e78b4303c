"""Cash of accounts that several live deployments share, within somebody's transaction."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.funds import Allotted, Funds, check_free
from omc.trading.order import UNSETTLED

# Of two that take their cash from one account the second waits here for the first.
_LOCK_ACCOUNT = text("SELECT 1 FROM users WHERE id = :user_id FOR NO KEY UPDATE")
# One statement, and so one moment: what is no longer being sold is in the books.
_ALLOTTED = text("""
    SELECT coalesce(sum(a.cash), 0) AS cash_aud, coalesce(bool_or(EXISTS (
        SELECT FROM orders o WHERE o.deployed_algorithm_id = d.id AND o.side = :sell AND o.status = ANY(:unsettled)
    )), false) AS selling
    FROM deployed_algorithms d JOIN deployment_accounts a ON a.deployed_algorithm_id = d.id
    WHERE d.user_id = :user_id AND d.venue = :venue AND d.mode = 'live' AND d.status <> 'stopped'
""")


async def allotted(connection: AsyncConnection, user_id: UUID, venue: str) -> Allotted:
    which = {"user_id": user_id, "venue": venue, "sell": Side.SELL.value}
    unsettled = [each.value for each in UNSETTLED]
    row = (await connection.execute(_ALLOTTED, {**which, "unsettled": unsettled})).one()
    return Allotted(row.cash_aud, selling=row.selling)


async def check(connection: AsyncConnection, deployment: Deployment, funds: Funds) -> None:
    """As `check_free`, for as long as the transaction lasts."""
    await connection.execute(_LOCK_ACCOUNT, {"user_id": deployment.user_id})
    now = await allotted(connection, deployment.user_id, deployment.venue)
    check_free(deployment.venue, deployment.cash_aud, funds, now)
