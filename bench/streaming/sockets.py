"""A thousand WebSocket clients in one thread: as little work a message as can be, because it is not them we measure."""

import base64
import os
import selectors
import socket
import struct
import time
from dataclasses import dataclass, field

TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


def frame(opcode: int, payload: bytes) -> bytes:
    """A client's frame, masked with zeros: a mask is asked for, and not that it hides anything."""
    size = len(payload)
    head = bytes([0x80 | opcode])
    head += bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + struct.pack("!H", size)
    return head + bytes(4) + payload


@dataclass(slots=True)
class Socket:
    """One client. Messages that came are (nanoseconds, seq)."""

    number: int
    raw: socket.socket
    rest: bytes = b""
    heard: list[tuple[int, int]] = field(default_factory=list)
    messages: int = 0
    closed: int | None = None

    @classmethod
    def to(cls, number: int, port: int, path: str, first: bytes | None) -> "Socket":
        raw = socket.create_connection(("127.0.0.1", port))
        key = base64.b64encode(os.urandom(16)).decode()
        raw.sendall(
            f"GET {path} HTTP/1.1\r\nHost: omc\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = raw.recv(4096)
            if not part:
                raise SystemExit(f"the handshake was refused: {answer[:80]!r}")
            answer += part
        head, _, rest = answer.partition(b"\r\n\r\n")
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise SystemExit(f"the handshake was refused: {head[:80]!r}")
        if first is not None:
            raw.sendall(frame(TEXT, first))
        raw.setblocking(False)
        it = cls(number, raw)
        it.take(rest)
        return it

    def read(self) -> None:
        """Whatever is there."""
        try:
            data = self.raw.recv(262_144)
        except BlockingIOError:
            return
        if not data:
            self.closed = self.closed or 1006
            return
        self.take(data)

    def take(self, data: bytes) -> None:
        now, data = time.monotonic_ns(), self.rest + data
        at = 0
        while len(data) - at >= 2:
            size, body = data[at + 1] & 0x7F, at + 2
            if size == 126:
                size, body = int.from_bytes(data[at + 2 : at + 4]), at + 4
            elif size == 127:
                size, body = int.from_bytes(data[at + 2 : at + 10]), at + 10
            if len(data) < body + size:
                break
            self._frame(data[at] & 0x0F, data[body : body + size], now)
            at = body + size
        self.rest = data[at:]

    def _frame(self, opcode: int, payload: bytes, now: int) -> None:
        if opcode == TEXT:
            self.messages += 1
            seq = payload.find(b'"seq":', 0, 64) + 6
            self.heard.append((now, int(payload[seq : payload.index(b",", seq)])))
        elif opcode == PING:
            self.raw.send(frame(PONG, payload))
        elif opcode == CLOSE:
            self.closed = int.from_bytes(payload[:2]) if payload else 1005


class Crowd:
    """Many of them."""

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self._ready = selectors.EpollSelector()

    def add(self, one: Socket) -> None:
        self.sockets.append(one)
        self._ready.register(one.raw, selectors.EVENT_READ, one)

    def read(self, timeout_s: float) -> None:
        for key, _ in self._ready.select(timeout_s):
            one: Socket = key.data
            one.read()
            if one.closed is not None:
                self._ready.unregister(one.raw)

    def until(self, messages: int, timeout_s: float) -> bool:
        """Whether each of them heard so many messages in time."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if all(one.messages >= messages or one.closed for one in self.sockets):
                return True
            self.read(0.05)
        return False
