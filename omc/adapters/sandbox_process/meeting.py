"""Where all processes of one platform on one machine meet to share a zygote: a socket in a folder of their user's own.

Who finds nobody there starts one, under a lock; everybody else connects. Nothing that lies in the folder is believed: a
socket counts when a process of this user listens on it, and is replaced when none does.
"""

import contextlib
import fcntl
import hashlib
import os
import socket
import stat
import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import omc
from omc.adapters.sandbox_process.kernel import is_short
from omc.adapters.sandbox_process.launch import launch_at
from omc.adapters.sandbox_process.owners import is_same_user
from omc.errors import Unavailable

LINGER_S = 10.0
"""How long a zygote waits for the next process that needs it."""
_QUEUE = 4096
_PATIENCE_S, _PAUSE_S = 60.0, 0.02
_PRIVATE = 0o700
_SECONDS = struct.Struct("ll")


@dataclass(frozen=True, slots=True)
class Meeting:
    folder: Path
    """Made when it is not there; where it cannot be, or is another user's, a folder for runtime files stands in."""
    command: tuple[str, ...]
    linger_s: float = LINGER_S

    def join(self) -> socket.socket:
        """A connection to the zygote, which is started if there is none; it may yet need seconds until it is ready.
        Unavailable, with a sentence, when there is nowhere to meet, and when this machine cannot start one now: another
        folder would then only part this process from all others."""
        whys = []
        for folder in (self.folder, self._elsewhere):
            try:
                with _opened(folder) as inside:
                    return self._joined(inside)
            except OSError as fault:
                if is_short(fault):
                    raise Unavailable(f"the process that sandboxes are forked from is out of reach: {fault}") from None
                whys.append(f"{folder}: {fault.strerror or fault}")
        raise Unavailable(f"there is nowhere to share the process that sandboxes are forked from ({'; '.join(whys)})")

    def _joined(self, inside: int) -> socket.socket:
        own = os.getpriority(os.PRIO_PROCESS, 0)
        # One that is less nice will do: what it forks is as nice as whoever asks. The other way nobody could.
        names = [self._name(level) for level in sorted({min(0, own), own})]

        def found() -> socket.socket | None:
            return next((end for end in (_connected(inside, name) for name in names) if end is not None), None)

        return found() or self._started(inside, names[-1], found)

    def _started(self, inside: int, name: str, found: Callable[[], socket.socket | None]) -> socket.socket:
        with _locked(inside):
            # Somebody may have been faster.
            other = found()
            if other is not None:
                return other
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name, dir_fd=inside)
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as door:
                door.bind(_address(inside, name))
                door.listen(_QUEUE)
                try:
                    launch_at(door, self.command, self.linger_s)
                except OSError as fault:
                    # Not the folder's.
                    raise Unavailable(f"no process to fork sandboxes from can be started: {fault}") from None
                own = _connected(inside, name)
        if own is None:
            raise Unavailable("the process that sandboxes are forked from ended as soon as it was started")
        return own

    def _name(self, nice: int) -> str:
        """Whoever differs in any of this cannot share: another start of the machine, another container on the same
        files, another Python or platform."""
        shared = (*_machine(), *self.command, omc.__version__, omc.__file__, str(nice))
        return f"zygote-{_digest(shared)}"

    @property
    def _elsewhere(self) -> Path:
        user = os.geteuid()
        runtime = Path(f"/run/user/{user}")
        folder = runtime if runtime.is_dir() else Path("/tmp")  # noqa: S108 (made and checked to be this user's alone)
        return folder / f"omc-{user}-{_digest([str(self.folder)])}"


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:16]


def _machine() -> tuple[str, str]:
    """This start of this machine, and which processes are seen there."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip(), str(Path("/proc/self/ns/pid").readlink())


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    """A descriptor of the folder, which is this user's and closed to all others. OSError where it cannot be."""
    folder.mkdir(mode=_PRIVATE, exist_ok=True)
    inside = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        about = os.fstat(inside)
        if about.st_uid != os.geteuid():
            raise PermissionError("it belongs to another user")
        if stat.S_IMODE(about.st_mode) != _PRIVATE:
            os.fchmod(inside, _PRIVATE)
        yield inside
    finally:
        os.close(inside)


def _address(inside: int, name: str) -> str:
    """However long the folder's path is: addresses of sockets have 107 bytes."""
    return f"/proc/self/fd/{inside}/{name}"


def _connected(inside: int, name: str) -> socket.socket | None:
    """None when nobody of this user listens there."""
    end = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        # While it warms up, it lets nobody in yet: they queue.
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SECONDS.pack(int(_PATIENCE_S), 0))
        end.connect(_address(inside, name))
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _SECONDS.pack(0, 0))
        if is_same_user(end):
            return end
    except (ConnectionRefusedError, FileNotFoundError, PermissionError):
        pass
    except BlockingIOError:
        end.close()
        raise Unavailable("too many processes wait for the one that sandboxes are forked from") from None
    except BaseException:
        end.close()
        raise
    end.close()
    return None


@contextlib.contextmanager
def _locked(inside: int) -> Iterator[None]:
    """By one process at a time. Unavailable when another holds it for too long; the kernel gives back a dead one's."""
    lock = os.open("lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=inside)
    try:
        until = time.monotonic() + _PATIENCE_S
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise Unavailable("another process has been starting sandboxes for too long") from None
                time.sleep(_PAUSE_S)
        try:
            yield
        finally:
            # Said, for a fork of this process would hold on to it.
            fcntl.flock(lock, fcntl.LOCK_UN)
    finally:
        os.close(lock)
