"""Whether we live, and whether what we need answers."""

from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter
from pydantic import BaseModel

from omc.errors import Unavailable
from serve_apps.envelope import Success
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.gateway.roll_call import Dependency, RollCall
from serve_apps.problem import Detailed


class Health(BaseModel):
    status: str
    version: str


class Readiness(BaseModel):
    ready: bool
    dependencies: list[Dependency]
    warnings: list[str]
    """What works and is not as it should be, a sentence each."""


def routes(ports: GatewayPorts) -> APIRouter:
    router = APIRouter(tags=["health"])
    us, roll_call = _version(), RollCall(ports.probes, ports.clock)

    @router.get("/health")
    async def health() -> Success[Health]:
        """We live: nothing else is asked."""
        return Success(data=Health(status="ok", version=us))

    @router.get("/ready")
    async def ready() -> Success[Readiness]:
        """A row for each dependency; 503 with the same rows in `details` unless all of them answer. Each replica asks
        them at most once a second, however often it is asked."""
        rows = list(await roll_call.rows())
        silent = [row.name for row in rows if not row.ready]
        if silent:
            found = Readiness(ready=False, dependencies=rows, warnings=[*ports.warnings])
            raise Detailed(Unavailable(f"not ready: {', '.join(silent)}"), found.model_dump(mode="json"))
        return Success(data=Readiness(ready=True, dependencies=rows, warnings=[*ports.warnings]))

    return router


def _version() -> str:
    try:
        return version("oh-my-coins")
    except PackageNotFoundError:
        return "unknown"
