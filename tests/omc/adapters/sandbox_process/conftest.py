"""Sandboxes for tests of the protocol, without walls."""

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from omc.adapters.sandbox_process.meeting import Meeting
from omc.adapters.sandbox_process.process import SandboxProcess
from omc.adapters.sandbox_process.sandbox import ProcessSandbox
from omc.feature.frame import Frame
from tests.omc.adapters.sandbox_process.owning import BARE, LINGER_S, Process
from tests.omc.adapters.sandbox_process.plain import PATIENT, forked, spawned, walk


@pytest.fixture
def sandbox() -> Iterator[Callable[..., ProcessSandbox]]:
    """Makes sandboxes of sources, and closes them in the end. Nothing is late in them unless a test wants it to be."""
    made: list[ProcessSandbox] = []

    def make(source: str, **deadlines: float) -> ProcessSandbox:
        made.append(ProcessSandbox(spawned, source, replace(PATIENT, **deadlines)))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def liar() -> Iterator[Callable[[Callable[[socket.socket], Any]], SandboxProcess]]:
    """A process whose other end does what it is told to with the socket, whatever it is asked."""
    made: list[SandboxProcess] = []

    def make(deed: Callable[[socket.socket], Any]) -> SandboxProcess:
        def serving(fd: int) -> None:
            with socket.socket(fileno=fd) as end:
                end.recv(1 << 18)
                deed(end)
                time.sleep(30)

        made.append(forked(serving))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def frame() -> Frame:
    return walk(400, 3)


@pytest.fixture
def place(tmp_path: Path) -> Meeting:
    """Where a zygote is shared that has loaded nothing."""
    return Meeting(tmp_path / "meeting", BARE, LINGER_S)


@pytest.fixture
def owner(place: Meeting) -> Iterator[Callable[[], Process]]:
    made: list[Process] = []

    def make() -> Process:
        made.append(Process(place))
        return made[-1]

    yield make
    for each in made:
        each.end()
