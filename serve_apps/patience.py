"""How long a request waits for an actor: less than its caller waits for it."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from omc.errors import Unavailable
from omc.ledger.exchange import HotCache
from omc.market.quote import QuoteBoard

T = TypeVar("T")
_PATIENCE_S = 3.0


async def soon(work: Awaitable[T], what: str, within_s: float = _PATIENCE_S) -> T:
    """What `work` answers; Unavailable, naming `what`, when it takes too long."""
    try:
        return await asyncio.wait_for(work, within_s)
    except TimeoutError:
        raise Unavailable(f"{what} did not answer within {within_s:g} s") from None


async def newest_board(hot: HotCache) -> QuoteBoard | None:
    """The newest quotes; None when there are none, or nobody says."""
    try:
        return await soon(hot.newest(), "the exchange collector")
    except Unavailable:
        return None
