"""What people's algorithms compute for a request, measured and charged to whoever asked for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol, TypeVar
from uuid import UUID

from omc.access.quota import Allowance, Quota, next_day
from omc.access.usage import UsageLedger
from omc.clock import Clock
from omc.errors import NotFound, OmcError, RateLimited
from omc.strategy.maker import Maker
from serve_apps.meter import Meter
from serve_apps.problem import Detailed
from serve_apps.uncut import uncut
from serve_apps.wire import time_text

logger = logging.getLogger("omc.usage")
Answer = TypeVar("Answer")

# Of one user in this process: a few threads answer everybody, and nobody is to hold all of them.
_AT_ONCE, _WAITING = 2, 6


class Charging(Protocol):
    """What an app is handed to have people's algorithms run in it at their own cost."""

    @property
    def usage(self) -> UsageLedger: ...

    @property
    def allowance(self) -> Allowance: ...

    @property
    def maker(self) -> Maker: ...

    @property
    def clock(self) -> Clock: ...


@dataclass(slots=True)
class _Desk:
    """Where one user's requests are served."""

    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    there: int = 0


_desks: dict[UUID, _Desk] = {}


async def metered(ports: Charging, user_id: UUID, work: Callable[[Meter], Awaitable[Answer]]) -> Answer:
    """What `work` comes to, if its user has processor time left today and few other requests like it under way.

    It is carried out to its end and charged, whatever becomes of it and of the request that asked: code that loops
    costs its owner. RateLimited otherwise.
    """
    return await uncut(_served(ports, user_id, work))


async def _served(ports: Charging, user_id: UUID, work: Callable[[Meter], Awaitable[Answer]]) -> Answer:
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


async def check_cpu(ports: Charging, user_id: UUID) -> None:
    """RateLimited, until the day of UTC is over, when a user has used up the processor time of today."""
    now, allowed = ports.clock.now(), ports.allowance
    used_s = await ports.usage.used(user_id, now.date())
    said = allowed.used_up(used_s, now)
    if said is None:
        return
    anew = next_day(now)
    details = {
        "quota": Quota.CPU_S.value,
        "limit": allowed.cpu_s,
        "used": round(used_s, 3),
        "starts_anew_at": time_text(anew),
    }
    raise Detailed(RateLimited(said), details, retry_after_s=ceil((anew - now).total_seconds()))


async def _charge_somehow(ports: Charging, user_id: UUID, meter: Meter) -> None:
    """What was done is done, and answered as such."""
    try:
        await charge(ports, user_id, meter)
    except OmcError as fault:
        logger.warning("%.1f CPU seconds of user %s are not charged: %s", meter.cpu_s, user_id, fault)


async def charge(ports: Charging, user_id: UUID, meter: Meter) -> None:
    """Nobody, when the user is gone."""
    try:
        await ports.usage.charge(user_id, meter.cpu_s, ports.clock.now())
    except NotFound:
        logger.info("user %s is gone: nobody is charged", user_id)
