"""A deployment's books made those of its venue, in one transaction."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import account_rows, journal, order_rows
from omc.errors import Conflict, NotFound
from omc.portfolio.account import Account
from omc.trading.reconciliation.acceptance import Adjustment
from omc.trading.told import moved_told

_OWNER = text("SELECT user_id FROM deployed_algorithms WHERE id = :id FOR SHARE")
_DEPOSIT = text("""
    UPDATE deployment_accounts SET deposited = deposited + :aud, cash = cash + :aud, updated_at = now()
    WHERE deployed_algorithm_id = :id
""")


async def adjust(connection: AsyncConnection, before: Account, adjustment: Adjustment, reason: str) -> Account:
    """The account afterwards. Conflict when the books are not as `before` any more."""
    which = {"id": adjustment.deployment_id}
    owner = (await connection.execute(_OWNER, which)).scalar_one_or_none()
    if owner is None:
        raise NotFound(f"there is no deployment {adjustment.deployment_id}")
    orders = adjustment.orders(owner, reason)
    for order in orders:
        if not await order_rows.insert(connection, order.intent):
            raise Conflict(f"order {order.intent.client_order_id} is known already")
    await account_rows.lock(connection, adjustment.deployment_id)
    if await account_rows.read(connection, adjustment.deployment_id) != before:
        raise Conflict(f"the books of deployment {adjustment.deployment_id} have moved meanwhile")
    for order in orders:
        stored = await order_rows.locked(connection, order)
        await account_rows.Books(connection, stored.id, order).count(order.fills)
        await order_rows.store(connection, stored, order)
    if adjustment.deposited_aud:
        await connection.execute(_DEPOSIT, which | {"aud": adjustment.deposited_aud})
    account = await account_rows.read(connection, adjustment.deployment_id)
    told = [("synthetic", adjustment.told(account, reason)), *moved_told(before, account)]
    await journal.write(connection, *(journal.Line(owner, kind, data, adjustment.deployment_id) for kind, data in told))
    return account
