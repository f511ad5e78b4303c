"""Knocking at a port with nothing in hand, no token, password or signature, to see whether it asks for one.

Each knock asks what changes nothing, and what only whoever is let in is told. It takes a moment at most.
"""

import http.client
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import closing
from enum import StrEnum

import grpc

_PATIENCE_S = 3.0
_STARTUP = b"user\0omc\0database\0postgres\0\0"
_POSTGRES_3 = 196_608
# What PostgreSQL says of a password or a rule that keeps somebody out begins so.
_NOT_ALLOWED = b"C28"
_MEASURES = "text/plain; version="


class Heard(StrEnum):
    """What was said to whoever came with nothing."""

    ASKED = "asks"
    """For what was not brought."""
    LET_IN = "lets in"
    MEASURES = "tells measures"
    """Counts and times for Prometheus, and nothing else whatever the path."""
    SILENCE = "did not say"
    """Nothing, or nothing that tells."""


Knock = Callable[[str, int], Heard]


def at_http(path: str, *, method: str = "GET", tls: bool = False) -> Knock:
    """By a request that must be refused with 401 or 403."""

    def knock(address: str, port: int) -> Heard:
        if tls:
            line: http.client.HTTPConnection = http.client.HTTPSConnection(
                address, port, timeout=_PATIENCE_S, context=_whoever()
            )
        else:
            line = http.client.HTTPConnection(address, port, timeout=_PATIENCE_S)
        try:
            with closing(line):
                line.request(method, path)
                answer = line.getresponse()
                return _of(answer.status, answer.getheader("Content-Type", ""))
        except (OSError, http.client.HTTPException):
            return Heard.SILENCE

    return knock


def at_postgres(address: str, port: int) -> Heard:
    """By a name without a password."""
    try:
        with socket.create_connection((address, port), _PATIENCE_S) as line:
            line.sendall(struct.pack("!ii", 8 + len(_STARTUP), _POSTGRES_3) + _STARTUP)
            said = line.recv(1_024)
    except OSError:
        return Heard.SILENCE
    match said[:1]:
        case b"R" if len(said) >= 9:
            (wanted,) = struct.unpack("!i", said[5:9])
            return Heard.ASKED if wanted else Heard.LET_IN
        case b"E" if any(field.startswith(_NOT_ALLOWED) for field in said[5:].split(b"\0")):
            return Heard.ASKED
        case _:
            return Heard.SILENCE


def at_grpc(method: str) -> Knock:
    """By a call that must be refused as unauthenticated."""

    def knock(address: str, port: int) -> Heard:
        where = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        # Through no proxy of the environment's, and with no connection of another knock.
        options = (("grpc.enable_http_proxy", 0), ("grpc.use_local_subchannel_pool", 1))
        with grpc.insecure_channel(where, options=options) as channel:
            try:
                channel.unary_unary(method)(b"", timeout=_PATIENCE_S)
            except grpc.RpcError as fault:
                return Heard.ASKED if fault.code() is grpc.StatusCode.UNAUTHENTICATED else Heard.SILENCE
        return Heard.LET_IN

    return knock


def at_any(*knocks: Knock) -> Knock:
    """By one after the other, until something is said: for a process that speaks differently at each of its ports."""

    def knock(address: str, port: int) -> Heard:
        heard = (each(address, port) for each in knocks)
        return next((each for each in heard if each is not Heard.SILENCE), Heard.SILENCE)

    return knock


def _of(status: int, kind: str) -> Heard:
    if status in (401, 403):
        return Heard.ASKED
    if status >= 300:
        return Heard.SILENCE
    return Heard.MEASURES if kind.startswith(_MEASURES) else Heard.LET_IN


def _whoever() -> ssl.SSLContext:
    """Who answers is not asked: it is told nothing."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
