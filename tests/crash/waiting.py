"""Waiting for something to be so."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
LONG_S = 240.0


class NeverCame(Exception):
    """What was waited for did not come about."""


def until(met: Callable[[], T], what: str, within_s: float = LONG_S) -> T:
    """What `met` finds, once it finds anything. NeverCame names `what` was waited for."""
    deadline = time.monotonic() + within_s
    while not (found := met()):
        if time.monotonic() > deadline:
            raise NeverCame(f"{what} did not come within {within_s:.0f} s")
        time.sleep(0.02)
    return found
