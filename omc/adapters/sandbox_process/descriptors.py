"""Nothing open but what a process was given: a descriptor is a right that no later lock takes away."""

import contextlib
import os
from collections.abc import Collection
from pathlib import Path

from omc.adapters.sandbox_process import kernel, system_calls
from omc.errors import SandboxRefused

_OPEN = Path("/proc/self/fd")
_STANDARD = (0, 1, 2)
_HIGHEST = 0x7FFF_FFFF


def close_all_but(kept: Collection[int]) -> None:
    """Descriptors of 3 and more that are not in `kept`; 0, 1 and 2 become /dev/null, so that what a library writes to
    them goes nowhere, and into nothing that is opened later under their numbers."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for each in _STANDARD:
        os.dup2(nowhere, each)
    low = len(_STANDARD)
    try:
        for each in sorted(kept):
            _close(low, each - 1)
            low = each + 1
        _close(low, _HIGHEST)
    except (OSError, SandboxRefused):
        # A kernel before 5.9, or a processor whose calls are in no table: one by one.
        for each in sorted({int(each.name) for each in _OPEN.iterdir()} - {*kept, *_STANDARD}):
            with contextlib.suppress(OSError):
                os.close(each)


def verify(kept: Collection[int]) -> None:
    """SandboxRefused when something else is open, or /proc does not say."""
    nowhere = Path(os.devnull).stat()
    try:
        found = {int(each.name) for each in _OPEN.iterdir()} - {*kept, *_STANDARD}
    except OSError as error:
        raise SandboxRefused("without /proc nobody can say what a process has open") from error
    # The directory itself was open while it was read.
    left = [each for each in found if _is_open(each)]
    if left or any(os.fstat(each).st_rdev != nowhere.st_rdev for each in _STANDARD):
        raise SandboxRefused("the process inherited descriptors that could not be closed")


def _close(first: int, last: int) -> None:
    if first <= last:
        kernel.call(system_calls.ALLOWED["close_range"][kernel.machine()], first, last, 0)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True
