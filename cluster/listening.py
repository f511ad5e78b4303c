"""Every port that a running platform listens on: where, which process, what it is, and who can reach it.

Read from the kernel's own tables, so nothing is left out that somebody forgot to write down.
"""

import contextlib
import ipaddress
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from cluster.knocking import Heard, Knock, at_any, at_grpc, at_http, at_postgres

_PROC = Path("/proc")
_LISTENING = "0A"


@dataclass(frozen=True, slots=True)
class Listener:
    """One port of one process."""

    address: str
    port: int
    pid: int
    command: tuple[str, ...]
    """Its words, or the one that it calls itself since."""

    @property
    def is_loopback(self) -> bool:
        return ipaddress.ip_address(self.address).is_loopback

    @property
    def reached_by(self) -> str:
        if self.is_loopback:
            return "this machine's users"
        return "whoever reaches this machine" if ipaddress.ip_address(self.address).is_unspecified else "its network"


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a port is for. `asks` says what it wants of whoever comes."""

    what: str
    asks: str
    knock: Knock | None = None
    """How that is found out."""


@dataclass(frozen=True, slots=True)
class Door:
    """A port, told."""

    listener: Listener
    purpose: Purpose | None
    """None for one that nobody here knows."""
    heard: Heard | None = None
    """What it said to whoever came with nothing; None when nobody knocked."""

    def knocked(self) -> "Door":
        """The same, with what it says when somebody does."""
        if self.purpose is None or self.purpose.knock is None:
            return self
        return replace(self, heard=self.purpose.knock(_near(self.listener.address), self.listener.port))

    @property
    def warning(self) -> str | None:
        if self.purpose is None:
            return "nobody knows what this is"
        wrong = []
        if self.heard is Heard.LET_IN:
            wrong.append(f"it lets in whoever comes without {self.purpose.asks}")
        if not self.listener.is_loopback:
            wrong.append(f"it can be reached by {self.listener.reached_by}")
        return ", and ".join(wrong) or None

    @property
    def document(self) -> dict[str, Any]:
        heard = self.listener
        return {
            "address": heard.address,
            "port": heard.port,
            "pid": heard.pid,
            "process": _short(heard.command),
            "what": self.purpose.what if self.purpose else None,
            "asks": self.purpose.asks if self.purpose else None,
            "heard": self.heard.value if self.heard else None,
            "reached_by": heard.reached_by,
            "warning": self.warning,
        }


_RAYS_TOKEN = "Ray's token"  # noqa: S105  the name of one
_BEARER = "a bearer token, but for registration, login, health and the description"
_MEASURES = f"{_RAYS_TOKEN}, but for measures"
_SIGNATURE = "its signature, or the control token"
_API = "/api/v1/users/profile"
# What nobody is told without the token: none of them changes anything.
_AT_STATE = at_grpc("/ray.rpc.NodeInfoGcsService/GetAllNodeInfo")
_AT_NODE = at_grpc("/ray.rpc.NodeManagerService/GetResourceLoad")
_AT_WORKER = at_grpc("/ray.rpc.CoreWorkerService/GetCoreWorkerStats")
_AT_REPLICA = at_any(_AT_WORKER, at_grpc("/ray.serve.ASGIService/HandleRequest"))
_AT_DASHBOARD = at_http("/api/v0/nodes")
_AT_AGENT = at_any(_AT_DASHBOARD, _AT_WORKER, at_grpc("/ray.rpc.ReporterService/HealthCheck"))
# By what a process is, the first that fits. Ray's workers call themselves after what they carry out.
_BY_PROGRAM: tuple[tuple[str, Purpose], ...] = (
    ("omc.adapters.coinspot.exchange", Purpose("the sandbox exchange", _SIGNATURE, at_http("/sandbox/clock"))),
    ("gcs_server", Purpose("Ray: the cluster's state", _RAYS_TOKEN, _AT_STATE)),
    ("raylet", Purpose("Ray: the node's own service", _RAYS_TOKEN, _AT_NODE)),
    ("runtime_env/agent/main.py", Purpose("Ray: the agent of workers' environments", _RAYS_TOKEN, _AT_DASHBOARD)),
    ("ray::RuntimeEnvAgent", Purpose("Ray: the agent of workers' environments", _RAYS_TOKEN, _AT_DASHBOARD)),
    ("dashboard/agent.py", Purpose("Ray: the dashboard's agent", _MEASURES, _AT_AGENT)),
    ("ray::DashboardAgent", Purpose("Ray: the dashboard's agent", _MEASURES, _AT_AGENT)),
    ("dashboard/dashboard.py", Purpose("Ray: the dashboard, or its measures", _MEASURES, _AT_DASHBOARD)),
    ("ray::*ServeReplica*", Purpose("Ray Serve: a replica's calls, or a worker's", _RAYS_TOKEN, _AT_REPLICA)),
    ("ray::*", Purpose("Ray: a worker's calls", _RAYS_TOKEN, _AT_WORKER)),
    ("workers/default_worker.py", Purpose("Ray: a worker's calls", _RAYS_TOKEN, _AT_WORKER)),
    ("haproxy", Purpose("HTTP, in front of the replicas", _BEARER, at_http(_API))),
    ("cluster.boot", Purpose("Ray: the platform's own driver", _RAYS_TOKEN, _AT_WORKER)),
    ("cluster.sweep_job", Purpose("Ray: the driver of sweeps", _RAYS_TOKEN, _AT_WORKER)),
    ("postgres", Purpose("PostgreSQL", "the database's password", at_postgres)),
)


def doors(record: dict[str, Any], pids: Iterable[int]) -> list[Door]:
    """Every port that these processes listen on. `record` is what the running platform wrote down."""
    known = _known(record)
    return [Door(each, known(each)) for each in sorted(listeners(pids), key=lambda one: (one.port, one.address))]


def listeners(pids: Iterable[int]) -> Iterator[Listener]:
    """Every port that these processes listen on, once for each process that holds it."""
    open_now = dict(_listening())
    for pid in pids:
        held = {open_now[inode] for inode in _sockets(pid) if inode in open_now}
        command = _command(pid) if held else ()
        for address, port in held:
            yield Listener(address, port, pid, command)


def _known(record: dict[str, Any]) -> Callable[[Listener], Purpose | None]:
    """Ports that the platform chose itself come first: they are what they were chosen for."""
    url = record.get("url")
    chosen = {
        _port(url): Purpose("HTTP: the platform's API", _BEARER, at_http(_API, tls=str(url).startswith("https"))),
        _port(record.get("dashboard")): Purpose("Ray: dashboard and jobs", _RAYS_TOKEN, _AT_DASHBOARD),
    }

    def purpose_of(heard: Listener) -> Purpose | None:
        program = PurePosixPath(_program(heard.command))
        named = chosen.get(heard.port)
        return named or next((purpose for pattern, purpose in _BY_PROGRAM if program.match(pattern)), None)

    return purpose_of


def _port(url: object) -> int | None:
    return urlsplit(url).port if isinstance(url, str) else None


def _listening() -> Iterator[tuple[str, tuple[str, int]]]:
    """Inode, and the address and port that it listens on."""
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in (_PROC / "net" / table).read_text().splitlines()[1:]:
                words = line.split()
                if words[3] == _LISTENING:
                    yield words[9], local_address(words[1])


def local_address(text: str) -> tuple[str, int]:
    """As the kernel writes it: words of four bytes, each in the machine's own order, and the port."""
    packed, _, port = text.partition(":")
    whole = b"".join(bytes.fromhex(packed[at : at + 8])[::-1] for at in range(0, len(packed), 8))
    address = ipaddress.ip_address(whole)
    # A socket of IPv6 that was given an address of IPv4.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address), int(port, 16)


def _sockets(pid: int) -> set[str]:
    found = set()
    with contextlib.suppress(OSError):
        for descriptor in os.scandir(_PROC / str(pid) / "fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(descriptor.path)  # noqa: PTH115  as it is: it leads nowhere
                if target.startswith("socket:["):
                    found.add(target[8:-1])
    return found


def _command(pid: int) -> tuple[str, ...]:
    try:
        words = (_PROC / str(pid) / "cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ()
    return tuple(words.strip("\0").split("\0"))


def _program(command: tuple[str, ...]) -> str:
    """What a command runs: the module or the script where that is Python's. Its other words say nothing."""
    program, *words = command or ("",)
    if "python" not in PurePosixPath(program).name:
        return program
    for at, word in enumerate(words):
        if word == "-m":
            return "".join(words[at + 1 : at + 2])
        if word == "-c" or not word.startswith("-"):
            return word if word.endswith(".py") else program
    return program


def _near(address: str) -> str:
    """Where this machine itself finds what listens there."""
    heard = ipaddress.ip_address(address)
    return address if not heard.is_unspecified else "127.0.0.1" if heard.version == 4 else "::1"


def _short(command: tuple[str, ...]) -> str:
    """Enough of a command to tell it by."""
    name = _program(command) or "?"
    return "/".join(PurePosixPath(name).parts[-2:]) if name.startswith("/") else name
