"""Ports of the loopback, taken before anything else and kept until the platform ends."""

import socket
from dataclasses import dataclass, field

from omc.errors import Unavailable

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Some port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Ports:
    """Ports that are ours. A free one is not only found but bound, so that no other program is given it before the one
    that it was found for listens there, which it may: a port that is bound and not listened on can be shared."""

    _bound: list[socket.socket] = field(default_factory=list, init=False)

    def claim(self, port: int, what: str, host: str = LOOPBACK) -> int:
        """`port` of `host`, or any free one for 0. Unavailable, saying who wanted it, when it cannot be listened on."""
        ours = socket.socket()
        if port:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            ours.bind((host, port))
        except OSError as fault:
            ours.close()
            reason = (fault.strerror or "it is taken").lower()
            where = "" if host == LOOPBACK else f" of {host}"
            raise Unavailable(f"port {port}{where} cannot be used for {what}: {reason}") from None
        # Afterwards: a free port is one that nobody has bound, not even to share it.
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._bound.append(ours)
        return int(ours.getsockname()[1])

    def release(self) -> None:
        """They are anybody's again."""
        for ours in self._bound:
            ours.close()
        self._bound.clear()
