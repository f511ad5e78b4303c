"""Ports of the loopback."""

import socket

from omc.errors import Unavailable

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Some port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def claim(port: int, what: str) -> int:
    """`port`, or any free one for 0. Unavailable, saying who wanted it, when somebody listens there already."""
    if port == 0:
        return free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as fault:
            reason = (fault.strerror or "it is taken").lower()
            raise Unavailable(f"port {port} cannot be used for {what}: {reason}") from None
    return port
