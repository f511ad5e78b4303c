"""Time and order of a simulation: a clock that never waits, and lives that end or stand still at any moment.

Everything that runs has an owner: the life of one process, found in the context of its callbacks. When a life ends, no
callback of its own is ever run again, so neither `finally` nor `except` has an effect: it is what kill -9 does. When it
stands still, its callbacks wait and are run, in order, once it goes on: a stopped process, a machine that swaps, a node
that nobody reaches any more.
"""

import asyncio
import heapq
import warnings
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any

OWNER: "ContextVar[Life | None]" = ContextVar("owner", default=None)
_AWAY_S = 0.0005
"""What work in a thread takes."""
_MOST_CANCELLED = 64


@dataclass(eq=False)
class Life:
    """One process from its start to its end."""

    name: str
    number: int
    dead: bool = False
    still: bool = False
    waiting: "deque[asyncio.Handle]" = field(default_factory=deque)
    context: Context = field(default_factory=copy_context)
    actor: Any = None

    def __post_init__(self) -> None:
        self.context.run(OWNER.set, self)

    def __str__(self) -> str:
        return f"{self.name}#{self.number}"


class Stuck(Exception):
    """Nothing is ready and no timer runs: whoever waits waits forever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """An event loop that moves its time on to the next timer whenever nothing else is left to do. What is computed
    takes no time. It keeps every task, so that none is collected while it could still be woken."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._timers_made = 0
        self.tasks: list[asyncio.Task[Any]] = []
        self.faults: list[str] = []
        self.set_task_factory(self._keep)
        self.set_exception_handler(self._note)

    def time(self) -> float:
        return self.now_s

    def call_soon(self, callback: Callable[..., Any], *args: Any, context: Context | None = None) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Of two timers of one moment, the one that was set first runs first."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._timers_made += 1
        heapq.heappush(self._timers, (when, self._timers_made, timer))
        timer._scheduled = True
        return timer

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        """Carried out at once; told a moment later, as by a thread."""
        told = self.create_future()
        try:
            answer = func(*args)
        except Exception as error:
            self.call_later(_AWAY_S, _tell, told, None, error)
        else:
            self.call_later(_AWAY_S, _tell, told, answer, None)
        return told

    def go_on(self, life: Life) -> None:
        """Let a life that stood still run again."""
        life.still = False
        self._ready.extend(life.waiting)
        life.waiting.clear()

    def dismiss(self) -> None:
        """End every task without a word: they are of a world that is over."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            for task in self.tasks:
                task._log_destroy_pending = False
                if not task.done():
                    # What it does in its `finally` reaches nobody.
                    with suppress(BaseException):
                        task.get_coro().close()
                elif not task.cancelled():
                    task.exception()
        self.tasks.clear()
        self.close()

    def _keep(self, loop: Any, work: Coroutine[Any, Any, Any], context: Context | None = None) -> "asyncio.Task[Any]":
        task = asyncio.Task(work, loop=self, context=context)
        self.tasks.append(task)
        return task

    def _note(self, _: Any, said: dict[str, Any]) -> None:
        self.faults.append(f"{said.get('message')}: {said.get('exception')!r}")

    def _run_once(self) -> None:
        if self._timer_cancelled_count > _MOST_CANCELLED:
            self._forget_cancelled()
        ready, timers = self._ready, self._timers
        if not ready:
            while timers and timers[0][2]._cancelled:
                heapq.heappop(timers)[2]._scheduled = False
            if not timers:
                raise Stuck
            now_s = self.now_s = max(self.now_s, timers[0][0])
            while timers and timers[0][0] <= now_s:
                timer = heapq.heappop(timers)[2]
                timer._scheduled = False
                ready.append(timer)
        for _ in range(len(ready)):
            handle = ready.popleft()
            if handle._cancelled:
                continue
            life = handle._context.get(OWNER)
            if life is None or not (life.dead or life.still):
                handle._run()
            elif not life.dead:
                life.waiting.append(handle)

    def _forget_cancelled(self) -> None:
        """Most timers are time-outs that never come: they would make the others slow to find."""
        kept = []
        for each in self._timers:
            if each[2]._cancelled:
                each[2]._scheduled = False
            else:
                kept.append(each)
        self._timers = kept
        heapq.heapify(self._timers)
        self._timer_cancelled_count = 0

    def _process_events(self, event_list: Any) -> None:
        """There are no sockets."""

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""


def _tell(told: "asyncio.Future[Any]", answer: Any, error: BaseException | None) -> None:
    if told.done():
        return
    if error is None:
        told.set_result(answer)
    else:
        told.set_exception(error)
