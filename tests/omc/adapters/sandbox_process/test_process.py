"""A parent against a process that lies: whatever it sends, its end has a name, and the parent never waits for ever."""

import array
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import orjson
import pytest

from omc.adapters.sandbox_process import frames
from omc.errors import CodeFailed, DeadlineExceeded, InvalidInput, SandboxDied, Unavailable

HEAD = b"J" + bytes(7)
NONSENSE = {
    "a zero": b"\0",
    "a line": b"hello\n",
    "half a head": b"J\0\0",
    "no JSON": HEAD + b"{",
    "deep JSON": HEAD + b"[" * 60_000,
    "deep object": HEAD + b'{"a":' * 12_000,
    "NaN": HEAD + b'{"id":1,"done":{"a":NaN}}',
    "a list": HEAD + b"[]",
    "another id": frames.packed({"id": 7, "done": {}}),
    "no id": frames.packed({"done": {}}),
    "neither": frames.packed({"id": 1}),
    "a number for words": frames.packed({"id": 1, "failed": 1, "refused": False}),
    "weights": frames.weights_frame(1, np.zeros(2), ""),
    "a pickle": b"\x80\x04\x95\x1a\0\0\0\0\0\0\0\x8c\x05posix\x94\x8c\x06system\x94\x93\x94.",
    "a bar": frames.bar_frame(1, np.zeros((3, 1))),
}


@pytest.mark.parametrize("raw", NONSENSE.values(), ids=NONSENSE.keys())
def test_nonsense_ends_it(liar, raw):
    process = liar(lambda end: end.send(raw))
    with pytest.raises(SandboxDied, match="its answer cannot be"):
        process.ask("traits", deadline_s=10.0)
    assert not process.alive
    with pytest.raises(SandboxDied, match="its answer cannot be"):
        process.ask("traits", deadline_s=10.0)


@pytest.mark.parametrize(
    "raw",
    [
        b"W" + bytes(7),
        frames.weights_frame(2, np.zeros(2), ""),
        frames.weights_frame(1, np.zeros(1), ""),
        frames.packed({"id": None, "done": {}}),
        frames.packed({"id": 1, "failed": "x", "refused": False}),
        frames.bar_frame(1, np.zeros((3, 2))),
    ],
    ids=["short", "another bar", "too few", "words", "another question", "a bar"],
)
def test_nonsense_for_a_bar_ends_it(liar, raw):
    process = liar(lambda end: end.send(raw))
    with pytest.raises(SandboxDied, match="its answer cannot be"):
        process.decide(1, np.zeros((3, 2)), deadline_s=10.0)


def test_too_long_a_packet_ends_it(liar):
    process = liar(lambda end: end.send(HEAD + b" " * frames.LONGEST))
    with pytest.raises(SandboxDied, match="more than"):
        process.ask("traits", deadline_s=10.0)


def test_descriptors_that_it_sends_are_closed_unseen(liar, tmp_path):
    def deed(end: socket.socket) -> None:
        given = array.array("i", [os.open(tmp_path, os.O_RDONLY)] * 40)
        end.sendmsg([frames.packed({"id": 1, "done": {}})], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, given)])

    process = liar(deed)
    with pytest.raises(SandboxDied, match="with descriptors"):
        process.ask("traits", deadline_s=10.0)
    assert str(tmp_path) not in held()
    assert process._channel._end.fileno() == -1


def held() -> list[str]:
    """What this process has open."""
    found = []
    for each in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            found.append(str(each.readlink()))
    return found


def test_a_flood_of_answers_is_answers_to_other_questions(liar):
    def deed(end: socket.socket) -> None:
        for _ in range(5):
            end.send(frames.packed({"id": 1, "done": {}}))

    process = liar(deed)
    assert process.ask("traits", deadline_s=10.0) == {}
    with pytest.raises(SandboxDied, match="another question"):
        process.ask("traits", deadline_s=10.0)


def test_silence_ends_at_the_deadline(liar):
    process = liar(lambda end: None)
    with pytest.raises(DeadlineExceeded, match=r"0\.2 s"):
        process.ask("traits", deadline_s=0.2)
    with pytest.raises(DeadlineExceeded):
        process.ask("traits", deadline_s=0.2)


@pytest.fixture
def crowded() -> Iterator[int]:
    """The number of a processor on which others compute without end."""
    processor = min(os.sched_getaffinity(0))
    loop = f"import os; os.sched_setaffinity(0, [{processor}]); print(flush=True)\nwhile True: pass"
    others = [subprocess.Popen([sys.executable, "-c", loop], stdout=subprocess.PIPE) for _ in range(2)]
    for each in others:
        assert each.stdout is not None
        each.stdout.readline()
    yield processor
    for each in others:
        with each:
            each.kill()


def last_in_line(processor: int, process: int = 0) -> None:
    """Have a process, or this one, compute from now on only where and when nobody else does."""
    os.sched_setaffinity(process, [processor])
    os.sched_setscheduler(process, os.SCHED_IDLE, os.sched_param(0))


def test_one_that_got_no_processor_is_not_blamed_for_being_late(liar, crowded):
    def deed(_: socket.socket) -> None:
        last_in_line(crowded)
        while True:
            pass

    process = liar(deed)
    with pytest.raises(Unavailable, match=r"within 2 s, for this machine had no processor time for it"):
        process.ask("traits", deadline_s=2.0)
    assert process.blameless
    with pytest.raises(Unavailable, match="no processor time"):
        process.decide(1, np.zeros((3, 2)), deadline_s=2.0)


def test_one_that_sleeps_is_late_by_its_own_fault_on_any_machine(liar, crowded):
    def deed(_: socket.socket) -> None:
        os.write(told, b".")
        time.sleep(30)

    done, told = os.pipe()
    process = liar(deed)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(process.ask, "traits", deadline_s=2.0)
        os.read(done, 1)
        # Who is last in line before it sleeps may not even get so far.
        while process._child.busy():
            time.sleep(0.01)
        last_in_line(crowded, process._child.pid)
        with pytest.raises(DeadlineExceeded):
            answer.result()
    for each in (done, told):
        os.close(each)


def computes_s(seconds: float) -> None:
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


@pytest.mark.parametrize("asked_of_a_bar", [False, True], ids=["a question", "a bar"])
def test_one_that_computes_when_nobody_asked_is_ended(liar, asked_of_a_bar):
    def deed(end: socket.socket) -> None:
        end.send(frames.packed({"id": 1, "done": {}}))
        os.read(unasked, 1)
        computes_s(1.5)
        os.write(told, b".")
        end.recv(1 << 18)
        end.send(frames.weights_frame(2, np.zeros(2), "") if asked_of_a_bar else frames.packed({"id": 2, "done": {}}))

    done, told = os.pipe()
    unasked, go_on = os.pipe()
    process = liar(deed)
    process.ask("traits", deadline_s=30.0)
    os.write(go_on, b".")
    os.read(done, 1)
    with pytest.raises(SandboxDied, match=r"it had computed for 1\.\d s after its answer, when nobody asked"):
        process.decide(2, np.zeros((3, 2)), deadline_s=30.0) if asked_of_a_bar else process.ask("x", deadline_s=30.0)
    assert not process.alive
    assert not process.blameless
    for each in (done, told, unasked, go_on):
        os.close(each)


def test_one_may_tidy_up_after_an_answer_and_compute_for_long_before_it(liar):
    def deed(end: socket.socket) -> None:
        for number in (1, 2, 3):
            computes_s(1.2)
            end.send(frames.packed({"id": number, "done": {}}))
            computes_s(0.2)
            end.recv(1 << 18)

    process = liar(deed)
    for _ in range(3):
        assert process.ask("traits", deadline_s=60.0) == {}


def test_one_that_never_reads_ends_at_the_deadline_too(liar):
    process = liar(lambda end: [end.send(frames.packed({"id": n, "done": {}})) for n in range(1, 30)])
    filling = {"filling": "x" * 100_000}

    def ask_often() -> None:
        for _ in range(20):
            process.ask("x", filling, deadline_s=0.3)

    with pytest.raises(DeadlineExceeded):
        ask_often()


@pytest.mark.parametrize("how", [lambda end: os._exit(0), lambda end: end.close(), lambda end: end.shutdown(2)])
def test_a_closed_door_is_an_end(liar, how):
    process = liar(how)
    with pytest.raises(SandboxDied):
        process.ask("traits", deadline_s=10.0)
    assert not process.alive


def test_an_empty_packet_is_no_answer(liar):
    process = liar(lambda end: end.send(b""))
    with pytest.raises(SandboxDied):
        process.ask("traits", deadline_s=10.0)


def test_what_cannot_be_asked_harms_nobody(liar):
    process = liar(lambda end: end.send(frames.packed({"id": 1, "done": {"a": 1}})))
    for odd in ({"a": object()}, {"a": "x" * frames.LONGEST}):
        with pytest.raises(InvalidInput):
            process.ask("traits", odd, deadline_s=10.0)
    assert process.ask("traits", deadline_s=10.0) == {"a": 1}


@pytest.mark.parametrize(("refused", "kind"), [(True, InvalidInput), (False, CodeFailed)])
def test_a_failure_is_raised_as_what_it_is(liar, refused, kind):
    process = liar(lambda end: end.send(frames.packed({"id": 1, "failed": "no", "refused": refused, "printed": "p"})))
    with pytest.raises(kind, match="no"):
        process.ask("traits", deadline_s=10.0)
    assert process.alive
    assert process.printed.text == "p"


def test_what_it_prints_is_kept_up_to_a_length(liar):
    answers = [{"id": n, "done": {}, "printed": "x" * 30_000} for n in range(1, 10)]

    def deed(end: socket.socket) -> None:
        for answer in answers:
            end.send(b"J" + bytes(7) + orjson.dumps(answer))
            end.recv(1 << 18)

    process = liar(deed)
    for _ in range(9):
        process.ask("x", deadline_s=10.0)
    assert len(process.printed.text) < 20_000


def test_a_closed_process_says_so(liar):
    with liar(lambda end: None) as process:
        pass
    with pytest.raises(SandboxDied, match="was closed"):
        process.ask("traits", deadline_s=1.0)
    process.close()
