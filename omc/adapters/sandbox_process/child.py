"""A process for people's code as its parent holds it: something to end, and to learn the end of."""

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process came to its end."""

    exit: int
    """Its exit code, or less than 0: minus the signal that ended it."""
    cpu_s: float = 0.0
    peak_bytes: int = 0
    with_zygote: bool = False
    """Ended along with the process that it was forked from: whatever it ran is not to blame."""

    @property
    def why(self) -> str:
        """A sentence's end, after "the sandbox …"."""
        match self.exit:
            case code if code >= 0:
                return f"left with status {code}"
            case code if code == -signal.SIGXCPU:
                return f"used up its CPU time ({self.cpu_s:.0f} s)" if self.cpu_s else "used up its CPU time"
            case code if code == -signal.SIGSYS:
                return "was ended for a call that is forbidden there"
            case code if code == -signal.SIGKILL:
                return "was killed from outside, as a machine does that runs out of memory"
            case code if code in (-signal.SIGSEGV, -signal.SIGBUS, -signal.SIGABRT):
                return f"crashed ({_name(-code)}): its stack or its memory ran out, or was broken"
            case code:
                return f"was ended by {_name(-code)}"


class Child(Protocol):
    """A running process. Asked from one thread at a time."""

    def kill(self) -> None:
        """End it now; nothing when it has ended."""
        ...

    def ended(self, within_s: float) -> Ended | None:
        """How it ended; None when it does not within that time."""
        ...

    def cpu_s(self) -> float | None:
        """Seconds of processor time that it has used; None when that is not to be known any more. From any thread."""
        ...

    def busy(self) -> bool:
        """Whether it computes, or would if it was let: it waits for a processor or for memory, and does not sleep.
        False when that is not to be known."""
        ...

    def close(self) -> None:
        """Let go of whatever stands for it here."""
        ...


def cpu_s_of(process: int) -> float | None:
    """Seconds of processor time that the process of this number has used, to the nanosecond; None where there is none.
    The kernel tells anybody, without /proc."""
    try:
        # The clock of a process in the kernel's words (CPUCLOCK_SCHED).
        return time.clock_gettime((~process << 3) | 2)
    except OSError:
        return None


def is_busy(process: int) -> bool:
    """Whether the process of this number runs, is to run, or waits for what the kernel fetches for it. Whoever sleeps
    does so by a call of its own."""
    try:
        return Path(f"/proc/{process}/stat").read_bytes().rpartition(b") ")[2][:1] in (b"R", b"D")
    except OSError:
        return False


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
