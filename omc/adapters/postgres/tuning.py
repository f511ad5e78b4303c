"""Other parameters for a deployment: in one step with the notice that keeps its trader from going on with others."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import deployments, journal, jsonb, memory_rows, notices
from omc.trading.deployment import Deployment
from omc.trading.notice import NoticeKind
from omc.trading.tuning import Tuning, check_tunable

_SET = text("UPDATE deployed_algorithms SET parameters = CAST(:parameters AS jsonb) WHERE id = :id")


async def set_parameters(
    connection: AsyncConnection,
    deployment_id: UUID,
    parameters: Mapping[str, Any],
    before: Mapping[str, Any],
    once: UUID | None,
) -> Deployment:
    key = str(once) if once else None
    if key is not None and await notices.noticed(connection, deployment_id, key) is not None:
        return await deployments.read(connection, deployment_id)
    # The notice first: it locks the deployment, so what is read after it is what is changed.
    await notices.notify(connection, deployment_id, NoticeKind.MOVED, (), key)
    deployment = await deployments.read(connection, deployment_id)
    check_tunable(deployment, before)
    last_bar = (await memory_rows.read(connection, deployment_id)).done_until
    await connection.execute(_SET, {"id": deployment_id, "parameters": jsonb.text(parameters)})
    told = Tuning(deployment.parameters, parameters, last_bar).told()
    await journal.write(connection, journal.Line(deployment.user_id, "deployment", told, deployment_id))
    return await deployments.read(connection, deployment_id)
