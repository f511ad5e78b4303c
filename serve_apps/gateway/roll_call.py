"""Asking everything that the platform needs whether it is there, once for all who want to know within a second.

Whoever asks for readiness shows no token and is not limited, so that probes find their way: what a flood of them costs
must not grow with the flood.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel

from omc.clock import Clock
from omc.errors import OmcError
from serve_apps.gateway.ports import Probe
from serve_apps.together import Together

logger = logging.getLogger("omc.http")

_PATIENCE_S = 3.0
HELD_FOR = timedelta(seconds=1)


class Dependency(BaseModel):
    name: str
    ready: bool
    detail: str
    """"answers", or why not."""
    ms: float


class RollCall:
    """Of one replica. What was found holds for a second, and whoever comes while it is asked waits for that answer."""

    def __init__(self, probes: Mapping[str, Probe], clock: Clock) -> None:
        self._probes, self._clock = probes, clock
        self._found: tuple[datetime, Sequence[Dependency]] | None = None
        self._together = Together(self._ask)

    async def rows(self) -> Sequence[Dependency]:
        """A row for each dependency."""
        # A clock that was set back must not keep an answer for longer.
        if self._found is not None and timedelta(0) <= self._clock.now() - self._found[0] < HELD_FOR:
            return self._found[1]
        return await self._together()

    async def _ask(self) -> Sequence[Dependency]:
        rows = await asyncio.gather(*(_asked(name, probe) for name, probe in self._probes.items()))
        self._found = self._clock.now(), rows
        return rows


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
