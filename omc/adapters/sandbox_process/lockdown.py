"""The second wall: what a process gives up, for ever, before somebody's code runs in it.

Each layer is verified after it was set, by what can be read back or by an attempt that must fail. One that cannot be
set, or does not hold, is SandboxRefused with a sentence that names it; whoever calls must not run anything then. Nor
may they when the machine is too short of memory or descriptors to tell: that is Unavailable, for it passes. Only
namespaces are a best effort: nothing that they stop is left to them alone. What works is set without the rest only when
that is asked for in so many words (`unsafe`).
"""

from collections.abc import Callable, Collection
from pathlib import Path

from omc.adapters.sandbox_process import descriptors, kernel, landlock, namespaces, privileges, seccomp
from omc.adapters.sandbox_process.limits import Limits, volunteer
from omc.errors import SandboxRefused, Unavailable

_TASKS = Path("/proc/self/task")


def threads() -> int:
    """How many the calling process has; SandboxRefused where that cannot be known, Unavailable where not now."""
    try:
        return sum(1 for _ in _TASKS.iterdir())
    except OSError as error:
        if kernel.is_short(error):
            raise _not_now(error) from error
        raise SandboxRefused("without /proc nobody can say how many threads a process has") from error


def lock(limits: Limits, keep_fds: Collection[int], *, unsafe: bool = False) -> tuple[str, ...]:
    """Lock the calling process, which keeps `keep_fds` open. It must have a single thread: Landlock and seccomp hold
    the thread that asks for them, and those that it starts later, but not the ones beside it.

    `unsafe` goes without the layers that do not work here, and returns what is missing and why, a sentence for each.
    """
    if threads() != 1:
        raise SandboxRefused("a process with threads cannot be locked")
    missing: list[str] = []
    for name, step in _steps(limits, keep_fds):
        try:
            step()
        except (SandboxRefused, OSError) as error:
            # Layers name their faults, and the kernel's own stands behind.
            if kernel.is_short(error) or kernel.is_short(error.__cause__):
                raise _not_now(error) from error
            why = str(error) if isinstance(error, SandboxRefused) else f"this process cannot be locked: {error}"
            if not unsafe:
                raise SandboxRefused(why) from error
            missing.append(f"{name}: {why}")
    return tuple(missing)


def _not_now(fault: Exception) -> Unavailable:
    return Unavailable(f"this machine is too short of memory or descriptors to lock a process: {fault}")


def _steps(limits: Limits, keep_fds: Collection[int]) -> tuple[tuple[str, Callable[[], object]], ...]:
    """The order matters: /proc is read before it is out of reach, a change of user undoes what is set about parents,
    and seccomp, which forbids all of these calls, comes last."""
    return (
        ("descriptors", lambda: descriptors.close_all_but(keep_fds)),
        ("descriptors", lambda: descriptors.verify(keep_fds)),
        ("memory", volunteer),
        ("namespaces", namespaces.enter),
        ("user", privileges.become_nobody),
        ("capabilities", privileges.drop_capabilities),
        ("hiding", privileges.hide),
        ("dying with its parent", privileges.die_with_parent),
        ("no new rights", privileges.gain_none),
        ("privileges", privileges.verify),
        ("limits", limits.apply),
        ("limits", limits.verify),
        ("landlock", landlock.restrict),
        ("landlock", landlock.verify),
        ("seccomp", seccomp.restrict),
        ("seccomp", seccomp.verify),
    )
