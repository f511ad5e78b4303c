"""No file, no TCP, no signal and no abstract socket beyond itself, held by the kernel's Landlock.

The ruleset handles every right that this kernel's version of Landlock knows, and allows none. What it does not know
of is left to seccomp: asking for a file's status, UDP, sockets bound to a path.
"""

import ctypes
import errno
import os
import socket
import struct
from pathlib import Path

from omc.adapters.sandbox_process import kernel, system_calls
from omc.errors import SandboxRefused

_VERSION = 1
_FILES = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""Version to how many rights to files there are, each a bit."""
_TCP_SINCE, _TCP = 4, 0b11
_SCOPES_SINCE, _SCOPES = 6, 0b11
_NEWEST_FILES = max(_FILES)


def version() -> int:
    """Of this kernel's Landlock; SandboxRefused where it has none."""
    try:
        return kernel.call(system_calls.HOSTILE["landlock_create_ruleset"][kernel.machine()], None, 0, _VERSION)
    except OSError as error:
        why = "is switched off" if error.errno == errno.EOPNOTSUPP else "is not built in or not let through"
        raise SandboxRefused(f"this kernel cannot take files away from a process: its Landlock {why}") from error


def restrict() -> None:
    """For the calling thread and for ever; needs no_new_privs. SandboxRefused where it cannot be."""
    found, machine = version(), kernel.machine()
    attributes = struct.pack("Q", (1 << _FILES[min(found, _NEWEST_FILES)]) - 1)
    if found >= _TCP_SINCE:
        attributes += struct.pack("Q", _TCP)
    if found >= _SCOPES_SINCE:
        attributes += struct.pack("Q", _SCOPES)
    held = ctypes.create_string_buffer(attributes, len(attributes))
    try:
        ruleset = kernel.call(system_calls.HOSTILE["landlock_create_ruleset"][machine], held, len(attributes), 0)
        try:
            kernel.call(system_calls.HOSTILE["landlock_restrict_self"][machine], ruleset, 0)
        finally:
            os.close(ruleset)
    except OSError as error:
        raise SandboxRefused(f"this kernel does not take files away from a process (Landlock): {error}") from error


def verify() -> None:
    """SandboxRefused unless a file and, from version 4 on, TCP that anybody may use are refused."""
    if not _opening_fails():
        raise SandboxRefused("files can still be opened: Landlock is not in force")
    if version() >= _TCP_SINCE and not _connecting_fails():
        raise SandboxRefused("TCP can still be spoken: Landlock is not in force")


def _opening_fails() -> bool:
    try:
        os.close(os.open(Path(os.devnull), os.O_RDONLY))
    except OSError as error:
        # Whoever lacks descriptors is told so before anybody looks at the file.
        if kernel.is_short(error):
            raise
        return error.errno == errno.EACCES
    return False


def _connecting_fails() -> bool:
    """Port 1 is asked of this machine itself: without Landlock it would be refused there, or out of reach."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        return probe.connect_ex(("127.0.0.1", 1)) == errno.EACCES
