"""What people's algorithms compute in the lab, measured and charged to whoever asked for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from omc.errors import NotFound, OmcError, RateLimited
from serve_apps.lab.meter import Meter
from serve_apps.lab.ports import LabPorts
from serve_apps.lab.quotas import check_cpu
from serve_apps.uncut import uncut

logger = logging.getLogger("omc.lab")
Answer = TypeVar("Answer")

# Of one user in this process: a few threads answer everybody, and nobody is to hold all of them.
_AT_ONCE, _WAITING = 2, 6


@dataclass(slots=True)
class _Desk:
    """Where one user's requests are served."""

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    there: int = 0


_desks: dict[UUID, _Desk] = {}


async def metered(ports: LabPorts, user_id: UUID, work: Callable[[Meter], Awaitable[Answer]]) -> Answer:
    """What `work` comes to, if its user has processor time left today and few other requests like it under way.

    It is carried out to its end and charged, whatever becomes of it and of the request that asked: code that loops
    costs its owner. RateLimited otherwise.
    """
    return await uncut(_served(ports, user_id, work))


async def _served(ports: LabPorts, user_id: UUID, work: Callable[[Meter], Awaitable[Answer]]) -> Answer:
    desk = _desks.setdefault(user_id, _Desk())
    if desk.there >= _AT_ONCE + _WAITING:
        raise RateLimited(f"{desk.there} of your requests that run algorithms are under way: wait until one has ended")
    desk.there += 1
    try:
        async with desk.places:
            await check_cpu(ports, user_id)
            meter = Meter(ports.maker)
            try:
                with meter.on():
                    return await work(meter)
            finally:
                await _charge_somehow(ports, user_id, meter)
    finally:
        desk.there -= 1
        if not desk.there:
            _desks.pop(user_id, None)


async def _charge_somehow(ports: LabPorts, user_id: UUID, meter: Meter) -> None:
    """What was done is done, and answered as such."""
    try:
        await charge(ports, user_id, meter)
    except OmcError as fault:
        logger.warning("%.1f CPU seconds of user %s are not charged: %s", meter.cpu_s, user_id, fault)


async def charge(ports: LabPorts, user_id: UUID, meter: Meter) -> None:
    """Nobody, when the user is gone."""
    try:
        await ports.usage.charge(user_id, meter.cpu_s, ports.clock.now())
    except NotFound:
        logger.info("user %s is gone: nobody is charged", user_id)
