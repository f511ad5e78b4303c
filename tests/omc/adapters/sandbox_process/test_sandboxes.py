"""Sandboxes as they are used: behind both walls, from a zygote of their own."""

import asyncio
import os
import pickle
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from omc.adapters.sandbox_process.limits import Limits
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.errors import CodeFailed, DeadlineExceeded, InvalidInput, SandboxDied, SandboxRefused, Unavailable
from omc.strategy.in_pieces import changed_rows, decide_in_pieces
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.registry import make, templates
from omc.strategy.sandboxed import SandboxedAlgorithm
from tests.omc.adapters.sandbox_process.plain import PATIENT, does, file_of, walk

TEMPLATES = [template.algorithm_type for template in templates()]


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    made = Sandboxes(limits=Limits(memory_bytes=512 * 2**20, cpu_s=None), deadlines=PATIENT)
    made.start()
    yield made
    made.close()


@pytest.mark.parametrize("algorithm_type", TEMPLATES)
def test_a_built_in_algorithm_decides_inside_what_it_decides_outside(sandboxes, algorithm_type):
    outside = make(algorithm_type, {})
    frame = walk(outside.memory_bars + 300, 2)
    with sandboxes.of(file_of(type(outside))) as sandbox:
        inside = SandboxedAlgorithm(sandbox)
        assert inside.get_params() == outside.get_params()
        assert inside.predict(frame).tobytes() == outside.predict(frame).tobytes()
        assert (inside.memory_bars, repr(inside.exits)) == (outside.memory_bars, repr(outside.exits))
        assert inside.parameters() == outside.parameters()


def test_bar_by_bar_it_decides_what_the_floor_decides(sandboxes):
    outside, frame = MovingAverageCrossover(fast_bars=3, slow_bars=20), walk(200, 2)
    with sandboxes.of(file_of(MovingAverageCrossover)) as sandbox:
        inside = SandboxedAlgorithm(sandbox, outside.get_params())
        found = [inside.begin(frame.rows(0, 50))]
        for row in range(50, 200):
            found += [inside.decide_next(frame.time(row), frame.bid[row], frame.ask[row], frame.last[row])]
    assert np.array(found).tobytes() == outside.predict(frame)[49:].tobytes()


def test_prices_with_gaps_and_without_a_common_unit_are_decided_on(sandboxes):
    frame = walk(300, 3)
    for array in (frame.bid, frame.ask, frame.last):
        array[:, 1] = np.round(array[:, 1] * 1e6, 2)
        array[50:60, 0] = np.nan
    outside = MovingAverageCrossover(fast_bars=3, slow_bars=20)
    with sandboxes.of(file_of(MovingAverageCrossover)) as sandbox:
        inside = SandboxedAlgorithm(sandbox, outside.get_params())
        assert inside.predict(frame).tobytes() == outside.predict(frame).tobytes()


def test_code_that_the_first_wall_refuses_is_refused_input(sandboxes):
    with pytest.raises(InvalidInput, match="line 1"), sandboxes.of("import os\n") as sandbox:
        sandbox.describe()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        # The latter on a machine that has no processor time for it.
        ("while True: pass", (DeadlineExceeded, Unavailable)),
        ("x = [0] * 1000\nwhile True: x = x + x", CodeFailed),
        ("def deep(): return deep()\nreturn deep()", CodeFailed),
        ("raise ValueError('no')", CodeFailed),
        ("return frame.last * np.nan", CodeFailed),
        ("return frame.last[1:]", CodeFailed),
    ],
)
def test_every_end_is_named_and_the_next_algorithm_runs_as_if_nothing_had_happened(sandboxes, body, kind):
    frame = walk(50, 1)
    # Only the one that never ends is to be late.
    deadlines = PATIENT if kind is CodeFailed else replace(PATIENT, predict_s=3.0)
    with sandboxes.of(does(body), deadlines=deadlines) as sandbox, pytest.raises(kind):
        sandbox.predict({}, frame)
    with sandboxes.of(does("return frame.last * 0.0")) as sandbox:
        assert not sandbox.predict({}, frame).weights.any()


def test_it_is_asked_about_many_frames_one_after_the_other(sandboxes):
    frame = walk(200, 2)
    with sandboxes.of(does("return frame.last * 0.0 + 0.5")) as sandbox:
        for row in range(150):
            assert sandbox.predict({}, frame.rows(row, row + 50)).weights.shape == (50, 2)


def test_cpu_time_has_an_end_of_its_own(sandboxes):
    with sandboxes.of(does("while True: pass"), limits=Limits(cpu_s=1)) as sandbox:
        with pytest.raises(SandboxDied, match="CPU time") as raised:
            sandbox.predict({}, walk(5, 1))
        assert type(raised.value) is SandboxDied


def test_a_zygote_that_dies_takes_its_sandboxes_along_and_is_started_anew():
    own = Sandboxes(limits=Limits(memory_bytes=256 * 2**20))
    frame = walk(5, 1)
    with own.of(does("return frame.last * 0.0")) as sandbox:
        assert not sandbox.predict({}, frame).weights.any()
        os.kill(own._nursery().zygote, signal.SIGKILL)

        def ask_on() -> None:
            while True:
                sandbox.predict({}, frame)
                time.sleep(0.01)

        with pytest.raises(Unavailable, match="took the sandbox along"):
            ask_on()
        assert not sandbox.predict({}, frame).weights.any()
    own.close()
    own.close()


def test_it_travels_as_its_settings_and_its_source(sandboxes):
    frame = walk(30, 1)
    with sandboxes.of(does("return frame.last * 0.0 + 0.5")) as sandbox:
        sandbox.describe()
        with pickle.loads(pickle.dumps(SandboxedAlgorithm(sandbox)))._sandbox as landed:
            assert landed.predict({}, frame).weights.tolist() == sandbox.predict({}, frame).weights.tolist()
    assert pickle.loads(pickle.dumps(sandboxes)) == sandboxes


def test_several_at_once_do_not_meet(sandboxes):
    frame = walk(200, 1)

    def ask(part: int) -> bool:
        with sandboxes.of(does(f"return frame.last * 0.0 + {part} / 100")) as sandbox:
            return all((sandbox.predict({}, frame).weights == part / 100).all() for _ in range(5))

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(24)))


async def test_an_event_loop_goes_on_while_a_sandbox_decides(sandboxes):
    frame = walk(30, 1)
    with sandboxes.of(does("n = 0\nwhile n < 3_000_000: n += 1\nreturn frame.last * 0.0")) as sandbox:
        asked = asyncio.create_task(asyncio.to_thread(sandbox.predict, {}, frame))
        turns = 0
        while not asked.done():
            await asyncio.sleep(0.001)
            turns += 1
        assert not (await asked).weights.any()
    assert turns > 3


def test_what_looks_ahead_is_found_when_the_future_is_not_there_yet(sandboxes):
    frame = walk(900, 1)
    honest = does("w = np.zeros(frame.last.shape)\nw[1:] = frame.last[1:] > frame.last[:-1]\nreturn w", 2)
    cheat = does("w = np.zeros(frame.last.shape)\nw[:-1] = frame.last[1:] > frame.last[:-1]\nreturn w", 2)
    for source, honestly in ((honest, True), (cheat, False)):
        with sandboxes.of(source) as whole, sandboxes.of(source) as fresh:
            weights = SandboxedAlgorithm(whole).predict(frame)
            again = decide_in_pieces(SandboxedAlgorithm(fresh), frame)
            assert (len(changed_rows(again, weights)) == 0) is honestly


@pytest.mark.parametrize(
    ("says", "kind", "said"),
    [
        ('{"failed": "this kernel has no Landlock", "refused": true}', SandboxRefused, "no Landlock"),
        ("", Unavailable, "has ended"),
    ],
)
def test_a_zygote_that_cannot_start_says_why(says, kind, said):
    script = f"import socket, sys; s = socket.socket(fileno=int(sys.argv[1])); s.send({says!r}.encode())"
    with pytest.raises(kind, match=said):
        Sandboxes(command=(sys.executable, "-c", script)).of("").describe()


def test_a_process_that_cannot_be_locked_runs_nothing():
    script = (
        "import json, socket, sys; s = socket.socket(fileno=int(sys.argv[1])); s.send(b'{\"ready\": 1}')\n"
        "ticket = json.loads(s.recv(9999))['spawn']\n"
        "s.send(json.dumps({'refused': ticket, 'why': 'no seccomp'}).encode())\n"
        "s.recv(1)"
    )
    own = Sandboxes(command=(sys.executable, "-c", script))
    with pytest.raises(SandboxRefused, match="no seccomp"):
        own.of("").describe()
    own.close()
