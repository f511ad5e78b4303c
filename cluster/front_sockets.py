"""The sockets between the front and the replicas: kept by the platform, and handed to each replica that asks.

They lie in a folder that nobody else enters. Because the platform itself keeps them open, whoever connects while a
replica is being replaced is not refused but waits for the next one; and several replicas take turns at the same socket.
"""

import os
import socket
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from omc.errors import Unavailable

_HANDED_OUT = "handed-out"
_BACKLOG = 4_096
_PATIENCE_S = 10.0
_LONGEST_NAME = 64


@dataclass(slots=True)
class FrontSockets:
    """Sockets in `folder`, by name, for as long as this process keeps them."""

    folder: Path
    names: Iterable[str]
    _kept: dict[str, socket.socket] = field(default_factory=dict, init=False)
    _asked: socket.socket | None = field(default=None, init=False)

    def open(self) -> None:
        """Listen, and hand out what is asked for from now on."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._kept = {name: _listening(self.folder, name) for name in self.names}
        self._asked = _listening(self.folder, _HANDED_OUT)
        threading.Thread(target=self._hand_out, args=(self._asked,), name="front-sockets", daemon=True).start()

    def close(self) -> None:
        """Those who wait are cut off."""
        if self._asked is not None:
            # A thread that waits in it would not notice that it is closed.
            with suppress(OSError):
                self._asked.shutdown(socket.SHUT_RDWR)
            self._asked.close()
        for each in self._kept.values():
            each.close()
        self._kept.clear()

    def _hand_out(self, asked: socket.socket) -> None:
        while True:
            try:
                asking, _ = asked.accept()
            except OSError:
                return
            with asking, suppress(OSError):
                asking.settimeout(_PATIENCE_S)
                wanted = self._kept.get(asking.recv(_LONGEST_NAME).decode("ascii", "replace"))
                if wanted is not None:
                    socket.send_fds(asking, [b"+"], [wanted.fileno()])


def handed_out(folder: Path, name: str) -> socket.socket:
    """A copy of the socket called `name`. Unavailable when nobody hands it out."""
    try:
        with _address(folder, _HANDED_OUT) as address, socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(_PATIENCE_S)
            asking.connect(address)
            asking.sendall(name.encode("ascii"))
            _, files, _, _ = socket.recv_fds(asking, 1, 1)
    except OSError as fault:
        raise Unavailable(f"the front's socket {name} is handed out by nobody: {fault.strerror}") from None
    if not files:
        raise Unavailable(f"the front has no socket {name}")
    return socket.socket(fileno=files[0])


def _listening(folder: Path, name: str) -> socket.socket:
    with suppress(FileNotFoundError):
        (folder / name).unlink()
    ours = socket.socket(socket.AF_UNIX)
    with _address(folder, name) as address:
        ours.bind(address)
    (folder / name).chmod(0o600)
    ours.listen(_BACKLOG)
    return ours


@contextmanager
def _address(folder: Path, name: str) -> Iterator[str]:
    """Where `name` is for a moment: the address of a socket holds a hundred characters, and a folder may have more."""
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{inside}/{name}"
    finally:
        os.close(inside)
