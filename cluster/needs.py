"""What the platform needs of a machine, looked at one by one before it starts."""

import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cluster.ports import LOOPBACK, Ports
from cluster.wiring import Wiring
from omc.adapters.postgres import binaries
from omc.adapters.sandbox_process.doctor import doctor
from omc.errors import OmcError, Unavailable

_MIB, _GIB = 2**20, 2**30
_OLDEST_PYTHON = (3, 11)
_DISK_BYTES, _MEMORY_BYTES = _GIB, 2 * _GIB
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where the kernel has it


@dataclass(frozen=True, slots=True)
class Need:
    """One thing, and whether it is there."""

    name: str
    works: bool
    why: str
    """A sentence: what was found, or why it will not do."""
    mandatory: bool


def needs(wired: Wiring) -> Iterator[Need]:
    """Everything, in the order in which a start would meet it, and each as soon as it is known."""
    for name, look in _LOOKS.items():
        yield _found(name, partial(look, wired), mandatory=name not in _ADVISED)
    yield from _ports(wired)
    for layer in doctor():
        yield Need(f"sandbox: {layer.name}", layer.works, layer.why, layer.mandatory)


def _found(name: str, look: Callable[[], str], *, mandatory: bool = True) -> Need:
    """`look` says what it found, or raises why that will not do."""
    try:
        return Need(name, True, look(), mandatory)
    except (OmcError, OSError, ImportError) as fault:
        return Need(name, False, " ".join(str(fault).split()) or type(fault).__name__, mandatory)


def _enough(there: bool, said: str) -> str:
    if not there:
        raise Unavailable(said)
    return said


def _python(_: Wiring) -> str:
    return _enough(sys.version_info[:2] >= _OLDEST_PYTHON, f"{platform.python_version()}; 3.11 or newer is needed")


def _c_library(_: Wiring) -> str:
    """What the platform is built on comes compiled for one on Linux."""
    name, version = platform.libc_ver()
    said = f"{name} {version}".strip() or "none that says its name"
    return _enough(sys.platform != "linux" or name == "glibc", f"{said}; on Linux it must be glibc")


def _home(wired: Wiring) -> str:
    folder = wired.home.folder
    while not folder.exists():
        folder = folder.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise Unavailable(f"{folder} cannot be written")
    return _room(folder)


def _temporary_folder(_: Wiring) -> str:
    return _room(Path(tempfile.gettempdir()))


def _room(folder: Path) -> str:
    free = shutil.disk_usage(folder).free
    return _enough(free >= _DISK_BYTES, f"{free / _GIB:,.1f} GiB free in {folder}; a platform takes one to begin with")


def _memory(_: Wiring) -> str:
    free = _available_bytes()
    return _enough(free >= _MEMORY_BYTES, f"{free / _GIB:,.1f} GiB available; less than two are tight")


def _available_bytes() -> int:
    """What programs may still take, caches given up."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _shared_memory(wired: Wiring) -> str:
    wanted = wired.chosen.object_store_mb
    if not _SHARED_MEMORY.is_dir():
        raise Unavailable(f"there is no {_SHARED_MEMORY}: Ray keeps its objects on the disk, which is slower")
    free = shutil.disk_usage(_SHARED_MEMORY).free / _MIB
    said = f"{free:,.0f} MiB free in {_SHARED_MEMORY}; Ray's objects take up to {wanted:,} (OMC_OBJECT_STORE_MB)"
    return _enough(free >= wanted, said)


def _postgresql(wired: Wiring) -> str:
    if wired.external_database() is not None:
        return "OMC_DATABASE_URL names one that runs elsewhere"
    found = binaries.find()
    return f"version {found.major} in {found.folder}"


def _ray(_: Wiring) -> str:
    import ray
    from ray import serve, tune

    return f"version {ray.__version__}, with {' and '.join(each.__name__ for each in (serve, tune))}"


_LOOKS: Mapping[str, Callable[[Wiring], str]] = {
    "Python": _python,
    "C library": _c_library,
    "home": _home,
    "temporary folder": _temporary_folder,
    "memory": _memory,
    "shared memory": _shared_memory,
    "PostgreSQL": _postgresql,
    "Ray": _ray,
}
_ADVISED = frozenset({"memory", "shared memory"})


def _ports(wired: Wiring) -> Iterator[Need]:
    """Those with a fixed number. That the platform of this very home listens there is as it should be."""
    running = wired.home.running()
    if running is not None:
        yield Need("ports", True, f"taken by the platform that runs on this home, process {running['pid']}", True)
        return
    ports, chosen = Ports(), wired.chosen
    wanted = (("HTTP", chosen.port, chosen.host), ("Ray's dashboard", chosen.dashboard_port, LOOPBACK))
    try:
        for what, port, host in wanted:
            yield _found(f"port for {what}", partial(_claimed, ports, port, what, host))
    finally:
        ports.release()


def _claimed(ports: Ports, port: int, what: str, host: str) -> str:
    ports.claim(port, what, host)
    return f"{port} is free" if port else "any free one will do"
