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
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait((task,), timeout=within_s)
        if task.done():
            return task.result()
        raise Unavailable(f"{what} did not answer within {within_s:g} s")
    finally:
        # Its end is not waited for: what hangs may take its time to be given up as well.
        if not task.done():
            task.add_done_callback(_let_go)
            task.cancel()


def _let_go(task: "asyncio.Future[T]") -> None:
    if not task.cancelled():
        task.exception()


async def newest_board(hot: HotCache) -> QuoteBoard | None:
    """The newest quotes; None when there are none, or nobody says."""
    try:
        return await soon(hot.newest(), "the exchange collector")
    except Unavailable:
        return None
