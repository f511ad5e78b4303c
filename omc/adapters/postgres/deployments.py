"""Deployments in PostgreSQL: what is wanted on the floor, and every change of mind in the journal."""

# ruff: noqa: S608 - statements are composed of the constants below

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.adapters.postgres import faults, funds, journal, jsonb, operations
from omc.adapters.postgres.database import Database
from omc.errors import Conflict, NotFound, Overtaken
from omc.risk.limits import Limits
from omc.strategy.trigger import triggers_of
from omc.trading.deployment import Deployment, DeploymentStatus, Mode, too_late
from omc.trading.execution import Execution
from omc.trading.funds import Funds

_COLUMNS = """
    id, user_id, algorithm_id, algorithm_version, algorithm_type, deployment_name, coins, parameters, mode, venue, cash,
    risk_limits, rebalance_band, status, deployed_at, heartbeat_at, last_executed_at, last_signal_at, execution_count,
    last_error, model_id, execution, triggers
"""
_CREATE = text(f"""
    INSERT INTO deployed_algorithms ({_COLUMNS}) SELECT
        :id, :user_id, :algorithm_id, :algorithm_version, :algorithm_type, :deployment_name, CAST(:coins AS jsonb),
        CAST(:parameters AS jsonb), :mode, :venue, :cash, CAST(:risk_limits AS jsonb), :rebalance_band, :status,
        :deployed_at, :heartbeat_at, :last_executed_at, :last_signal_at, :execution_count, :last_error, :model_id,
        CAST(:execution AS jsonb), CAST(:triggers AS jsonb)
    WHERE EXISTS (
        SELECT FROM algorithms WHERE id = :algorithm_id AND user_id = :user_id AND deleted_at IS NULL
    ) ON CONFLICT (id) DO NOTHING RETURNING {_COLUMNS}
""")
_OPEN_ACCOUNT = text("""
    INSERT INTO deployment_accounts (deployed_algorithm_id, deposited, cash) VALUES (:id, :cash, :cash)
""")
_GET = text(f"""
    SELECT {_COLUMNS} FROM deployed_algorithms
    WHERE id = :id AND (CAST(:user_id AS uuid) IS NULL OR user_id = :user_id)
""")
_PAGE = text(f"""
    SELECT {_COLUMNS} FROM deployed_algorithms WHERE user_id = :user_id
    ORDER BY deployed_at DESC, id OFFSET :offset LIMIT :limit
""")
_COUNT = text("SELECT count(*) FROM deployed_algorithms WHERE user_id = :user_id")
_ACTIVE = text(f"SELECT {_COLUMNS} FROM deployed_algorithms WHERE status = 'active' ORDER BY deployed_at, id")
_SET_STATUS = text(f"""
    UPDATE deployed_algorithms SET status = :status, wanted_at = clock_timestamp()
    WHERE id = :id AND (status = :status OR (
        status <> 'stopped' AND (CAST(:asked_at AS timestamptz) IS NULL OR wanted_at <= :asked_at)
    )) RETURNING {_COLUMNS}
""")
_AFFIRM = text("UPDATE deployed_algorithms SET wanted_at = clock_timestamp() WHERE id = :id")
_SET_LIMITS = text(f"""
    UPDATE deployed_algorithms SET risk_limits = CAST(:limits AS jsonb)
    WHERE id = :id AND (CAST(:before AS jsonb) IS NULL OR risk_limits = CAST(:before AS jsonb)) RETURNING {_COLUMNS}
""")
# Locked in one order, so that two that pause the same account queue up.
_PAUSE_ALL = text(f"""
    WITH former AS (
        SELECT id AS former_id, status AS former FROM deployed_algorithms
        WHERE user_id = :user_id AND status <> 'stopped' ORDER BY id FOR NO KEY UPDATE
    ), paused AS (
        UPDATE deployed_algorithms SET status = 'paused', wanted_at = clock_timestamp()
        FROM former WHERE id = former_id RETURNING {_COLUMNS}, former
    ) SELECT * FROM paused WHERE former = 'active'
""")
_REPORT_ERROR = text("UPDATE deployed_algorithms SET last_error = :message WHERE id = :id")


@dataclass(frozen=True, slots=True)
class PostgresDeployments:
    """A DeploymentStore."""

    database: Database

    async def create(self, deployment: Deployment, *, within: Funds | None = None) -> Deployment:
        try:
            async with self.database.transaction() as connection:
                if (known := await _stored(connection, deployment)) is not None:
                    return known
                if within is not None:
                    await funds.check(connection, deployment, within)
                row = (await connection.execute(_CREATE, _values(deployment))).first()
                if row is None:
                    # Either there is no such algorithm, or another has stored it meanwhile.
                    if (known := await _stored(connection, deployment)) is not None:
                        return known
                    raise NotFound(f"there is no algorithm {deployment.algorithm_id}")
                await connection.execute(_OPEN_ACCOUNT, {"id": deployment.id, "cash": deployment.cash_aud})
                created = deployment_of(row)
                await _tell(connection, created, {"status": created.status.value, "reason": "deployed"})
                return created
        except IntegrityError as error:
            if faults.constraint(error) == "deployed_algorithms_name":
                raise Conflict(f"there is a deployment named {deployment.name} already") from None
            if faults.constraint(error) == "deployed_algorithms_model_id_fkey":
                raise NotFound(f"there is no model {deployment.model}") from None
            if faults.constraint(error).endswith("_fkey"):
                version = f"version {deployment.algorithm_version} of algorithm {deployment.algorithm_id}"
                raise NotFound(f"there is no {version}, or no such user") from None
            raise Conflict(f"the deployment {deployment.id} cannot be stored twice") from None

    async def allotted_aud(self, user_id: UUID, venue: str) -> Decimal:
        async with self.database.transaction() as connection:
            return (await funds.allotted(connection, user_id, venue)).cash_aud

    async def get(self, deployment_id: UUID, user_id: UUID | None = None) -> Deployment:
        async with self.database.transaction() as connection:
            row = (await connection.execute(_GET, {"id": deployment_id, "user_id": user_id})).first()
            return _found(row, deployment_id)

    async def page(self, user_id: UUID, offset: int, limit: int) -> tuple[list[Deployment], int]:
        async with self.database.transaction() as connection:
            rows = await connection.execute(_PAGE, {"user_id": user_id, "offset": offset, "limit": limit})
            total = (await connection.execute(_COUNT, {"user_id": user_id})).scalar_one()
            return [deployment_of(row) for row in rows], total

    async def active(self) -> list[Deployment]:
        async with self.database.transaction() as connection:
            return [deployment_of(row) for row in await connection.execute(_ACTIVE)]

    async def set_status(
        self,
        deployment_id: UUID,
        status: DeploymentStatus,
        reason: str,
        *,
        once: UUID | None = None,
        asked_at: datetime | None = None,
    ) -> Deployment:
        values = {"id": deployment_id, "status": status.value, "asked_at": asked_at}
        async with self.database.transaction() as connection:
            if not await operations.first(connection, once):
                return await read(connection, deployment_id)
            row = (await connection.execute(_SET_STATUS, values)).first()
            if row is None:
                raise too_late(await read(connection, deployment_id))
            changed = deployment_of(row)
            await _tell(connection, changed, {"status": status.value, "reason": reason})
            return changed

    async def affirm(self, deployment_id: UUID) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(_AFFIRM, {"id": deployment_id})

    async def set_limits(
        self, deployment_id: UUID, limits: Limits, *, before: Limits | None = None, once: UUID | None = None
    ) -> Deployment:
        known = jsonb.text(before.told()) if before else None
        values = {"id": deployment_id, "limits": jsonb.text(limits.told()), "before": known}
        async with self.database.transaction() as connection:
            if not await operations.first(connection, once):
                return await read(connection, deployment_id)
            row = (await connection.execute(_SET_LIMITS, values)).first()
            if row is None and (await connection.execute(_GET, {"id": deployment_id, "user_id": None})).first():
                raise Overtaken(f"the limits of deployment {deployment_id} have been changed since they were read")
            changed = _found(row, deployment_id)
            await _tell(connection, changed, {"risk_limits": changed.limits.told()})
            return changed

    async def pause_all(self, user_id: UUID, reason: str) -> list[Deployment]:
        async with self.database.transaction() as connection:
            paused = [deployment_of(row) for row in await connection.execute(_PAUSE_ALL, {"user_id": user_id})]
            for each in paused:
                await _tell(connection, each, {"status": each.status.value, "reason": reason})
            return paused

    async def report_error(self, deployment_id: UUID, message: str | None) -> None:
        async with self.database.transaction() as connection:
            values = {"id": deployment_id, "message": message}
            if not (await connection.execute(_REPORT_ERROR, values)).rowcount:
                raise NotFound(f"there is no deployment {deployment_id}")


async def read(connection: AsyncConnection, deployment_id: UUID) -> Deployment:
    """NotFound when there is none of that id."""
    return _found((await connection.execute(_GET, {"id": deployment_id, "user_id": None})).first(), deployment_id)


async def _tell(connection: AsyncConnection, deployment: Deployment, data: Mapping[str, Any]) -> None:
    await journal.write(connection, journal.Line(deployment.user_id, "deployment", data, deployment.id))


async def _stored(connection: AsyncConnection, deployment: Deployment) -> Deployment | None:
    """The deployment as it is now, if it is stored already. Conflict when it is somebody else's."""
    row = (await connection.execute(_GET, {"id": deployment.id, "user_id": None})).first()
    if row is not None and row.user_id != deployment.user_id:
        raise Conflict(f"the deployment {deployment.id} cannot be stored twice")
    return deployment_of(row) if row is not None else None


def _found(row: Row[Any] | None, deployment_id: UUID) -> Deployment:
    if row is None:
        raise NotFound(f"there is no deployment {deployment_id}")
    return deployment_of(row)


def _values(deployment: Deployment) -> dict[str, Any]:
    return {
        "id": deployment.id,
        "user_id": deployment.user_id,
        "algorithm_id": deployment.algorithm_id,
        "algorithm_version": deployment.algorithm_version,
        "algorithm_type": deployment.algorithm_type,
        "deployment_name": deployment.name,
        "coins": jsonb.text(deployment.coins),
        "parameters": jsonb.text(deployment.parameters),
        "mode": deployment.mode.value,
        "venue": deployment.venue,
        "cash": deployment.cash_aud,
        "risk_limits": jsonb.text(deployment.limits.told()),
        "rebalance_band": deployment.rebalance_band,
        "status": deployment.status.value,
        "deployed_at": deployment.deployed_at,
        "heartbeat_at": deployment.heartbeat_at,
        "last_executed_at": deployment.last_executed_at,
        "last_signal_at": deployment.last_signal_at,
        "execution_count": deployment.execution_count,
        "last_error": deployment.last_error,
        "model_id": deployment.model,
        "execution": jsonb.text(asdict(deployment.execution)),
        "triggers": jsonb.text([each.told() for each in deployment.triggers]),
    }


def deployment_of(row: Any) -> Deployment:
    """Of a row of its table."""
    return Deployment(
        id=row.id,
        user_id=row.user_id,
        algorithm_id=row.algorithm_id,
        algorithm_version=row.algorithm_version,
        algorithm_type=row.algorithm_type,
        name=row.deployment_name,
        coins=tuple(row.coins),
        parameters=row.parameters,
        mode=Mode(row.mode),
        venue=row.venue,
        cash_aud=row.cash,
        limits=Limits.of(row.risk_limits),
        rebalance_band=row.rebalance_band,
        status=DeploymentStatus(row.status),
        deployed_at=row.deployed_at,
        heartbeat_at=row.heartbeat_at,
        last_executed_at=row.last_executed_at,
        last_signal_at=row.last_signal_at,
        execution_count=row.execution_count,
        last_error=row.last_error,
        model=row.model_id,
        execution=Execution.told(row.execution),
        triggers=triggers_of(row.triggers),
    )
