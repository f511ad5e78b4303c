"""What a process for people's code may use."""

from dataclasses import dataclass

from omc.errors import InvalidInput

MEBIBYTE = 1024**2
_FEWEST_DESCRIPTORS = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """InvalidInput for limits that nothing could run in."""

    memory_bytes: int = 1024 * MEBIBYTE
    """Address space beyond what the zygote has, shared memory included."""
    cpu_s: int | None = 60
    """CPU time of its whole life, after which it ends with SIGXCPU; None for any, as a trader's that lives for months
    and is held to a deadline for each answer."""
    descriptors: int = 16
    stack_bytes: int = 8 * MEBIBYTE

    def __post_init__(self) -> None:
        if self.memory_bytes < MEBIBYTE or self.stack_bytes < MEBIBYTE:
            raise InvalidInput("a sandbox needs a mebibyte of memory and of stack at least")
        if self.cpu_s is not None and self.cpu_s < 1:
            raise InvalidInput("a sandbox needs a second of CPU time at least")
        if self.descriptors < _FEWEST_DESCRIPTORS:
            raise InvalidInput(f"a sandbox needs {_FEWEST_DESCRIPTORS} descriptors at least")
