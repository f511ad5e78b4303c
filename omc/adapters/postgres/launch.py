"""How the server's programs are run: never as root, and never longer than whoever started them."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omc.adapters.postgres.binaries import Binaries
from omc.errors import Unavailable

_NOBODY = 65534
# Inside its own user namespace the server is nobody, as it demands, while its files stay ours: no user is added, and
# no folder above the data is opened to anybody.
_OWN_NAMESPACE = ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--")

# Run by a fresh interpreter, so that nothing runs between fork and exec in a process that may have threads.
_TIED = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGINT)
if os.getppid() != int(sys.argv[1]):
    sys.exit("whoever asked for the database server is gone")
os.execvp(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the server runs as: `prefix` goes before its command, `uid` and `gid` own its files."""

    prefix: tuple[str, ...]
    uid: int
    gid: int

    def own(self, folder: Path) -> None:
        """Give `folder` and everything in it to this identity; nothing is done when it has it already."""
        if folder.stat().st_uid == self.uid:
            return
        if os.geteuid() != 0:
            raise Unavailable(f"{folder} belongs to another user: run as that user, or choose another home")
        for path in (folder, *folder.rglob("*")):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def identity(home: Path, binaries: Binaries) -> Identity:
    """Who can run `binaries` on files under `home`. Unavailable when nobody can."""
    if os.geteuid() != 0 and _known(os.geteuid()):
        return Identity((), os.geteuid(), os.getegid())
    # PostgreSQL refuses root, and a user without a name (as containers have); both may be nobody in a namespace.
    if shutil.which("unshare") and _works(_OWN_NAMESPACE, home, binaries):
        return Identity(_OWN_NAMESPACE, os.geteuid(), os.getegid())
    if os.geteuid() == 0 and shutil.which("setpriv"):
        for uid, gid in _others(home):
            # A change of user forgets the tie to the owner, so it is made again behind it.
            groups = ("--reuid", str(uid), "--regid", str(gid), "--clear-groups")
            prefix = ("setpriv", *groups, "--pdeathsig", "INT", "--")
            if _works(prefix, home, binaries):
                return Identity(prefix, uid, gid)
    raise Unavailable(f"PostgreSQL refuses this user, and no other user can work in {home}: run as a named user")


def tied(command: tuple[str, ...]) -> list[str]:
    """`command` so that it is interrupted when the calling thread ends."""
    interpreter = sys.executable if os.access(sys.executable, os.X_OK) else shutil.which("python3") or sys.executable
    return [interpreter, "-I", "-S", "-c", _TIED, str(os.getpid()), *command]


def _known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _others(home: Path) -> Iterator[tuple[int, int]]:
    """Users that root may become: the home's owner, and those that exist for servers."""
    owner = home.stat()
    if owner.st_uid != 0 and _known(owner.st_uid):
        yield owner.st_uid, owner.st_gid
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        yield user.pw_uid, user.pw_gid


def _works(prefix: tuple[str, ...], home: Path, binaries: Binaries) -> bool:
    script = ('test -x "$1" && exec "$2" --version', "sh", str(home), binaries.postgres)
    try:
        tried = subprocess.run(  # noqa: S603 - no input from outside
            [*prefix, "/bin/sh", "-c", *script], capture_output=True, timeout=20, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return tried.returncode == 0
