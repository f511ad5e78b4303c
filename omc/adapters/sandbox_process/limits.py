"""What a process for people's code may use, and all of them together."""

import contextlib
import os
import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from omc.errors import InvalidInput, SandboxRefused, Unavailable

MEBIBYTE = 1024**2
_FEWEST_DESCRIPTORS = 8
_NONE_OF = (
    resource.RLIMIT_NPROC,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_CORE,
    resource.RLIMIT_MEMLOCK,
    resource.RLIMIT_MSGQUEUE,
    resource.RLIMIT_RTPRIO,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """InvalidInput for limits that nothing could run in."""

    memory_bytes: int = 1024 * MEBIBYTE
    """Address space beyond what the zygote has, shared memory included."""
    cpu_s: int | None = 60
    """CPU time of its whole life, after which it ends with SIGXCPU; None for any, as a trader's that lives for months
    and is held to a deadline for each answer."""
    descriptors: int = 64
    """Frames that it holds are mapped, and each mapping takes one."""
    stack_bytes: int = 8 * MEBIBYTE

    def __post_init__(self) -> None:
        if self.memory_bytes < MEBIBYTE or self.stack_bytes < MEBIBYTE:
            raise InvalidInput("a sandbox needs a mebibyte of memory and of stack at least")
        if self.cpu_s is not None and self.cpu_s < 1:
            raise InvalidInput("a sandbox needs a second of CPU time at least")
        if self.descriptors < _FEWEST_DESCRIPTORS:
            raise InvalidInput(f"a sandbox needs {_FEWEST_DESCRIPTORS} descriptors at least")

    def apply(self) -> None:
        """To the calling process and for ever. It counts what memory that has by now, so it needs /proc. SandboxRefused
        where a limit cannot be set."""
        try:
            wanted = self._wanted(_address_space())
            for which, (soft, hard) in wanted.items():
                resource.setrlimit(which, (soft, hard))
        except (OSError, ValueError) as error:
            raise SandboxRefused(f"this process cannot be limited: {error}") from error

    def verify(self) -> None:
        """SandboxRefused unless the limits hold, or stricter ones that were there before."""
        for which, (soft, hard) in self._wanted(0).items():
            if which != resource.RLIMIT_AS and resource.getrlimit(which) != (soft, hard):
                raise SandboxRefused("the process has more resources than it should")
        if resource.getrlimit(resource.RLIMIT_AS)[1] == resource.RLIM_INFINITY:
            raise SandboxRefused("the process may use any memory")

    def _wanted(self, address_space: int) -> Mapping[int, tuple[int, int]]:
        """Soft and hard, by resource. The second in between is for SIGXCPU, which says why it ended; code that
        ignores it is killed."""
        memory = address_space + self.memory_bytes
        cpu = resource.getrlimit(resource.RLIMIT_CPU) if self.cpu_s is None else (self.cpu_s, self.cpu_s + 1)
        return {
            resource.RLIMIT_AS: (memory, memory),
            resource.RLIMIT_CPU: cpu,
            resource.RLIMIT_NOFILE: (self.descriptors, self.descriptors),
            resource.RLIMIT_STACK: (self.stack_bytes, self.stack_bytes),
            **dict.fromkeys(_NONE_OF, (0, 0)),
        }


@dataclass(frozen=True, slots=True)
class Together:
    """What all sandboxes of a machine may come to. Their limits are for each, and most of them need little: what counts
    is how many there are, and what memory the machine has left when another is asked for. Who takes more afterwards is
    the first to go when memory runs out (`volunteer`)."""

    most: int = 256
    """At once, on this machine."""
    most_each: int = 160
    """At once, for each process that asks for them."""
    free_bytes: int = 512 * MEBIBYTE
    """What the machine must have left, by the kernel's estimate (MemAvailable)."""

    def __post_init__(self) -> None:
        if self.most < 1 or self.most_each < 1 or self.free_bytes < 0:
            raise InvalidInput("at least one sandbox must be allowed to run")

    def check(self, running: int, owned: int) -> None:
        """Unavailable when another one would be too much; `owned` of the running ones are whoever's asks."""
        if running >= self.most:
            raise Unavailable(f"{running} sandboxes run already on this machine, and no more may: wait until one ends")
        if owned >= self.most_each:
            raise Unavailable(f"{owned} sandboxes run already for this process, and no more may: wait until one ends")
        free = free_bytes()
        if free is not None and free < self.free_bytes:
            left, wanted = free // MEBIBYTE, self.free_bytes // MEBIBYTE
            raise Unavailable(f"this machine has {left} MB of memory left: another sandbox needs {wanted} MB")


def free_bytes() -> int | None:
    """What could be had without swapping; None where the kernel does not say."""
    try:
        with Path("/proc/meminfo").open("rb") as said:
            found = next((line for line in said if line.startswith(b"MemAvailable:")), None)
    except OSError:
        return None
    return None if found is None else int(found.split()[1]) * 1024


def be_as_nice_as(level: int) -> None:
    """Take no more of the processor than whoever asked does, who may have stepped back since this process began."""
    found = os.getpriority(os.PRIO_PROCESS, 0)
    if level > found:
        os.setpriority(os.PRIO_PROCESS, 0, level)


def volunteer() -> None:
    """When the machine runs out of memory, the calling process is to go before all others. A best effort, for as long
    as its files in /proc are its own."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()
