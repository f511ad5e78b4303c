"""The second wall: what a process gives up, for ever, before somebody's code runs in it.

Each layer is verified after it was set, by what can be read back or by an attempt that must fail. One that cannot be
set, or does not hold, is SandboxRefused with a sentence that names it; whoever calls must not run anything then. Only
namespaces are a best effort: nothing that they stop is left to them alone.
"""

from collections.abc import Collection
from pathlib import Path

from omc.adapters.sandbox_process import descriptors, landlock, namespaces, privileges, seccomp
from omc.adapters.sandbox_process.limits import Limits, volunteer
from omc.errors import SandboxRefused

_TASKS = Path("/proc/self/task")


def threads() -> int:
    """How many the calling process has; SandboxRefused where that cannot be known."""
    try:
        return sum(1 for _ in _TASKS.iterdir())
    except OSError as error:
        raise SandboxRefused("without /proc nobody can say how many threads a process has") from error


def lock(limits: Limits, keep_fds: Collection[int]) -> None:
    """Lock the calling process, which keeps `keep_fds` open. It must have a single thread: Landlock and seccomp hold
    the thread that asks for them, and those that it starts later, but not the ones beside it.

    The order matters: /proc is read before it is out of reach, a change of user undoes what is set about parents, and
    seccomp, which forbids all of these calls, comes last.
    """
    if threads() != 1:
        raise SandboxRefused("a process with threads cannot be locked")
    try:
        descriptors.close_all_but(keep_fds)
        descriptors.verify(keep_fds)
        volunteer()
        namespaces.enter()
        privileges.give_up()
        privileges.verify()
        limits.apply()
        limits.verify()
        landlock.restrict()
        landlock.verify()
        seccomp.restrict()
        seccomp.verify()
    except OSError as error:
        raise SandboxRefused(f"this process cannot be locked: {error}") from error
