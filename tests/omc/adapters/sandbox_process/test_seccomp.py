"""The filter, for both processors, run by an interpreter of its instructions."""

import errno
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.sandbox_process import seccomp, system_calls
from omc.adapters.sandbox_process.seccomp import ALLOW, ARCHITECTURES, DENY, DENY_FILE, KILL
from omc.adapters.sandbox_process.system_calls import Machine

SELF = 4321
MACHINES: tuple[Machine, ...] = ("x86_64", "aarch64")
WORDS = st.lists(st.integers(0, 2**64 - 1), min_size=6, max_size=6)


def verdict(machine: Machine, number: int, arguments: tuple[int, ...] = (), architecture: int | None = None) -> int:
    """What the kernel would do with a call, by its own rules for such programs."""
    words = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    known = ARCHITECTURES[machine] if architecture is None else architecture
    data = struct.pack("<IIQ6Q", number & 0xFFFF_FFFF, known, 0, *words)
    made = seccomp.program(machine, SELF)
    at = held = 0
    while True:
        code, true, false, operand = made[at]
        at += 1
        match code:
            case 0x20:
                (held,) = struct.unpack_from("<I", data, operand)
            case 0x06:
                return operand
            case 0x15 | 0x35 | 0x45:
                met = {0x15: held == operand, 0x35: held >= operand, 0x45: bool(held & operand)}[code]
                at += true if met else false
            case _:
                raise AssertionError(f"no such instruction: {code:#x}")


def number(machine: Machine, name: str) -> int:
    tables = (system_calls.ALLOWED, system_calls.CHECKED, system_calls.FILES, system_calls.HOSTILE, system_calls.NEW)
    return next(table[name][machine] for table in tables if name in table)


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (system_calls.ALLOWED, ALLOW),
        (system_calls.FILES, DENY_FILE),
        (system_calls.HOSTILE, KILL),
        (system_calls.NEW, DENY),
    ],
    ids=["allowed", "files", "hostile", "new"],
)
def test_every_call_gets_what_its_table_says(machine: Machine, table: system_calls.Table, expected: int) -> None:
    for name, numbers in table.items():
        if machine in numbers:
            assert verdict(machine, numbers[machine]) == expected, name


@pytest.mark.parametrize("machine", MACHINES)
@given(called=st.integers(0, 2**32 - 1), words=WORDS)
def test_no_other_call_is_allowed(machine: Machine, called: int, words: list[int]) -> None:
    tables = (system_calls.ALLOWED, system_calls.CHECKED)
    if called not in {each[machine] for table in tables for each in table.values() if machine in each}:
        assert verdict(machine, called, tuple(words)) != ALLOW


@pytest.mark.parametrize("machine", MACHINES)
@given(called=st.integers(0, 500), architecture=st.integers(0, 2**32 - 1))
def test_another_processors_calls_kill(machine: Machine, called: int, architecture: int) -> None:
    if architecture != ARCHITECTURES[machine]:
        assert verdict(machine, called, architecture=architecture) == KILL


@given(called=st.integers(0, 0x3FFF_FFFF))
def test_calls_with_short_pointers_kill(called: int) -> None:
    assert verdict("x86_64", called | seccomp.X32) == KILL


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("name", ["mmap", "mprotect", "pkey_mprotect"])
@given(words=WORDS)
def test_memory_is_for_data(machine: Machine, name: str, words: list[int]) -> None:
    expected = DENY if words[2] & seccomp.PROT_EXEC else ALLOW
    assert verdict(machine, number(machine, name), tuple(words)) == expected


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("tgkill", (SELF, SELF, 6), ALLOW),
        ("tgkill", (SELF + 1, SELF, 6), KILL),
        ("sendto", (3, 1, 1, 0, 0, 0), ALLOW),
        ("sendto", (3, 1, 1, 0, 1, 0), DENY),
        ("sendto", (3, 1, 1, 0, 1 << 32, 0), DENY),
        ("prlimit64", (0, 7, 0, 1), ALLOW),
        ("prlimit64", (0, 7, 1 << 40, 1), DENY),
        ("prlimit64", (1, 7, 0, 1), DENY),
        ("fcntl", (3, 1030, 0), ALLOW),
        ("fcntl", (3, 4, 0x400), DENY),
        ("fcntl", (3, 8, 1), DENY),
        ("fcntl", (3, 10, 9), DENY),
        ("ioctl", (3, 0x5421, 1), ALLOW),
        ("ioctl", (0, 0x5412, 1), DENY),
        ("getsockopt", (3, 1, 3), ALLOW),
        ("getsockopt", (3, 1, 17), DENY),
        ("getsockopt", (3, 6, 3), DENY),
        ("prctl", (21,), ALLOW),
        ("prctl", (4, 1), DENY),
        ("prctl", (22, 2), DENY),
    ],
)
def test_arguments_decide(machine: Machine, name: str, arguments: tuple[int, ...], expected: int) -> None:
    assert verdict(machine, number(machine, name), arguments) == expected


@pytest.mark.parametrize("machine", MACHINES)
def test_it_is_short_enough_for_the_kernel(machine: Machine) -> None:
    assert len(seccomp.program(machine, SELF)) <= 4096


def test_denials_are_errors_that_libraries_know() -> None:
    assert (DENY & 0xFFFF, DENY_FILE & 0xFFFF) == (errno.EPERM, errno.EACCES)
