"""One trader for each active deployment: started, watched, replaced when it ended, stopped when it is not wanted."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

import ray

from actors import address
from actors.crew import Crew
from omc.errors import Unavailable
from omc.ledger.exchange import HotCache
from omc.logs import LogStyle
from omc.trading.deployment import Deployment, DeploymentStore, differences, trader_name
from omc.trading.floor import TraderState
from omc.trading.watch import Watch

_AT_ONCE = 8
"""Traders that are on their way at the same moment. A process's imports take seconds of a CPU: of a hundred that begin
together none trades before the last, and together they take longer than one after the other."""
_COMING_S = 30.0
"""Whoever has not come by then keeps nobody else waiting."""
_log = logging.getLogger(__name__)


class Supervisor:
    """A Supervision. It keeps nothing that it could not find out again: what is wanted is stored, what runs has a
    name."""

    def __init__(
        self,
        deployments: DeploymentStore,
        crew: Crew,
        quotes: HotCache,
        *,
        every_s: float = 1.0,
        seconds: Callable[[], float] = time.monotonic,
        logs: LogStyle | None = None,
    ) -> None:
        if logs:
            logs.install()
        self._deployments = deployments
        self._crew = crew
        self._quotes = quotes
        self._every_s = every_s
        self._seconds = seconds
        self._watches: dict[str, Watch] = {}
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._nudged = asyncio.Event()
        self._task = address.background(self._run(), address.SUPERVISOR)

    def __repr__(self) -> str:
        return address.SUPERVISOR

    @ray.method(concurrency_group="control")
    def ping(self) -> str:
        return repr(self)

    async def nudge(self) -> None:
        self._nudged.set()

    async def traders(self) -> list[TraderState]:
        return [
            watch.state or TraderState(name, watch.deployment.id, "starting", 0, None)
            for name, watch in sorted(self._watches.items())
        ]

    async def stop(self) -> None:
        """Supervise no more. Traders go on."""
        self._task.cancel()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._nudged.clear()
            try:
                await self._round()
            except Exception:
                _log.exception("supervisor failed a round")
            try:
                async with asyncio.timeout(self._every_s):
                    await self._nudged.wait()
            except TimeoutError:
                continue

    async def _round(self) -> None:
        """Compare wanted with running. What takes long is done beside the rounds, one thing a trader at a time."""
        active = await self._deployments.active()
        wanted = {trader_name(each): each for each in active}
        running = await self._crew.running()
        start, stop = differences(active, running)
        gone = [name for name in self._watches if name not in wanted]
        for name in sorted({*stop, *gone}):
            self._begin(name, self._dismiss(name))
        coming = sum(watch.is_coming(self._seconds(), _COMING_S) for watch in self._watches.values())
        for deployment in start:
            watch = self._watches.setdefault(trader_name(deployment), Watch(deployment))
            if coming < _AT_ONCE:
                coming += self._start(deployment, watch)
        for name in sorted(set(running) & wanted.keys()):
            self._begin(name, self._look_after(name, wanted[name]))

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        if name in self._busy:
            work.close()
            return
        task = self._busy[name] = asyncio.create_task(self._guarded(name, work))
        task.add_done_callback(lambda _: self._busy.pop(name, None))

    async def _guarded(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Unavailable as error:
            _log.info("trader does not answer", extra={"actor": name, "error": str(error)})
        except Exception:
            _log.exception("supervisor failed with a trader", extra={"actor": name})

    def _start(self, deployment: Deployment, watch: Watch) -> bool:
        """False when it is not its time yet."""
        name, now = trader_name(deployment), self._seconds()
        if name in self._busy or not watch.may_start(now):
            return False
        watch.deployment, watch.state = deployment, None
        watch.started(now)
        self._begin(name, self._crew.start(deployment))
        return True

    async def _look_after(self, name: str, wanted: Deployment) -> None:
        watch = self._watches.setdefault(name, Watch(wanted))
        watch.saw(await self._crew.state(name), self._seconds())
        if watch.must_be_replaced(wanted):
            await self._crew.stop(name)
            self._nudged.set()

    async def _dismiss(self, name: str) -> None:
        """Stop a trader that is not wanted; quotes need not wait for it any longer."""
        await self._crew.stop(name)
        await self._quotes.leave(name)
        self._watches.pop(name, None)
