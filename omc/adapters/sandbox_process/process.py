"""One process for people's code, from the outside: questions with a deadline each, and an end that has a name.

Whatever comes back was written by the code, for all we know. What is no answer ends the process as surely as a deadline
does; nothing that it says is ever run, evaluated or unpickled here.
"""

import os
import socket
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, TypeVar

from omc.adapters.sandbox_process import frames
from omc.adapters.sandbox_process.answers import Failure, answer_of
from omc.adapters.sandbox_process.channel import Channel
from omc.adapters.sandbox_process.child import Child, Ended
from omc.adapters.sandbox_process.shared_memory import sealed_text
from omc.errors import CodeFailed, DeadlineExceeded, InvalidInput, SandboxDied, Unavailable
from omc.feature.frame import FloatArray
from omc.strategy.printed import Printed

_FAREWELL_S = 3.0
"""How long an end may take to be told of. A kill is quick; a machine may not be."""
_STARVED_S = 1.0
"""Processor time that a process must have lacked until the machine is to blame: less is how any machine shares."""
_UNASKED_S = 1.0
"""Processor time that a process may use from an answer to the next question: what it tidies up takes milliseconds."""
Answer = TypeVar("Answer")
Fault = TypeVar("Fault", SandboxDied, Unavailable)


class SandboxProcess:
    """One process, from its start to its end, which is final. From any thread, one question at a time.

    A question raises CodeFailed when the answer is that the code failed, and InvalidInput when it is that the input is
    refused; SandboxDied when the process ends instead of answering, or does not answer what was asked, and
    DeadlineExceeded when it does neither in time. Unavailable when it ended through no fault of the code: with the
    process that it was forked from, or late on a machine that did not let it compute.
    """

    def __init__(self, end: socket.socket, child: Child) -> None:
        """`end` is the parent's end of a connected SOCK_SEQPACKET pair whose other end the child serves."""
        self._channel, self._child = Channel(end), child
        self._lock = threading.RLock()
        self._asked = 0
        self._end: SandboxDied | Unavailable | None = None
        self._used_s = 0.0
        self._asked_at_s: float | None = None
        """What it had used when it was asked last."""
        self._answered_at_s: float | None = None
        """What it had used when it answered last."""
        self.printed = Printed()

    @property
    def alive(self) -> bool:
        """Whether it can be asked, as far as is known."""
        return self._end is None

    @property
    def blameless(self) -> bool:
        """Whether it ended through no fault of the code."""
        return isinstance(self._end, Unavailable)

    @property
    def cpu_s(self) -> float:
        """Seconds of processor time that it has used, what it took to lock it included: to the nanosecond while it
        lives, and what the kernel told of its end afterwards. One whose end nobody tells of has used what it had used
        when it was asked last."""
        self._used_s = max(self._used_s, self._child.cpu_s() or 0.0)
        return self._used_s

    def ask(
        self, do: str, request: Mapping[str, Any] | None = None, *, memory: int | None = None, deadline_s: float
    ) -> dict[str, Any]:
        """What is done, as it says, after the request `do`, beside which the descriptor `memory` travels."""
        with self._lock:
            number = self._send(do, request, memory, deadline_s)

            def look() -> dict[str, Any] | Failure:
                done, printed = answer_of(self._channel.receive(deadline_s), number)
                self.printed.write(printed)
                return done

            return _done(self._answer(look, deadline_s))

    def load(self, source: str, *, deadline_s: float) -> dict[str, Any]:
        """What it says of the code that it has loaded now."""
        memory, size = sealed_text(source)
        try:
            return self.ask("load", {"bytes": size}, memory=memory, deadline_s=deadline_s)
        finally:
            os.close(memory)

    def begin(self, request: Mapping[str, Any], coins: int, *, deadline_s: float) -> FloatArray:
        """Weights, (C,), any numbers, of the last bar of a held frame, which it goes on from."""
        with self._lock:
            number = self._send("begin", request, None, deadline_s)
            return self._weights(number, coins, number, deadline_s)

    def decide(self, time_us: int, prices: FloatArray, *, deadline_s: float) -> FloatArray:
        """Weights, (C,), any numbers, of the next bar: its time in microseconds, and (3, C) bids, asks and lasts."""
        frame = frames.bar_frame(time_us, prices)
        with self._lock:
            self._note()
            self._deal(lambda: self._channel.send(frame, None, deadline_s), deadline_s)
            return self._weights(time_us, prices.shape[1], None, deadline_s)

    def breaks(self, reason: InvalidInput) -> SandboxDied:
        """End it for an answer that cannot be: what to raise."""
        return self._finish(SandboxDied(f"the sandbox was ended: its answer cannot be ({reason})"), kill=True)

    def kill(self) -> None:
        """End it, and leave nothing of it here."""
        with self._lock:
            self._finish(SandboxDied("the sandbox was closed"), kill=True)

    close = kill

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _send(self, do: str, request: Mapping[str, Any] | None, memory: int | None, deadline_s: float) -> int:
        frame = frames.packed({"id": self._asked + 1, "do": do, **(request or {})})
        self._note()
        self._deal(lambda: self._channel.send(frame, memory, deadline_s), deadline_s)
        self._asked += 1
        return self._asked

    def _note(self) -> None:
        """What it has used, as it is about to be asked; one that computed when nobody had asked is ended."""
        self._asked_at_s = used_s = self._child.cpu_s()
        if self._end is not None or used_s is None or self._answered_at_s is None:
            return
        unasked_s = used_s - self._answered_at_s
        if unasked_s > _UNASKED_S:
            said = f"the sandbox was ended: it had computed for {unasked_s:.1f} s after its answer, when nobody asked"
            raise self._finish(SandboxDied(said), kill=True)

    def _answer(self, look: Callable[[], Answer], deadline_s: float) -> Answer:
        found = self._deal(look, deadline_s)
        self._answered_at_s = self._child.cpu_s()
        return found

    def _weights(self, marked: int, coins: int, number: int | None, deadline_s: float) -> FloatArray:
        def look() -> FloatArray | dict[str, Any] | Failure:
            frame = self._channel.receive(deadline_s)
            if frames.kind_of(frame) == frames.JSON:
                # It failed, and says so in words; a bar has no number.
                failure, printed = answer_of(frame, number)
                self.printed.write(printed)
                return failure
            weights, printed = frames.weights_of(frame, marked, coins)
            self.printed.write(printed)
            return weights

        found = self._answer(look, deadline_s)
        if isinstance(found, dict):
            raise self.breaks(InvalidInput("words instead of weights"))
        return _done(found)

    def _deal(self, deed: Callable[[], Answer], deadline_s: float) -> Answer:
        """Do something over the channel; whatever is wrong with the other end ends it."""
        if self._end is not None:
            raise type(self._end)(str(self._end))
        try:
            return deed()
        except TimeoutError:
            late = f"the code did not answer within {deadline_s:g} s"
            if self._starved(deadline_s):
                said = f"{late}, for this machine had no processor time for it, and its sandbox was ended: ask again"
                raise self._finish(Unavailable(said), kill=True) from None
            raise self._finish(DeadlineExceeded(f"{late}, and its sandbox was ended"), kill=True) from None
        except EOFError:
            # Whoever closed the socket has ended, or is made to.
            how = self._gone()
            if how is not None and how.with_zygote:
                gone = "the process that sandboxes are forked from has ended, and took the sandbox along: ask again"
                raise self._finish(Unavailable(gone), kill=True) from None
            said = "the sandbox closed its door, and was ended" if how is None else f"the sandbox {how.why}"
            raise self._finish(SandboxDied(said), kill=how is None) from None
        except InvalidInput as reason:
            raise self.breaks(reason) from None

    def _starved(self, deadline_s: float) -> bool:
        """Whether it would have computed all along, had the machine let it. (The kernel counts how long it waited for a
        processor only once it gets one, so that its state is asked instead.)"""
        used_s = self._child.cpu_s()
        if used_s is None or self._asked_at_s is None:
            return False
        lacked_s = deadline_s - (used_s - self._asked_at_s)
        return lacked_s >= max(deadline_s / 2, _STARVED_S) and self._child.busy()

    def _finish(self, end: Fault, *, kill: bool) -> Fault:
        if self._end is None:
            self._end = end
            # For those of which nobody will tell.
            self._used_s = self.cpu_s
            if kill:
                self._child.kill()
                self._gone()
            self._channel.close()
            self._child.close()
        return end

    def _gone(self) -> Ended | None:
        """How it ended, unless that is not to be learnt."""
        how = self._child.ended(_FAREWELL_S)
        if how is not None:
            self._used_s = max(self._used_s, how.cpu_s)
        return how


def _done(answer: Answer | Failure) -> Answer:
    if isinstance(answer, Failure):
        raise (InvalidInput if answer.refused else CodeFailed)(answer.said)
    return answer
