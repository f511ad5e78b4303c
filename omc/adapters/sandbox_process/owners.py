"""Those who ask a zygote for processes, as it sees them: none can hold it up, and each is watched for its end."""

import array
import contextlib
import json
import os
import socket
import struct
from collections import deque
from collections.abc import Sequence
from typing import Any

LONGEST = 64 * 1024
"""A packet, in bytes."""
_MOST_UNREAD = 4096
"""Packets that an owner may leave unread beyond what its socket holds."""
_SO_PEERPIDFD = 77
_WORD = array.array("i").itemsize
_CREDENTIALS = struct.Struct("3i")


class Owner:
    """One connection. EOFError when nobody is at its other end any more, or somebody who makes no sense."""

    def __init__(self, control: socket.socket) -> None:
        """OSError when whoever connected has ended already."""
        control.setblocking(False)
        self.control = control
        self.handle = _handle_of(control)
        """The pidfd of whoever connected: its end shows even where a fork of it holds the socket open.
        (PR_SET_PDEATHSIG would not do: it fires when merely the thread ends that started this process.)"""
        self._unread: deque[tuple[bytes, list[int]]] = deque()

    @property
    def behind(self) -> bool:
        """Whether it has not read what there is to tell."""
        return bool(self._unread)

    def ask(self) -> tuple[dict[str, Any], list[int]] | None:
        """What it wants, with what descriptors, now the caller's; None when it wants nothing after all."""
        try:
            packet, passed, _, _ = socket.recv_fds(self.control, LONGEST, 2)
        except BlockingIOError:
            return None
        except OSError as fault:
            raise EOFError(str(fault)) from None
        asked = _understood(packet)
        if asked is None:
            for each in passed:
                os.close(each)
            raise EOFError
        return asked, passed

    def tell(self, what: dict[str, Any], passed: Sequence[int] = ()) -> None:
        """Now, or when it reads on: it is not waited for."""
        if len(self._unread) >= _MOST_UNREAD:
            raise EOFError("it never reads")
        # Of its own, for the caller may close them before they are read.
        self._unread.append((json.dumps(what).encode()[:LONGEST], [os.dup(each) for each in passed]))
        self.go_on()

    def go_on(self) -> None:
        """Tell what is unread, as far as there is room."""
        while self._unread:
            packet, passed = self._unread[0]
            try:
                socket.send_fds(self.control, [packet], passed)
            except BlockingIOError:
                return
            except OSError as fault:
                raise EOFError(str(fault)) from None
            self._unread.popleft()
            for each in passed:
                os.close(each)

    def close(self) -> None:
        for _, passed in self._unread:
            for each in passed:
                os.close(each)
        self._unread.clear()
        with contextlib.suppress(OSError):
            # A process that was forked a moment ago may hold it open, too.
            self.control.shutdown(socket.SHUT_RDWR)
        self.control.close()
        os.close(self.handle)


def _understood(packet: bytes) -> dict[str, Any] | None:
    try:
        asked = json.loads(packet)
    except (ValueError, RecursionError):
        return None
    return asked if type(asked) is dict and type(asked.get("spawn")) is int else None


def received(control: socket.socket) -> tuple[bytes, list[int]]:
    """An owner's side: the next packet and the descriptors beside it, which no program that it starts is handed. (That
    is what `socket.recv_fds` cannot be told in every Python.)"""
    packet, beside, _, _ = control.recvmsg(LONGEST, socket.CMSG_SPACE(2 * _WORD), socket.MSG_CMSG_CLOEXEC)
    passed = array.array("i")
    for level, kind, data in beside:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            passed.frombytes(data[: len(data) // _WORD * _WORD])
    return packet, list(passed)


def let_in(door: socket.socket) -> Owner | None:
    """Who knocks; None when it is another user, or gone."""
    try:
        control, _ = door.accept()
    except OSError:
        return None
    try:
        if not is_same_user(control):
            raise PermissionError("another user")
        return Owner(control)
    except OSError:
        control.close()
        return None


def is_same_user(peer: socket.socket) -> bool:
    """Whether the other end belongs to this process's user, and is a process that it can see."""
    process, user = peer_of(peer)
    return process > 0 and user == os.geteuid()


def peer_of(peer: socket.socket) -> tuple[int, int]:
    """The process that connected, or that listened, and its user, as the kernel noted them then."""
    process, user, _ = _CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
    return process, user


def _handle_of(peer: socket.socket) -> int:
    try:
        return peer.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except OSError:
        # Kernels before 6.5 know only its number.
        return os.pidfd_open(peer_of(peer)[0])
