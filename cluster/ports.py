"""Ports of the loopback."""

import socket

from omc.errors import Unavailable

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Some port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def claim(port: int, what: str, host: str = LOOPBACK) -> int:
    """`port` of `host`, or any free one for 0. Unavailable, saying who wanted it, when it cannot be listened on."""
    if port == 0:
        return free_port()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            reason = (fault.strerror or "it is taken").lower()
            where = "" if host == LOOPBACK else f" of {host}"
            raise Unavailable(f"port {port}{where} cannot be used for {what}: {reason}") from None
    return port
