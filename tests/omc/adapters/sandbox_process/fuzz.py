"""Attacks the frames of a sandbox, in both directions.

`python -m tests.omc.adapters.sandbox_process.fuzz --seconds 1800`

Honest answers are broken (bytes flipped, cut, doubled, spliced; values of their JSON exchanged) and laid before a
parent that has just asked; broken requests are laid before the server inside. The parent may find an answer, or a
named fault of the sandbox, and nothing else: no other exception, no wait beyond its deadline, no descriptor left open.
The server may answer with a frame or end. Whatever comes to an outcome that was not met before joins the corpus; with
`--keep` it joins the seeds that the tests replay.
"""

import argparse
import array
import os
import random
import re
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from omc.adapters.sandbox_process import frames
from omc.adapters.sandbox_process.answers import description_of, said_description, said_traits, traits_of
from omc.adapters.sandbox_process.child import Ended
from omc.adapters.sandbox_process.process import SandboxProcess
from omc.adapters.sandbox_process.serve import Server
from omc.adapters.sandbox_process.shared_memory import Answers, sealed_frame, sealed_text
from omc.errors import CodeFailed, InvalidInput
from omc.strategy.description import Description, Traits
from omc.strategy.macd import Macd
from omc.strategy.usable import usable
from omc.trading.exits import Exits
from tests.omc.adapters.sandbox_process.plain import EVEN, PlainFactory, walk

SEEDS = Path(__file__).with_name("frame_seeds.txt")
COINS, TIME_US = 2, 1_735_689_600_000_000
_TRAITS = Traits(72, Exits(stop_loss=0.1, take_profit=((0, 0.1), (5, 0.05)), time_stop_bars=9))
_ABOUT = Description("Macd", "Follows.", 1, None, Macd().get_params(), Macd.parameters())
ANSWERS = [
    frames.packed({"id": 1, "done": said_traits(_TRAITS)}),
    frames.packed({"id": 1, "done": said_traits(Traits(1, Exits())), "printed": "x\n"}),
    frames.packed({"id": 1, "done": said_description(_ABOUT)}),
    frames.packed({"id": 1, "done": {"model": 3}}),
    frames.packed({"id": 1, "failed": "ValueError: no (line 3 in predict)", "refused": False}),
    frames.packed({"id": None, "failed": "no", "refused": True, "printed": "y"}),
    frames.weights_frame(TIME_US, np.array([0.5, 0.25]), "printed"),
    frames.weights_frame(1, np.zeros(COINS), ""),
]
REQUESTS = [
    frames.packed({"id": 1, "do": "load", "bytes": 10}),
    frames.packed({"id": 1, "do": "traits", "parameters": {"part": 0.5}}),
    frames.packed({"id": 1, "do": "hold", "frame": 1, "coins": ["A"], "rows": 9, "labels": None, "drop": []}),
    frames.packed({"id": 1, "do": "room", "cells": 100}),
    frames.packed({"id": 1, "do": "predict", "parameters": {}, "frame": 1, "model": None}),
    frames.packed({"id": 1, "do": "fit", "parameters": {}, "frame": 1}),
    frames.packed({"id": 1, "do": "begin", "parameters": {}, "frame": 1, "model": 2}),
    frames.bar_frame(TIME_US, np.ones((3, COINS))),
]
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1,
    2**53,
    -(2**63),
    2**64 - 1,
    0.5,
    -0.0,
    1e308,
    "",
    "x" * 5_000,
    [],
    {},
    [[]],
    [{}],
]
_BROUGHT = re.compile(r"""[0-9]+|b?['"].*""")
"""Of a fault's words, what the attack itself has brought along."""


class Gone:
    """A Child that is no more."""

    def kill(self) -> None:
        pass

    def ended(self, within_s: float) -> Ended:
        return Ended(-9)

    def cpu_s(self) -> None:
        return None

    def close(self) -> None:
        pass


def attack_parent(raw: bytes, gifts: int = 0) -> list[str]:
    """What each way of asking comes to when this is the answer. Raises what it should never come to."""
    return [_outcome(lambda ask=ask: _asked(raw, gifts, ask)) for ask in (_traits, _description, _bar, _begin)]


def attack_server(raw: bytes, *, given: bool) -> str:
    """What the server comes to when this is the request, with memory beside it or without. It ends of anything that it
    raises."""
    server, passed = _at_work(), None
    if given:
        passed, _ = sealed_text(EVEN + " " * 300)
    try:
        reply = server.answer(memoryview(raw), passed)
    except Exception as fault:
        return f"ends by {type(fault).__name__}"
    finally:
        # What a request did not ask for is closed by nobody: the server of a real process has ended by then.
        if passed is not None:
            with suppress(OSError):
                os.close(passed)
    return "answers" if frames.kind_of(reply) == frames.JSON and frames.unpacked(reply) else "answers with weights"


def _at_work() -> Server:
    """A server that has loaded code, holds a frame, has room to answer in, and was begun."""
    server, frame = Server(PlainFactory), walk(9, COINS)
    source, size = sealed_text(EVEN)
    held = {"frame": 1, "coins": list(frame.coins), "rows": 9, "labels": None, "drop": []}
    for passed, request in (
        (source, {"do": "load", "bytes": size}),
        (sealed_frame(frame), {"do": "hold", **held}),
        (_room(9 * COINS), {"do": "room", "cells": 9 * COINS}),
        (None, {"do": "begin", "parameters": {}, "frame": 1, "model": None}),
    ):
        frames.kind_of(server.answer(memoryview(frames.packed({"id": 1, **request})), passed))
    return server


def _room(cells: int) -> int:
    with Answers(cells) as answers:
        return os.dup(answers.descriptor)


def mutated(chance: random.Random, raw: bytes, corpus: list[bytes]) -> bytes:
    """A few things broken."""
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        raw = chance.choice(_WAYS)(chance, raw, corpus)
    return raw[: frames.LONGEST + 64]


def _asked(raw: bytes, gifts: int, ask: Callable[[SandboxProcess], str]) -> str:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs, SandboxProcess(ours, Gone()) as process:
        try:
            if gifts:
                theirs.sendmsg(
                    [raw], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [theirs.fileno()] * gifts))]
                )
            else:
                theirs.send(raw)
        except OSError as fault:
            return f"cannot be sent: {fault.errno}"
        return ask(process)


def _traits(process: SandboxProcess) -> str:
    found = traits_of(process.ask("traits", deadline_s=0.01))
    return f"traits {found.exits.any}"


def _description(process: SandboxProcess) -> str:
    return f"describes {len(description_of(process.ask('load', deadline_s=0.01)).defaults)}"


def _bar(process: SandboxProcess) -> str:
    return f"weighs {usable(process.decide(TIME_US, np.ones((3, COINS)), deadline_s=0.01), COINS).shape}"


def _begin(process: SandboxProcess) -> str:
    return f"weighs {usable(process.begin({}, COINS, deadline_s=0.01), COINS).shape}"


def _outcome(run: Callable[[], str]) -> str:
    try:
        return run()
    except (CodeFailed, InvalidInput) as fault:
        return f"{type(fault).__name__}: {_BROUGHT.sub('', str(fault))[:60]}"


def _flip(chance: random.Random, raw: bytes, corpus: list[bytes]) -> bytes:
    found = bytearray(raw or b"\0")
    found[chance.randrange(len(found))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(found)


def _cut(chance: random.Random, raw: bytes, corpus: list[bytes]) -> bytes:
    return raw[: chance.randrange(len(raw) + 1)]


def _without(chance: random.Random, raw: bytes, corpus: list[bytes]) -> bytes:
    at = chance.randrange(len(raw) + 1)
    return raw[:at] + raw[at + chance.randrange(9) :]


def _longer(chance: random.Random, raw: bytes, corpus: list[bytes]) -> bytes:
    return raw + chance.choice((b"\0", b"}", b"[" * 2_000, b'{"a":' * 900, b"\xff", b" ", b"1")) * chance.choice(
        (1, 9, 70)
    )


def _splice(chance: random.Random, raw: bytes, corpus: list[bytes]) -> bytes:
    other = chance.choice(corpus)
    return raw[: chance.randrange(len(raw) + 1)] + other[chance.randrange(len(other) + 1) :]


def _double(chance: random.Random, raw: bytes, corpus: list[bytes]) -> bytes:
    begin = chance.randrange(len(raw) + 1)
    part = raw[begin : begin + chance.randrange(1, 64)]
    return raw[:begin] + part * chance.choice((2, 3, 300)) + raw[begin:]


def _exchange(chance: random.Random, raw: bytes, corpus: list[bytes]) -> bytes:
    """Another value somewhere in its JSON."""
    try:
        content = orjson.loads(raw[8:])
    except ValueError:
        return _flip(chance, raw, corpus)
    holder: Any = content
    while isinstance(holder, dict | list) and holder:
        key = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
        if chance.random() < 0.4 or not isinstance(holder[key], dict | list) or not holder[key]:
            holder[key] = chance.choice(ODD)
            break
        holder = holder[key]
    return raw[:8] + orjson.dumps(content)


_WAYS = (_flip, _cut, _without, _longer, _splice, _double, _exchange, _exchange, _exchange)


def seeds() -> list[bytes]:
    return [bytes.fromhex(line) for line in SEEDS.read_text().split()] if SEEDS.exists() else []


def fuzz(seconds: float, seed: int, most: int | None = None) -> tuple[int, dict[str, bytes]]:
    """Attacks made, `most` at most, and the first that came to each outcome."""
    chance, corpora = random.Random(seed), (ANSWERS + seeds(), REQUESTS + seeds())
    met: dict[str, bytes] = {}
    attacks, until, descriptors = 0, time.monotonic() + seconds, _open()
    while time.monotonic() < until and (most is None or attacks < most):
        for side, corpus in enumerate(corpora):
            raw = mutated(chance, chance.choice(corpus), corpus)
            gifts = chance.choice((0,) * 30 + (1, 5, 40))
            said = (
                attack_parent(raw, gifts) if side == 0 else [attack_server(raw, given=gifts > 0 or len(raw) % 2 == 0)]
            )
            for outcome in said:
                if met.setdefault(f"{side} {outcome}", raw) is raw:
                    corpus.append(raw)
            attacks += 1
        if attacks % 20_000 == 0:
            if _open() > descriptors:
                raise SystemExit(f"{_open() - descriptors} descriptors were left open")
            sys.stdout.write(f"{attacks:,} attacks, {len(met)} outcomes\n")
            sys.stdout.flush()
    return attacks, met


def _open() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="add what was found to the seeds of the tests")
    asked = parser.parse_args()
    attacks, met = fuzz(asked.seconds, asked.seed)
    for outcome in sorted(met):
        sys.stdout.write(f"{outcome}\n")
    sys.stdout.write(f"{attacks:,} attacks, {len(met)} outcomes, none of them a fault\n")
    if asked.keep:
        kept = sorted({raw.hex() for raw in (*seeds(), *met.values()) if len(raw) <= 2_000})
        SEEDS.write_text("\n".join(kept) + "\n")


if __name__ == "__main__":
    main()
