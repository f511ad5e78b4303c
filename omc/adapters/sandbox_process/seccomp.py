"""Which calls of the kernel a process may still make, held by the kernel itself (seccomp-bpf).

What is allowed is listed; everything else, future calls included, is refused. No memory may become executable, so that
not even code that was written into it by a broken library can be run.
"""

import ctypes
import errno
import os
import struct
from collections.abc import Iterable, Sequence

from omc.adapters.sandbox_process import kernel, system_calls
from omc.adapters.sandbox_process.system_calls import Machine
from omc.errors import SandboxRefused

KILL, ALLOW = 0x8000_0000, 0x7FFF_0000
DENY, DENY_FILE = 0x0005_0000 | errno.EPERM, 0x0005_0000 | errno.EACCES
ARCHITECTURES: dict[Machine, int] = {"x86_64": 0xC000_003E, "aarch64": 0xC000_00B7}
X32 = 0x4000_0000
"""The bit of x86-64's calls with short pointers, by which listed calls would be made under other numbers."""
PROT_EXEC = 4

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE = 0, 4
_MODE_FILTER = 2
_ASK, _READ_IMPLIES_EXEC = 0xFFFF_FFFF, 0x0040_0000
_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_DUPFD_CLOEXEC, _F_GET_SEALS = 0, 1, 2, 3, 1030, 1034
_FIONBIO, _FIOCLEX, _FIONCLEX = 0x5421, 0x5451, 0x5450
_SOL_SOCKET = 1
_SO_TYPE, _SO_ERROR, _SO_SNDBUF, _SO_RCVBUF, _SO_PROTOCOL, _SO_DOMAIN = 3, 4, 7, 8, 38, 39

Instruction = tuple[int, int, int, int]
"""Code, how far to jump when true, how far when false, operand."""


def program(machine: Machine, process: int) -> list[Instruction]:
    """The filter for the process of that id, which may signal itself and nobody else."""
    made = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        *_unless_equal(ARCHITECTURES[machine], KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        made += [(_AT_LEAST, 0, 1, X32), _end(KILL)]
    for table, verdict in (
        (system_calls.ALLOWED, ALLOW),
        (system_calls.FILES, DENY_FILE),
        (system_calls.HOSTILE, KILL),
    ):
        for numbers in table.values():
            if machine in numbers:
                made += [(_EQUAL, 0, 1, numbers[machine]), _end(verdict)]
    for name, numbers in system_calls.CHECKED.items():
        body = _checks(process)[name]
        made += [(_EQUAL, 0, len(body), numbers[machine]), *body]
    return [*made, _end(DENY)]


def restrict() -> None:
    """For the calling thread and for ever; SandboxRefused where the kernel has no such filters."""
    machine = kernel.machine()
    if kernel.call(system_calls.HOSTILE["personality"][machine], _ASK) & _READ_IMPLIES_EXEC:
        raise SandboxRefused("this process was started so that all of its memory is executable (READ_IMPLIES_EXEC)")
    made = program(machine, os.getpid())
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *each) for each in made))
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(made), ctypes.addressof(packed)))
    try:
        kernel.prctl(kernel.PR_SET_SECCOMP, _MODE_FILTER, ctypes.addressof(head))
    except OSError as error:
        raise SandboxRefused(f"this kernel lets nobody filter system calls (seccomp): {error.strerror}") from error


def verify() -> None:
    """SandboxRefused unless calls that no other layer forbids are refused."""
    machine = kernel.machine()
    try:
        mode = kernel.prctl(kernel.PR_GET_SECCOMP)
    except OSError:
        mode = 0
    refused = all(
        _refuses(system_calls.NEW[name][machine], arguments, code)
        for name, arguments, code in (
            ("memfd_create", (ctypes.create_string_buffer(b"probe"), 0), errno.EPERM),
            ("eventfd2", (0, 0), errno.EPERM),
        )
    )
    executable = _refuses(system_calls.CHECKED["mmap"][machine], (None, 4096, 1 | PROT_EXEC, 0x22, -1, 0), errno.EPERM)
    if mode != _MODE_FILTER or not refused or not executable:
        raise SandboxRefused("the filter of system calls (seccomp) is not in force")


def _refuses(number: int, arguments: Sequence[int | ctypes.Array[ctypes.c_char] | None], code: int) -> bool:
    try:
        kernel.call(number, *arguments)
    except OSError as error:
        return error.errno == code
    return False


def _end(verdict: int) -> Instruction:
    return (_RETURN, 0, 0, verdict)


def _argument(index: int, *, high: bool = False) -> Instruction:
    """Half of an argument. Both processors put the low half first."""
    return (_LOAD, 0, 0, 16 + 8 * index + 4 * high)


def _unless_equal(value: int, verdict: int) -> list[Instruction]:
    return [(_EQUAL, 1, 0, value), _end(verdict)]


def _one_of(index: int, values: Iterable[int]) -> list[Instruction]:
    """The kernel, too, takes these arguments for 32 bits wide."""
    found = [each for value in values for each in ((_EQUAL, 0, 1, value), _end(ALLOW))]
    return [_argument(index), *found, _end(DENY)]


def _zero(index: int) -> list[Instruction]:
    return [
        _argument(index, high=True),
        *_unless_equal(0, DENY),
        _argument(index),
        *_unless_equal(0, DENY),
    ]


def _checks(process: int) -> dict[str, list[Instruction]]:
    """What is asked of the arguments, by call."""
    data_only = [_argument(2), (_ANY_BIT, 0, 1, PROT_EXEC), _end(DENY), _end(ALLOW)]
    asked = (kernel.PR_GET_DUMPABLE, kernel.PR_GET_NO_NEW_PRIVS, kernel.PR_GET_PDEATHSIG, kernel.PR_GET_SECCOMP)
    return {
        "mmap": data_only,
        "mprotect": data_only,
        "pkey_mprotect": data_only,
        # Not F_SETOWN and F_SETSIG, which signal others, nor F_SETFL, which the parent's descriptors would share.
        "fcntl": _one_of(1, (_F_DUPFD, _F_GETFD, _F_SETFD, _F_GETFL, _F_DUPFD_CLOEXEC, _F_GET_SEALS)),
        "ioctl": _one_of(1, (_FIONBIO, _FIOCLEX, _FIONCLEX)),
        "getsockopt": [
            _argument(1),
            *_unless_equal(_SOL_SOCKET, DENY),
            *_one_of(2, (_SO_TYPE, _SO_ERROR, _SO_SNDBUF, _SO_RCVBUF, _SO_PROTOCOL, _SO_DOMAIN)),
        ],
        # Along a connected socket, to no address.
        "sendto": [*_zero(4), _end(ALLOW)],
        "tgkill": [_argument(0), *_unless_equal(process, KILL), _end(ALLOW)],
        # Its own limits, to read.
        "prlimit64": [_argument(0), *_unless_equal(0, DENY), *_zero(2), _end(ALLOW)],
        "prctl": _one_of(0, (*asked, kernel.PR_SET_NAME, kernel.PR_GET_NAME)),
    }
