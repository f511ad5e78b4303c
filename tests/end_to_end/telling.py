"""What Ray's own commands tell of a platform, asked as whoever runs it asks: at its own addresses, with its token."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.end_to_end.platforms import ROOT

LISTS = ("actors", "tasks", "workers", "jobs")
SUMMARIES = ("actors", "tasks", "objects")
# A file as a whole.
_ALL = ("--tail", "-1", "--encoding-errors", "replace")


def ray(home: Path, *words: str, token: Path | None = None) -> "subprocess.CompletedProcess[bytes]":
    """The command, as an operator has it run."""
    record = json.loads((home / "run" / "platform.json").read_text())
    shown = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token or home / "keys" / "ray.token")}
    # Without it the command looks for this machine's other address.
    shown["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    address = record["ray" if words[0] == "logs" else "dashboard"]
    return subprocess.run(
        [ROOT / ".venv/bin/ray", *words, "--address", str(address)],
        env={**os.environ, **shown},
        capture_output=True,
        timeout=600,
        check=False,
    )


def told(home: Path) -> Iterator[tuple[str, bytes]]:
    """What is asked, and everything that is said: of actors, tasks, workers and jobs, and of the logs of whatever
    carries out our own code."""
    asked = [("list", what, "--detail", "--limit", "1000") for what in LISTS]
    asked += [("summary", what) for what in SUMMARIES]
    asked += [("logs", "cluster", name, *_ALL) for name in written(home)]
    for words in asked:
        said = ray(home, *words)
        assert said.returncode == 0, (words, said.stderr[-2_000:])
        yield " ".join(words), said.stdout + said.stderr


def written(home: Path) -> list[str]:
    """The logs that our own code writes into, as `ray logs` names them: those of workers, actors and replicas."""
    session = Path(json.loads((home / "run" / "platform.json").read_text())["session"])
    (logs,) = session.glob("*/session_2*/logs")
    files = [*logs.glob("worker-*"), *logs.glob("serve/*")]
    names = sorted(str(path.relative_to(logs)) for path in files if path.is_file() and path.stat().st_size)
    assert names, "nobody has written anything"
    return names
