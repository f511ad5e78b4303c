"""No layer may be missing: without any one of them, nothing is run."""

import errno
import os
import socket
import sys
import threading
from collections.abc import Callable
from types import ModuleType

import pytest

from omc.adapters.sandbox_process import (
    descriptors,
    kernel,
    landlock,
    limits,
    lockdown,
    namespaces,
    privileges,
    seccomp,
    system_calls,
)
from omc.adapters.sandbox_process.limits import Limits
from omc.errors import OmcError, Unavailable
from tests.omc.adapters.sandbox_process.probing import ORDINARY, Prober

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's")

LOCKED, NOT_NOW = "locked", "not now: "
ROOT = os.geteuid() == 0
USERS = [pytest.param(None, id="as this user"), pytest.param(ORDINARY, id="as an ordinary user")]


def locked(user: int | None = None, before: Callable[[], object] = lambda: None, *, unsafe: bool = False) -> str:
    """What a fork of this process that locks itself says: `LOCKED` and what it goes without, or why it is not."""
    if user is not None and not ROOT:
        pytest.skip("not root here")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            if user is not None:
                os.setgroups([])
                os.setresgid(user, user, user)
                os.setresuid(user, user, user)
            before()
            # A sandbox may have few descriptors, and whoever runs these tests holds many.
            os.closerange(3, write)
            os.closerange(write + 1, 4_096)
            missing = lockdown.lock(Limits(), (write,), unsafe=unsafe)
            os.write(write, "\n".join((LOCKED, *missing)).encode())
        except Unavailable as error:
            os.write(write, NOT_NOW.encode() + str(error).encode())
        except OmcError as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    said = os.read(read, 4096).decode()
    os.close(read)
    os.waitpid(child, 0)
    return said


def nothing(*_: object) -> None:
    pass


@pytest.mark.parametrize("user", USERS)
def test_all_layers_stand(user: int | None) -> None:
    assert locked(user) == LOCKED


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize(
    ("holder", "name", "told"),
    [
        pytest.param(descriptors, "close_all_but", "descriptors", id="descriptors"),
        pytest.param(privileges, "die_with_parent", "outlive", id="dying with the parent"),
        pytest.param(privileges, "gain_none", "gain rights", id="no new privileges"),
        pytest.param(Limits, "apply", "resources", id="limits"),
        pytest.param(landlock, "restrict", "Landlock", id="landlock"),
        pytest.param(seccomp, "restrict", "seccomp", id="seccomp"),
    ],
)
def test_without_a_layer_nothing_runs(
    holder: ModuleType | type, name: str, told: str, user: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holder, name, nothing)
    said = locked(user)
    assert said != LOCKED
    assert told in said


@pytest.mark.parametrize("user", USERS)
def test_what_can_be_looked_into_runs_nothing(user: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    # A change of user hides a process, too: so it is shown again.
    monkeypatch.setattr(privileges, "hide", lambda: kernel.prctl(kernel.PR_SET_DUMPABLE, 1))
    assert locked(user) == "the process can still be looked into"


@pytest.mark.skipif(not ROOT, reason="not root here")
def test_root_must_become_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges, "become_nobody", nothing)
    assert locked() == "the process is still root's"


def test_capabilities_of_a_namespace_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privileges, "drop_capabilities", nothing)
    if locked(ORDINARY if ROOT else None) == LOCKED:
        assert not locked_namespaces(), "the process kept capabilities"
    else:
        assert locked(ORDINARY if ROOT else None) == "the process still has capabilities"


def locked_namespaces() -> bool:
    """Whether an ordinary user gets namespaces here, and with them capabilities to drop."""
    child = os.fork()
    if child == 0:
        if ROOT:
            os.setresuid(ORDINARY, ORDINARY, ORDINARY)
        os._exit(bool(namespaces.enter()))
    return bool(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


@pytest.mark.parametrize("user", USERS)
def test_namespaces_are_an_extra(user: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespaces, "_unshare", lambda _: False)
    assert locked(user) == LOCKED


@pytest.mark.parametrize(
    ("code", "told"),
    [(errno.ENOSYS, "not built in"), (errno.EPERM, "not let through"), (errno.EOPNOTSUPP, "switched off")],
)
def test_a_kernel_without_landlock_is_refused_in_a_sentence(
    code: int, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = kernel.call

    def call(number: int, *arguments: object) -> int:
        if number == 444:
            raise OSError(code, os.strerror(code))
        return real(number, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(kernel, "call", call)
    said = locked()
    assert said.startswith("this kernel cannot take files away from a process")
    assert told in said


def test_a_kernel_without_filters_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    real = kernel.prctl

    def prctl(option: int, *arguments: int) -> int:
        if option == kernel.PR_SET_SECCOMP:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return real(option, *arguments)

    monkeypatch.setattr(kernel, "prctl", prctl)
    assert locked() == "this kernel lets nobody filter system calls (seccomp): Invalid argument"


SHORT = [errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE]


@pytest.mark.parametrize("unsafe", [False, True], ids=["all layers", "those that work"])
@pytest.mark.parametrize("code", SHORT, ids=lambda code: errno.errorcode[code])
@pytest.mark.parametrize(
    ("holder", "name"),
    [
        (kernel, "call"),
        (kernel, "prctl"),
        (os, "open"),
        (limits.resource, "setrlimit"),
        (limits, "_address_space"),
        (socket, "socket"),
    ],
    ids=["system calls", "prctl", "open", "setrlimit", "/proc", "sockets"],
)
def test_a_machine_that_is_short_of_something_is_not_taken_for_one_without_a_layer(
    holder: ModuleType, name: str, code: int, unsafe: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    # Namespaces are tried, and their failing is no matter.
    monkeypatch.setattr(namespaces, "enter", nothing)
    monkeypatch.setattr(descriptors, "close_all_but", nothing)
    monkeypatch.setattr(descriptors, "verify", nothing)
    monkeypatch.setattr(holder, name, short)
    assert locked(unsafe=unsafe).startswith(NOT_NOW + "this machine is too short of memory or descriptors")


def test_a_process_whose_memory_is_all_executable_is_refused() -> None:
    read_implies_exec = 0x0040_0000
    said = locked(before=lambda: kernel.call(system_calls.HOSTILE["personality"][kernel.machine()], read_implies_exec))
    assert said.endswith("(READ_IMPLIES_EXEC)")


def test_another_processor_is_refused_in_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "uname", lambda: os.uname_result(("Linux", "here", "6", "1", "riscv64")))
    assert locked() == "there is no second wall for linux on riscv64"


def test_a_process_with_threads_is_not_locked() -> None:
    def start() -> None:
        threading.Thread(target=threading.Event().wait, daemon=True).start()

    assert locked(before=start) == "a process with threads cannot be locked"


def test_an_inherited_descriptor_is_closed() -> None:
    with open(os.devnull) as held:  # noqa: PTH123
        os.set_inheritable(held.fileno(), True)
        assert locked() == LOCKED


@pytest.mark.parametrize("layer", ["landlock", "seccomp"])
def test_a_zygote_says_which_layer_is_missing(layer: str) -> None:
    missing = f"from omc.adapters.sandbox_process import {layer}; {layer}.restrict = lambda: None"
    prober = Prober(before=missing)
    answer, passed, channel = prober.spawn(Limits())
    with channel:
        assert "not in force" in answer["why"]
        assert answer["refused"] == 1
        assert passed == []
        assert channel.recv(1) == b""
    prober.close()


@pytest.mark.parametrize(
    "end",
    ["os._exit(0)", "os.kill(os.getpid(), 9)", "raise MemoryError", "raise OSError(12, 'Cannot allocate memory')"],
    ids=["leaves", "killed", "no memory in Python", "no memory in the kernel"],
)
def test_a_process_that_ends_before_it_is_locked_tells_of_no_missing_layer(end: str) -> None:
    before = (
        "import os; from omc.adapters.sandbox_process import landlock\ndef end(): " + end + "\nlandlock.restrict = end"
    )
    prober = Prober(before=before)
    answer, passed, channel = prober.spawn(Limits())
    channel.close()
    assert answer["unavailable"] == 1
    assert answer["why"]
    assert passed == []
    prober.close()
