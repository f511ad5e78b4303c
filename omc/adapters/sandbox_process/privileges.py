"""Nobody's rights: what makes a process unable to get, lend or keep any."""

import ctypes
import os
import struct

from omc.adapters.sandbox_process import kernel, system_calls
from omc.errors import SandboxRefused

NOBODY = 65534
_CAPABILITY_VERSION_3 = 0x2008_0522
_SIGKILL = 9


def give_up() -> None:
    """All of what follows, in the order that it needs."""
    become_nobody()
    drop_capabilities()
    hide()
    die_with_parent()
    gain_none()


def become_nobody() -> None:
    """Root becomes nobody for good; anybody else stays who they are. SandboxRefused where that cannot be."""
    if 0 not in os.getresuid():
        return
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    except OSError as error:
        raise SandboxRefused(f"root cannot become an ordinary user here: {error.strerror}") from error


def drop_capabilities() -> None:
    header = ctypes.create_string_buffer(struct.pack("II", _CAPABILITY_VERSION_3, 0), 8)
    kernel.call(system_calls.HOSTILE["capset"][kernel.machine()], header, ctypes.create_string_buffer(24))


def hide() -> None:
    """From debuggers, and leave no memory behind."""
    kernel.prctl(kernel.PR_SET_DUMPABLE, 0)


def die_with_parent() -> None:
    """A change of user undoes it, so it comes after that."""
    kernel.prctl(kernel.PR_SET_PDEATHSIG, _SIGKILL)


def gain_none() -> None:
    """No program that it might start, and nothing else, gives it more rights. Landlock and seccomp need this."""
    kernel.prctl(kernel.PR_SET_NO_NEW_PRIVS, 1)


def verify() -> None:
    """SandboxRefused unless everything above holds."""
    if 0 in os.getresuid():
        raise SandboxRefused("the process is still root's")
    if any(_capabilities()):
        raise SandboxRefused("the process still has capabilities")
    for option, wanted, what in (
        (kernel.PR_GET_DUMPABLE, 0, "the process can still be looked into"),
        (kernel.PR_GET_NO_NEW_PRIVS, 1, "the process can still gain rights (no_new_privs)"),
    ):
        if kernel.prctl(option) != wanted:
            raise SandboxRefused(what)
    signal = ctypes.c_int()
    kernel.prctl(kernel.PR_GET_PDEATHSIG, ctypes.addressof(signal))
    if signal.value != _SIGKILL:
        raise SandboxRefused("the process would outlive its parent")


def _capabilities() -> tuple[int, ...]:
    """Effective, permitted and inheritable, in two halves each."""
    header = ctypes.create_string_buffer(struct.pack("II", _CAPABILITY_VERSION_3, 0), 8)
    found = ctypes.create_string_buffer(24)
    kernel.call(system_calls.NEW["capget"][kernel.machine()], header, found)
    return struct.unpack("6I", found.raw)
