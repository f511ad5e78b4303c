"""Which layer stops what, each by itself."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

from omc.adapters.sandbox_process import doctor, landlock
from omc.adapters.sandbox_process.attempts import Attempts, attempts
from omc.adapters.sandbox_process.doctor import Layer
from omc.errors import SandboxRefused

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's")

NEWEST_KNOWN = 6
STOPPED = {
    "descriptors": set(),
    "namespaces": {"speak TCP", "speak UDP", "speak to a socket without a folder"},
    "limits": {"start a process"},
    "landlock": {
        *("read a file", "write a file", "speak TCP"),
        *("speak to a socket without a folder", "signal its parent"),
    },
    "seccomp": {
        *("read a file", "write a file", "ask for a file's status", "speak TCP", "speak UDP"),
        *("speak to a socket in a folder", "speak to a socket without a folder", "signal its parent"),
        *("start a process", "make memory executable", "make a file in memory"),
    },
}


@pytest.fixture(scope="module")
def tried() -> Iterator[Attempts]:
    with attempts() as made:
        yield made


def test_without_any_layer_nothing_is_stopped(tried: Attempts) -> None:
    assert doctor.stopped_by(lambda: None, tried) == frozenset()


@pytest.mark.parametrize("name", STOPPED)
def test_a_layer_alone_stops_what_it_should_and_no_more(name: str, tried: Attempts) -> None:
    if name == "landlock" and landlock.version() < NEWEST_KNOWN:
        pytest.skip("an older Landlock")

    def set_up() -> None:
        # A sandbox may have few descriptors, and whoever runs these tests holds many.
        os.closerange(3, 4_096)
        doctor.TRIALS[name].set_up()

    found = doctor.stopped_by(set_up, tried)
    # Root becomes nobody for that one, who may not signal root.
    extra = {"signal its parent"} if name == "limits" else set()
    if name == "namespaces" and not found:
        pytest.skip("no namespaces here")
    assert STOPPED[name] <= found <= STOPPED[name] | extra


def test_every_layer_works_here() -> None:
    layers = doctor.doctor()
    assert [layer.name for layer in layers] == list(doctor.TRIALS)
    assert [layer for layer in layers if layer.mandatory and not layer.works] == []
    assert doctor.refusal(layers) is None


def silently(_: object = None) -> None:
    pass


@pytest.mark.parametrize("name", ["namespaces", "limits", "landlock", "seccomp"])
def test_a_layer_that_does_nothing_does_not_work(name: str, tried: Attempts) -> None:
    trial = doctor.TRIALS[name]
    idle = doctor.examine(name, type(trial)(silently, trial.least, trial.mandatory), tried)
    assert not idle.works
    assert idle.why.startswith("it is set, but does not stop code that would")


def test_a_layer_that_cannot_be_set_says_why(tried: Attempts) -> None:
    def refuse() -> None:
        raise SandboxRefused("not on this kernel")

    found = doctor.examine("landlock", type(doctor.TRIALS["landlock"])(refuse, frozenset()), tried)
    assert found == Layer("landlock", False, "not on this kernel", True)
    assert doctor.refusal([found]) == "this machine cannot confine people's code (landlock: not on this kernel)"


def test_a_layer_that_ends_the_process_does_not_work(tried: Attempts) -> None:
    def fall() -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    found = doctor.examine("seccomp", type(doctor.TRIALS["seccomp"])(fall, frozenset()), tried)
    assert not found.works


def test_what_is_not_mandatory_is_no_refusal() -> None:
    assert doctor.refusal([Layer("namespaces", False, "a container forbids them", False)]) is None


def test_elsewhere_than_on_linux_nobody_is_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "there is none on darwin" in str(doctor.refusal(doctor.doctor()))
