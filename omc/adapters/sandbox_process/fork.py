"""One fork of a warm process, from both sides: it waits for its orders, locks itself, says so, and serves."""

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from omc.adapters.sandbox_process import descriptors, lockdown
from omc.adapters.sandbox_process.limits import Limits, be_as_nice_as
from omc.adapters.sandbox_process.owners import LONGEST, Owner
from omc.errors import OmcError, Refused, SandboxRefused

STANDING = b"\0"
"""What it reports when every layer stands, before the list of those that it goes without."""
REFUSED = b"\1"
"""What it reports when a layer is missing, before a sentence. Whatever else keeps it from running is a sentence alone,
or nothing."""
_RAISED, _NOT_LOCKED = 1, 71


def check_alone() -> None:
    """SandboxRefused in a process with threads: they are not forked, but the locks that they hold are."""
    found = lockdown.threads()
    if found != 1:
        raise SandboxRefused(f"the process to fork from has {found} threads: a fork of it might hang for ever")


@dataclass(slots=True)
class Fork:
    process: int
    handle: int
    """Its pidfd."""
    orders: socket.socket
    """Where it waits to be told its limits and given its descriptor; closed when it was."""
    report: int
    """The pipe by which it says whether every layer stands."""
    owner: Owner | None = None
    """Who asked for it; None while it is a spare."""
    ticket: int = 0
    locked: bool | None = None
    """None while that is not known."""

    @property
    def waits(self) -> bool:
        return self.owner is None and self.locked is None and self.orders.fileno() >= 0

    def order(self, orders: Mapping[str, Any], descriptor: int) -> bool:
        """Tell it, once, what limits to lock itself in and where to serve; whether it lives to be told."""
        with self.orders:
            try:
                socket.send_fds(self.orders, [json.dumps(orders).encode()], [descriptor])
            except ConnectionError:
                return False
        return True


def fork(serve: Callable[[int], None]) -> Fork:
    """A new one. OSError and SandboxRefused where none can be."""
    check_alone()
    report, told = os.pipe()
    orders, taken = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        process = os.fork()
        if process == 0:
            _become(serve, taken, told)
    except OSError:
        os.close(report)
        orders.close()
        raise
    finally:
        os.close(told)
        taken.close()
    return Fork(process, os.pidfd_open(process), orders, report)


def _become(serve: Callable[[int], None], orders: socket.socket, told: int) -> NoReturn:
    """The child. It never returns, so that what it holds of the zygote is never cleaned up in it."""
    code = _NOT_LOCKED
    try:
        # At once, for it may wait for long: no owner is to take its copies for a zygote that lives.
        descriptors.close_all_but((orders.fileno(), told))
        packet, passed, _, _ = socket.recv_fds(orders, LONGEST, 1)
        # Nothing comes when the zygote has ended.
        if packet:
            said = json.loads(packet)
            be_as_nice_as(said["nice"])
            missing = lockdown.lock(Limits(**said["limits"]), (*passed, told), unsafe=said["unsafe"])
            os.write(told, STANDING + json.dumps(missing).encode())
            os.close(told)
            code = _RAISED
            serve(*passed)
            code = 0
    except (OmcError, OSError) as error:
        if code == _NOT_LOCKED:
            os.write(told, (REFUSED if isinstance(error, Refused) else b"") + str(error).encode())
    finally:
        # Whatever else was raised, an exit included.
        os._exit(code)
