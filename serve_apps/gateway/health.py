"""Whether we live, and whether what we need answers."""

import asyncio
import logging
import time
from importlib.metadata import PackageNotFoundError, version

from fastapi import APIRouter
from pydantic import BaseModel

from omc.errors import OmcError, Unavailable
from serve_apps.envelope import Success
from serve_apps.gateway.ports import GatewayPorts, Probe
from serve_apps.problem import Detailed
from serve_apps.together import Together

logger = logging.getLogger("omc.http")

_PATIENCE_S = 3.0


class Health(BaseModel):
    status: str
    version: str


class Dependency(BaseModel):
    name: str
    ready: bool
    detail: str
    """"answers", or why not."""
    ms: float


class Readiness(BaseModel):
    ready: bool
    dependencies: list[Dependency]
    warnings: list[str]
    """What works and is not as it should be, a sentence each."""


def routes(ports: GatewayPorts) -> APIRouter:
    router = APIRouter(tags=["health"])
    us = _version()
    # Anybody may ask, and no limit holds them up: however many do, each dependency is asked by one of them.
    looked = Together(lambda: _looked(ports))

    @router.get("/health")
    async def health() -> Success[Health]:
        """We live: nothing else is asked."""
        return Success(data=Health(status="ok", version=us))

    @router.get("/ready")
    async def ready() -> Success[Readiness]:
        """A row for each dependency; 503 with the same rows in `details` unless all of them answer."""
        rows = await looked()
        silent = [row.name for row in rows if not row.ready]
        if silent:
            found = Readiness(ready=False, dependencies=rows, warnings=[*ports.warnings])
            raise Detailed(Unavailable(f"not ready: {', '.join(silent)}"), found.model_dump(mode="json"))
        return Success(data=Readiness(ready=True, dependencies=rows, warnings=[*ports.warnings]))

    return router


async def _looked(ports: GatewayPorts) -> list[Dependency]:
    return await asyncio.gather(*(_asked(name, probe) for name, probe in ports.probes.items()))


async def _asked(name: str, probe: Probe) -> Dependency:
    began = time.perf_counter()
    try:
        await asyncio.wait_for(probe(), _PATIENCE_S)
        ready, detail = True, "answers"
    except TimeoutError:
        ready, detail = False, f"did not answer within {_PATIENCE_S:g} s"
    except OmcError as fault:
        ready, detail = False, str(fault)
    except Exception:
        # One dependency's bug must not hide how the others are.
        logger.exception("the probe of %s failed", name)
        ready, detail = False, "the probe failed"
    return Dependency(name=name, ready=ready, detail=detail, ms=round((time.perf_counter() - began) * 1000, 3))


def _version() -> str:
    try:
        return version("oh-my-coins")
    except PackageNotFoundError:
        return "unknown"
