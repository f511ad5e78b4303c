"""What is killed, by the number of its process, and how it is seen to be back."""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cluster.processes import descendants
from tests.crash.scene import Scene
from tests.crash.waiting import LONG_S, until
from tests.end_to_end.platforms import Up

_HOLDER = "SELECT split_part(holder, ':', 2)::int FROM leases WHERE name = %s"
_ACTIVE = "SELECT FROM deployed_algorithms WHERE id = %s AND status = 'active'"
Find = Callable[[int, Scene], list[int]]
"""The processes that make up a victim, of the platform whose owner has that number."""


@dataclass(frozen=True, slots=True)
class Victim:
    find: Find
    ends_platform: bool = False
    """Whether the platform goes with it, and is started anew by whoever runs it."""
    says: str = ""
    """What the platform says when it ends by itself; empty when it cannot say anything."""
    wanted: Callable[[Scene], bool] = lambda _: True
    """Whether another is to have its place now. Where an account is stopped nobody trades until it is let go."""

    def kill(self, up: Up, scene: Scene) -> list[int]:
        """Its processes, which are gone by now."""
        pids = until(lambda: self.find(up.process.pid, scene), "a process to kill")
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pids

    def back(self, up: Up, scene: Scene, killed: list[int]) -> None:
        """Return when another has its place, or nobody is to have it for now."""
        until(lambda: set(self.find(up.process.pid, scene)) - set(killed) or not self.wanted(scene), "its successor")

    def ended(self, up: Up) -> None:
        """Return when the platform has ended, as it should."""
        code = up.process.wait(LONG_S)
        if self.says:
            said = [line for line in up.log.read_text().splitlines() if line.startswith("omc: ")]
            assert (code, self.says in "\n".join(said)) == (1, True), f"it ended by {code}, and said {said}"


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def _called(start: str) -> Find:
    return lambda owner, _: [pid for pid in descendants(owner) if _command(pid).startswith(start)]


def _server(owner: int, _: Scene) -> list[int]:
    """The database server, with everything below it."""
    heads = [pid for pid in descendants(owner) if "bin/postgres -D" in _command(pid)]
    return [each for head in heads for each in (head, *descendants(head))]


def _trades(scene: Scene) -> bool:
    return bool(scene.rows.ask(_ACTIVE, scene.deployment_id))


def _raylet(owner: int, _: Scene) -> list[int]:
    return [pid for pid in descendants(owner) if "raylet/raylet --raylet_socket_name" in _command(pid)]


VICTIMS: Mapping[str, Victim] = {
    "trader": Victim(lambda _, scene: [row for (row,) in scene.rows.ask(_HOLDER, scene.trader)], wanted=_trades),
    "risk": Victim(lambda _, scene: [row for (row,) in scene.rows.ask(_HOLDER, "risk:0")]),
    "supervisor": Victim(_called("ray::Supervisor")),
    "collector": Victim(_called("ray::ExchangeCollector")),
    "postgres": Victim(_server),
    "replica": Victim(_called("ray::ServeReplica:floor")),
    "raylet": Victim(_raylet, ends_platform=True, says="raylet ended"),
    "platform": Victim(lambda owner, _: [owner, *descendants(owner)], ends_platform=True),
}
