"""The second wall as if the first had fallen: whatever code tries, it comes to the end that is written here."""

import os
import sys
from collections.abc import Iterator

import pytest

from omc.adapters.sandbox_process import privileges, system_calls
from omc.adapters.sandbox_process.limits import MEBIBYTE, Limits
from tests.omc.adapters.sandbox_process.probing import ORDINARY, Prober, number

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's")

SECRET = "a-secret-of-the-parent"
ROOT = os.geteuid() == 0


@pytest.fixture(scope="module", params=["root", "user"])
def prober(request: pytest.FixtureRequest) -> Iterator[Prober]:
    if request.param == "root" and not ROOT:
        pytest.skip("not root here")
    os.environ["OMC_PROBE_SECRET"] = SECRET
    made = Prober(ORDINARY if request.param == "user" and ROOT else None)
    del os.environ["OMC_PROBE_SECRET"]
    yield made
    made.close()


SOCKET = "import socket; s = socket.socket(socket.{}, socket.{}, {})"
EXECUTABLE = "import mmap; m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)"
FILES = {
    "read": ("open('/etc/passwd').read()", "EACCES"),
    "read with no help from Python": ("call('openat', -100, b(b'/etc/passwd'), 0, 0)", "EACCES"),
    "read by openat2": ("call('openat2', -100, b(b'/etc/passwd'), b(bytes(24)), 24)", "EACCES"),
    "write": ("open('/tmp/omc-probe', 'w')", "EACCES"),
    "make one without a name": ("os.open('/tmp', os.O_TMPFILE | os.O_WRONLY)", "EACCES"),
    "list": ("os.listdir('/')", "EACCES"),
    "stat": ("os.stat('/etc/passwd')", "EACCES"),
    "lstat": ("os.lstat('/etc/passwd')", "EACCES"),
    "statx": ("call('statx', -100, b(b'/etc/passwd'), 0, 0xfff, b(bytes(256)))", "EACCES"),
    "ask whether it is there": ("import pathlib; x = os.access('/etc/passwd', os.F_OK)", "done False"),
    "statfs": ("os.statvfs('/')", "EACCES"),
    "link": ("os.link('/etc/passwd', '/tmp/omc-probe')", "EACCES"),
    "symlink": ("os.symlink('/etc/passwd', '/tmp/omc-probe')", "EACCES"),
    "readlink": ("os.readlink('/proc/self/exe')", "EACCES"),
    "chmod": ("os.chmod('/tmp', 0o777)", "EACCES"),
    "fchmod": ("os.fchmod(0, 0o777)", "EACCES"),
    "chown": ("os.chown('/tmp', 0, 0)", "EACCES"),
    "rename": ("os.rename('/tmp/a', '/tmp/b')", "EACCES"),
    "unlink": ("os.unlink('/tmp/a')", "EACCES"),
    "mkdir": ("os.mkdir('/tmp/omc-probe')", "EACCES"),
    "rmdir": ("os.rmdir('/tmp/omc-probe')", "EACCES"),
    "mknod": ("os.mknod('/tmp/omc-probe')", "EACCES"),
    "truncate": ("os.truncate('/tmp/omc-probe', 0)", "EACCES"),
    "utime": ("os.utime('/tmp')", "EACCES"),
    "extended attributes": ("os.setxattr('/tmp', 'user.a', b'b')", "EACCES"),
    "chdir": ("os.chdir('/')", "EACCES"),
    "getcwd": ("os.getcwd()", "EACCES"),
    "the parent's environment": ("open(f'/proc/{os.getppid()}/environ', 'rb').read()", "EACCES"),
    "the parent's memory": ("open(f'/proc/{os.getppid()}/mem', 'rb+')", "EACCES"),
    "its own memory": ("open('/proc/self/mem', 'rb+')", "EACCES"),
    "a module not imported yet": ("import xmlrpc.client", "ModuleNotFoundError"),
}
NETWORK = {
    "TCP": (SOCKET.format("AF_INET", "SOCK_STREAM", 0), "EACCES"),
    "TCP over version 6": (SOCKET.format("AF_INET6", "SOCK_STREAM", 0), "EACCES"),
    "UDP": (SOCKET.format("AF_INET", "SOCK_DGRAM", 0), "EACCES"),
    "raw": (SOCKET.format("AF_INET", "SOCK_RAW", 1), "EACCES"),
    "packets": (SOCKET.format("AF_PACKET", "SOCK_RAW", 0), "EACCES"),
    "netlink": (SOCKET.format("AF_NETLINK", "SOCK_RAW", 0), "EACCES"),
    "unix": (SOCKET.format("AF_UNIX", "SOCK_STREAM", 0), "EACCES"),
    "vsock": (SOCKET.format("AF_VSOCK", "SOCK_STREAM", 0), "EACCES"),
    "a pair": ("import socket; socket.socketpair()", "EACCES"),
    "another address for the open one": ("call('connect', channel, b(b'\\1\\0/tmp/s'), 10)", "EACCES"),
    "a packet to an address": ("call('sendto', channel, b(b'x'), 1, 0, b(b'\\1\\0/tmp/s'), 10)", "EPERM"),
    "a descriptor handed to the parent": (
        "import socket; s = socket.socket(fileno=os.dup(channel)); socket.send_fds(s, [b'x'], [0])",
        "EPERM",
    ),
    "the parent's credentials": (
        "import socket; s = socket.socket(fileno=os.dup(channel)); s.getsockopt(1, socket.SO_PEERCRED, 12)",
        "EPERM",
    ),
    "by name": ("import socket; socket.getaddrinfo('localhost', 80)", "gaierror"),
}
PROCESSES = {
    "exec": ("os.execv('/bin/true', ['true'])", "SIGSYS"),
    "exec of a descriptor": ("os.execve(0, ['true'], {})", "SIGSYS"),
    "fork": ("os.fork()", "EPERM"),
    "vfork": ("call('clone', 0x4111, 0, 0, 0, 0)", "EPERM"),
    "clone3": ("call('clone3', b(bytes(88)), 88)", "EPERM"),
    "a shell": ("x = os.system('true') == 0", "done False"),
    "a subprocess": ("import subprocess; subprocess.run(['true'])", "EPERM"),
    "spawn": ("os.posix_spawn('/bin/true', ['true'], {})", "EPERM"),
    "a thread": ("import threading; threading.Thread(target=print).start()", "RuntimeError"),
    "a pool of threads": (
        "from concurrent.futures import ThreadPoolExecutor as P; P(1).submit(print).result()",
        "RuntimeError",
    ),
    "kill its parent": ("os.kill(os.getppid(), 9)", "SIGSYS"),
    "kill everybody": ("os.kill(-1, 9)", "SIGSYS"),
    "kill a thread of its parent": ("call('tgkill', os.getppid(), os.getppid(), 9)", "SIGSYS"),
    "abort itself": ("os.abort()", "SIGABRT"),
    "signals by way of a descriptor": ("import fcntl; fcntl.fcntl(channel, fcntl.F_SETOWN, os.getppid())", "EPERM"),
    "its parent's limits": ("call('prlimit64', os.getppid(), 0, 0, b(bytes(16)))", "EPERM"),
    "leave": ("os._exit(7)", "exit 7"),
}
RIGHTS = {
    "setuid": ("os.setuid(0)", "SIGSYS"),
    "be somebody": ("x = 0 in (*os.getresuid(), *os.getresgid(), *os.getgroups())", "done False"),
    "more memory": (
        "import resource as r; r.setrlimit(r.RLIMIT_AS, (r.RLIM_INFINITY, r.RLIM_INFINITY))",
        {"EPERM", "ValueError"},
    ),
    "be looked into": ("from omc.adapters.sandbox_process.kernel import prctl; prctl(4, 1)", "EPERM"),
    "outlive its parent": ("from omc.adapters.sandbox_process.kernel import prctl; prctl(1, 0)", "EPERM"),
    "another filter": ("from omc.adapters.sandbox_process.kernel import prctl; prctl(22, 2, 0)", "EPERM"),
    "a call that nobody knows": ("call(999)", "EPERM"),
    "a file in memory": ("os.memfd_create('a')", "EPERM"),
    "executable memory": (EXECUTABLE, "EPERM"),
    "memory made executable": (
        "import ctypes; a = call('mmap', None, 4096, 3, 0x22, -1, 0); call('mprotect', a, 4096, 5)",
        "EPERM",
    ),
    "memory made executable by key": (
        "a = call('mmap', None, 4096, 3, 0x22, -1, 0); call('pkey_mprotect', a, 4096, 7, -1)",
        "EPERM",
    ),
    "a compiler": ("import numba; numba.config.DISABLE_JIT = False; numba.njit(lambda a: a + 1)(1)", None),
}
SECRETS = {
    "environment": (f"x = any({SECRET!r} in each for each in os.environ.values())", "done False"),
    "environment block": (
        "import ctypes; e = ctypes.POINTER(ctypes.c_char_p).in_dll(ctypes.CDLL(None), 'environ'); i = 0; x = False\n"
        f"while e[i]:\n    x |= {SECRET.encode()!r} in e[i]; i += 1",
        "done False",
    ),
    "descriptors": (
        "import stat\nx = 0\nfor each in range(4096):\n"
        "    try:\n        found = os.fstat(each)\n    except OSError:\n        continue\n"
        "    null = stat.S_ISCHR(found.st_mode) and found.st_rdev == os.makedev(1, 3)\n"
        "    x += not (each == channel or (each < 3 and null))",
        "done 0",
    ),
}
SMALL = Limits(memory_bytes=256 * MEBIBYTE, cpu_s=1)
BOMBS = {
    "descriptors": ("while True:\n    os.dup(0)", SMALL, "EMFILE"),
    "memory": ("x = []\nwhile True:\n    x.append(bytearray(1 << 24))", SMALL, "MemoryError"),
    "memory of numpy": ("np.ones(1 << 40)", SMALL, {"MemoryError", "_ArrayMemoryError"}),
    "little by little": (
        "x = []\nwhile True:\n    x.append([None] * 1000)",
        Limits(memory_bytes=64 * MEBIBYTE),
        "MemoryError",
    ),
    "CPU time": ("while True:\n    pass", SMALL, "SIGXCPU"),
    "CPU time, not listening": (
        "import signal; signal.signal(signal.SIGXCPU, signal.SIG_IGN)\nwhile True:\n    pass",
        SMALL,
        "SIGKILL",
    ),
    "regular expression": ("import re; re.match(r'(a+)+$', 'a' * 40 + 'b')", SMALL, "SIGXCPU"),
    "whole numbers": ("x = 7 ** (7 ** 9) % 3", SMALL, "SIGXCPU"),
    "digits": ("import sys; sys.set_int_max_str_digits(0); x = len(str(1 << 10 ** 7))", SMALL, "SIGXCPU"),
    "recursion": ("def f():\n    f()\nf()", SMALL, "RecursionError"),
    "recursion in C": (
        "import sys; sys.setrecursionlimit(10 ** 9)\na = []\nfor _ in range(10 ** 6):\n    a = [a]\nrepr(a)",
        SMALL,
        "SIGSEGV",
    ),
    "an address of its own": ("import ctypes; ctypes.string_at(8)", SMALL, "SIGSEGV"),
    "leaving": ("import sys; sys.exit(3)", SMALL, "SystemExit"),
}


def check(prober: Prober, source: str, expected: str | set[str] | None, limits: Limits | None = None) -> None:
    before = "import ctypes\ndef b(data): return ctypes.create_string_buffer(data)\n"
    found = prober.outcome(before + source, limits)
    if expected is None:
        assert not found.startswith("done")
    else:
        assert found in ({expected} if isinstance(expected, str) else expected)


@pytest.mark.parametrize("name", FILES)
def test_no_file_can_be_reached(prober: Prober, name: str) -> None:
    check(prober, *FILES[name])


@pytest.mark.parametrize("name", NETWORK)
def test_nobody_can_be_spoken_to(prober: Prober, name: str) -> None:
    check(prober, *NETWORK[name])


@pytest.mark.parametrize("name", PROCESSES)
def test_no_process_can_be_started_or_disturbed(prober: Prober, name: str) -> None:
    check(prober, *PROCESSES[name])


@pytest.mark.parametrize("name", RIGHTS)
def test_no_right_can_be_had(prober: Prober, name: str) -> None:
    check(prober, *RIGHTS[name])


@pytest.mark.parametrize("name", SECRETS)
def test_there_is_no_secret_to_find(prober: Prober, name: str) -> None:
    check(prober, *SECRETS[name])


@pytest.mark.parametrize("name", BOMBS)
def test_no_more_is_used_than_was_given(prober: Prober, name: str) -> None:
    source, limits, expected = BOMBS[name]
    check(prober, source, expected, limits)


@pytest.mark.parametrize(
    "name", [name for name, numbers in system_calls.HOSTILE.items() if os.uname().machine in numbers]
)
def test_a_hostile_call_ends_the_process(prober: Prober, name: str) -> None:
    check(prober, f"call({name!r}, 0, 0, 0, 0, 0, 0)", "SIGSYS")


@pytest.mark.skipif(os.uname().machine != "x86_64", reason="only there")
@pytest.mark.parametrize("name", ["read", "getpid", "execve"])
def test_a_call_with_short_pointers_ends_the_process(prober: Prober, name: str) -> None:
    check(prober, f"call({0x4000_0000 + number(name)}, 0, 0, 0, 0, 0, 0)", "SIGSYS")


@pytest.mark.parametrize("source", ["import time; time.sleep(3600)", "while True:\n    pass"], ids=["sleep", "loop"])
def test_what_does_not_answer_is_killed_from_outside(prober: Prober, source: str) -> None:
    assert prober.outcome(source, Limits(cpu_s=None), deadline_s=0.2) == "deadline"


def test_after_all_of_that_another_process_computes(prober: Prober) -> None:
    assert prober.outcome("x = int(np.arange(5).sum()) + len(pd.DataFrame({'a': [1, 2]}))") == "done 12"


def test_root_has_become_nobody(prober: Prober) -> None:
    owner = "done " + str((privileges.NOBODY,) * 3)
    assert prober.outcome("x = os.getresuid()") in ({owner} if ROOT else {owner, f"done {os.getresuid()}"})
