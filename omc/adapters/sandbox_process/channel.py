"""The parent's end of the socket to a sandbox: whole packets, each within a deadline."""

import array
import os
import select
import socket
import time
from collections.abc import Iterable

from omc.adapters.sandbox_process.frames import LONGEST
from omc.errors import InvalidInput

_WORD = array.array("i").itemsize
_ROOM_BESIDE = socket.CMSG_SPACE(16 * _WORD)


class Channel:
    """TimeoutError when a packet does not come, or is not taken, within the deadline; EOFError when nobody is at the
    other end any more."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._poll = select.poll()
        self._poll.register(end, select.POLLIN)
        self._waits_for = select.POLLIN
        self._buffer = bytearray(LONGEST + 1)

    def send(self, frame: bytes, memory: int | None, deadline_s: float) -> None:
        """A frame, and the descriptor `memory` beside it."""
        until = time.monotonic() + deadline_s
        while not self._sent(frame, memory):
            # Who does not read is as late as who does not answer.
            self._wait(select.POLLOUT, until)

    def receive(self, deadline_s: float) -> memoryview:
        """The next packet, good until the next call. InvalidInput for one that is too long, or brings descriptors,
        which are closed unseen."""
        self._wait(select.POLLIN, time.monotonic() + deadline_s)
        try:
            length, beside, flags, _ = self._end.recvmsg_into([self._buffer], _ROOM_BESIDE, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            # Something that woke us up was no packet.
            raise EOFError from None
        except OSError as fault:
            raise EOFError(str(fault)) from None
        if beside or flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            _close(beside)
            raise InvalidInput(f"a packet of more than {LONGEST:,} bytes, or with descriptors")
        if not length:
            raise EOFError
        return memoryview(self._buffer)[:length]

    def close(self) -> None:
        self._end.close()

    def _sent(self, frame: bytes, memory: int | None) -> bool:
        try:
            if memory is None:
                self._end.send(frame)
            else:
                self._end.sendmsg([frame], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [memory]))])
        except BlockingIOError:
            return False
        except OSError as fault:
            raise EOFError(str(fault)) from None
        return True

    def _wait(self, what: int, until: float) -> None:
        if what != self._waits_for:
            self._poll.modify(self._end, what)
            self._waits_for = what
        # The end of the other side counts as ready.
        left_s = until - time.monotonic()
        if left_s <= 0 or not self._poll.poll(left_s * 1000):
            raise TimeoutError


def _close(beside: Iterable[tuple[int, int, bytes]]) -> None:
    for level, kind, data in beside:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            for descriptor in array.array("i", data[: len(data) // _WORD * _WORD]):
                os.close(descriptor)
