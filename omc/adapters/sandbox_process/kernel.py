"""Calls of the Linux kernel that Python has no name for."""

import ctypes
import errno
import os
import sys

from omc.adapters.sandbox_process.system_calls import Machine
from omc.errors import SandboxRefused

PR_SET_PDEATHSIG, PR_GET_PDEATHSIG = 1, 2
PR_GET_DUMPABLE, PR_SET_DUMPABLE = 3, 4
PR_SET_NAME, PR_GET_NAME = 15, 16
PR_GET_SECCOMP, PR_SET_SECCOMP = 21, 22
PR_SET_NO_NEW_PRIVS, PR_GET_NO_NEW_PRIVS = 38, 39

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.prctl.restype = ctypes.c_int


_SHORT = frozenset({errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE})


def is_short(fault: BaseException | None) -> bool:
    """Whether it tells of a machine that lacks memory, processes or descriptors now, not of one that never could."""
    return isinstance(fault, OSError) and fault.errno in _SHORT


def machine() -> Machine:
    """The processor's name as the tables of calls have it; SandboxRefused where there is no table."""
    name = os.uname().machine.lower()
    known: dict[str, Machine] = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
    if sys.platform != "linux" or name not in known:
        raise SandboxRefused(f"there is no second wall for {sys.platform} on {name}")
    return known[name]


def call(number: int, *arguments: int | ctypes.Array[ctypes.c_char] | None) -> int:
    """A system call; OSError where it failed. Buffers are passed by address, None as a null pointer."""
    result: int = _libc.syscall(ctypes.c_long(number), *(_word(each) for each in arguments))
    if result == -1:
        _fail(f"system call {number}")
    return result


def prctl(option: int, *arguments: int) -> int:
    """OSError where it failed."""
    padded = (*arguments, 0, 0, 0, 0)[:4]
    result: int = _libc.prctl(ctypes.c_int(option), *(ctypes.c_ulong(each) for each in padded))
    if result == -1:
        _fail(f"prctl {option}")
    return result


def _word(value: int | ctypes.Array[ctypes.c_char] | None) -> ctypes.c_long | ctypes.c_void_p:
    if isinstance(value, int):
        return ctypes.c_long(value)
    return ctypes.c_void_p(None if value is None else ctypes.addressof(value))


def _fail(what: str) -> None:
    code = ctypes.get_errno()
    raise OSError(code, f"{what}: {os.strerror(code)}")
