"""What the floor asks of algorithms, at the cost of whoever asks when the code is their own."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

from omc.strategy.maker import CUSTOM, Maker
from serve_apps.floor.ports import FloorPorts
from serve_apps.metering import metered

Answer = TypeVar("Answer")


async def paid(
    ports: FloorPorts, user_id: UUID, algorithm_type: str, work: Callable[[Maker], Awaitable[Answer]]
) -> Answer:
    """What `work` comes to with a maker to make algorithms by.

    RateLimited for somebody's code as `metered` says: code may loop, and nobody's is to hold the floor's places, which
    a pause or an emergency stop needs. What ships with the platform comes to an end, and is never refused.
    """
    if algorithm_type != CUSTOM:
        return await work(ports.maker)
    return await metered(ports, user_id, lambda meter: work(meter.maker))
