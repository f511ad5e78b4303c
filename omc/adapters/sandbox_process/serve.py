"""Inside the locked process: read a request, ask the bench, answer, until the parent closes the socket.

`main(fd)` needs, of system calls, no more than recvmsg and write on `fd`, and mmap (never executable), munmap,
fcntl (F_DUPFD_CLOEXEC) and close for the memory that the parent passes in. `fd` is a connected SOCK_SEQPACKET socket.

Code that got through the first wall may do here whatever it likes, this file included. So nothing here protects
anybody but the code from itself: the parent believes no answer unseen.
"""

import array
import os
import socket
from collections.abc import Callable
from typing import Any

import numpy as np

from omc.adapters.sandbox_process import answers, frames, shared_memory
from omc.errors import CodeFailed, InvalidInput
from omc.feature.frame import FloatArray
from omc.strategy.sandbox import load
from omc.strategy.workbench import INDICATORS_BYTES, Factory, Held, Workbench

_LONGEST_TOLD = 4_000
_ONE = array.array("i").itemsize


def main(fd: int, load: Callable[..., Factory] = load) -> None:
    """Serve the algorithm that the first request holds, which `load` makes of its source. Returns at the end of input;
    OSError and InvalidInput when the parent is not to be understood."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fileno=fd) as channel:
        server = Server(load)
        buffer = bytearray(frames.LONGEST + 1)
        while True:
            length, passed = _read(channel, buffer)
            if not length:
                return
            reply = server.answer(memoryview(buffer)[:length], passed)
            os.write(fd, reply)


def _read(channel: socket.socket, buffer: bytearray) -> tuple[int, int | None]:
    """Bytes of the next packet, 0 at the end, and the descriptor beside it."""
    length, beside, flags, _ = channel.recvmsg_into([buffer], socket.CMSG_SPACE(_ONE), socket.MSG_CMSG_CLOEXEC)
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
        raise InvalidInput("a packet that is too long, or has more than one descriptor")
    for level, kind, data in beside:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            return length, array.array("i", data)[0]
    return length, None


class Server:
    """What is held between two requests."""

    def __init__(self, load: Callable[..., Factory]) -> None:
        self._load = load
        self._bench: Workbench | None = None
        self._held: dict[int, tuple[Held, FloatArray | None]] = {}
        self._room = np.empty(0)
        self._coins = 0

    def answer(self, frame: memoryview, passed: int | None) -> bytes:
        """The frame to send back."""
        request: dict[str, Any] = {}
        try:
            if frames.kind_of(frame) == frames.BAR:
                return self._decide(frame)
            request = frames.unpacked(frame)
            done = self._do(request, passed)
            return done if isinstance(done, bytes) else self._reply(request, {"done": done})
        except (CodeFailed, InvalidInput) as reason:
            said = {"failed": str(reason)[:_LONGEST_TOLD], "refused": isinstance(reason, InvalidInput)}
        except (MemoryError, OSError):
            # Mapping what was passed in fails with an OSError for want of address space.
            said = {"failed": "MemoryError: it needs more memory than it may have", "refused": False}
        return self._reply(request, said)

    def _reply(self, request: dict[str, Any], said: dict[str, Any]) -> bytes:
        printed = "" if self._bench is None else self._bench.printed.take()
        content = {"id": request.get("id"), **said, **({"printed": printed} if printed else {})}
        try:
            return frames.packed(content)
        except InvalidInput as reason:
            # A lone surrogate in a message, a default that JSON has no word for.
            return frames.packed({"id": request.get("id"), "failed": f"what it says {reason}", "refused": False})

    def _decide(self, frame: memoryview) -> bytes:
        time_us, (bid, ask, last) = frames.bar_of(frame, self._coins)
        bench = self._ready()
        weights = bench.decide(frames.time_of(time_us), bid, ask, last)
        return frames.weights_frame(time_us, weights, bench.printed.take())

    def _do(self, request: dict[str, Any], passed: int | None) -> dict[str, Any] | bytes:
        match request["do"]:
            case "load":
                self._bench = Workbench(shared_memory.mapped_text(_given(passed), request["bytes"]), self._load)
                return answers.said_description(self._bench.describe())
            case "traits":
                return answers.said_traits(self._ready().traits(request["parameters"]))
            case "hold":
                return self._hold(request, passed)
            case "room":
                self._room = shared_memory.mapped_answers(_given(passed), request["cells"])
                return {}
            case "predict":
                return self._predict(request)
            case "fit":
                held, labels = self._held[request["frame"]]
                return {"model": self._ready().fit(request["parameters"], held.frame, labels)}
            case "export":
                return self._export(request)
            case "restore":
                content = shared_memory.mapped_bytes(_given(passed), request["bytes"])
                return {"model": self._ready().restore(request["parameters"], content)}
            case "begin":
                held, _ = self._held[request["frame"]]
                self._coins = len(held.frame.coins)
                weights = self._ready().begin(request["parameters"], held.frame, request["model"])
                return frames.weights_frame(request["id"], weights, self._ready().printed.take())
            case unknown:
                raise InvalidInput(f"nothing here can do {unknown!r}")

    def _hold(self, request: dict[str, Any], passed: int | None) -> dict[str, Any]:
        for gone in request["drop"]:
            self._held.pop(gone, None)
        shape = request["labels"]
        frame, labels = shared_memory.mapped_frame(
            _given(passed), tuple(request["coins"]), request["rows"], None if shape is None else tuple(shape)
        )
        self._held[request["frame"]] = Held(frame), labels
        for held, _ in self._held.values():
            held.indicators.limit(INDICATORS_BYTES // len(self._held))
        return {}

    def _predict(self, request: dict[str, Any]) -> dict[str, Any]:
        held, _ = self._held[request["frame"]]
        bench, parameters = self._ready(), request["parameters"]
        if request.get("anew"):
            weights, traits = bench.predict_anew(parameters, held)
        else:
            weights, traits = bench.predict(parameters, held, request["model"])
        np.copyto(self._room[: weights.size].reshape(weights.shape), weights)
        return answers.said_traits(traits)

    def _export(self, request: dict[str, Any]) -> dict[str, Any]:
        content, room = self._ready().export(request["model"]), self._room.view(np.uint8)
        if len(content) > len(room):
            raise CodeFailed(f"a fitted model of {len(content):,} bytes is too large to be handed over")
        room[: len(content)] = np.frombuffer(content, np.uint8)
        return {"bytes": len(content)}

    def _ready(self) -> Workbench:
        if self._bench is None:
            raise CodeFailed("no code was loaded")
        return self._bench


def _given(passed: int | None) -> int:
    if passed is None:
        raise InvalidInput("the descriptor is missing")
    return passed
