"""Code that must be refused and code that must run, each piece in a process of its own.

By the first wall alone: a refusal is InvalidInput, or Python's own word that there is no such name, attribute or
argument. Whatever else happens to an attempt is a failure, and so is a file at the attempt's marker. By the second wall
alone, with every builtin at hand: an attempt may run and come to nothing, but it leaves no file, has read none, and
ends. Honest code runs behind the first, and behind both.
"""

import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

Outcome = tuple[str, str | None]
HARMLESS = {"errstate_call", "str_subscript"}
REFUSALS = {"InvalidInput", "NameError", "AttributeError", "TypeError"}
ROOT = Path(__file__).parents[2]
_TIMEOUT_S, _CPU_S = 60, 10
_SECRET = "root:x:0"
"""Of the file that attempts like to read."""
_BOTH = "from omc.strategy.sandbox import compile_source\ncompile_source({!r}).run()\nx = 'ran'"
_MEMORY_BYTES = 8 * 1024**3


class _Trap:
    """What a pickle would do when it is read."""

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(self.marker),)


def run(content: Mapping[str, Any]) -> list[Outcome]:
    """What each wall does by itself; of the second one nothing where there is none."""
    return first_wall(content) + (second_wall(content) if sys.platform == "linux" else [])


def first_wall(content: Mapping[str, Any]) -> list[Outcome]:
    """Every attempt is refused and leaves nothing; every snippet runs."""
    attempts, snippets = content.get("attempts", ()), content.get("snippets", ())
    with tempfile.TemporaryDirectory() as folder:
        armed = [_armed(at["code"], Path(folder) / str(number)) for number, at in enumerate(attempts)]
        came = list(answers([code for code, _ in armed] + [at["code"] for at in snippets]))
        refused = [
            (f"sandbox refuses {at['id']}", _wrong(answer, marker, at["id"]))
            for at, (_, marker), answer in zip(attempts, armed, came, strict=False)
        ]
    ran = [
        (f"sandbox runs {at['id']}", None if answer == "ran" else answer)
        for at, answer in zip(snippets, came[len(armed) :], strict=True)
    ]
    return refused + ran


def second_wall(content: Mapping[str, Any]) -> list[Outcome]:
    """Every attempt, with nothing else in its way, comes to nothing; every snippet runs behind both walls."""
    sys.path.insert(0, str(ROOT))
    from omc.adapters.sandbox_process.limits import Limits
    from tests.omc.adapters.sandbox_process.probing import Prober

    found: list[Outcome] = []
    limits = Limits(memory_bytes=512 * 1024**2, cpu_s=_CPU_S)
    prober = Prober(before="from omc.strategy.sandbox import warm_up; warm_up()")
    try:
        with tempfile.TemporaryDirectory() as folder:
            # Anybody may write here: only the wall keeps them from it.
            Path(folder).chmod(0o777)
            for number, at in enumerate(content.get("attempts", ())):
                code, marker = _armed(at["code"], Path(folder) / str(number))
                said = prober.outcome(code, limits, _TIMEOUT_S)
                found.append((f"second wall stops {at['id']}", _got_through(said, marker)))
        for at in content.get("snippets", ()):
            said = prober.outcome(_BOTH.format(at["code"]), limits, _TIMEOUT_S)
            found.append((f"both walls run {at['id']}", None if said == "done ran" else said))
    finally:
        prober.close()
    return found


def _got_through(said: str, marker: Path) -> str | None:
    if marker.exists():
        return "left its mark on the file system"
    if _SECRET in said:
        return "read a file"
    return "did not end" if said == "deadline" else None


def _armed(code: str, stem: Path) -> tuple[str, Path]:
    """With real traps in it; and the file that must not appear."""
    marker, array, pickled = (stem.with_suffix(f".{kind}") for kind in ("marker", "npy", "pkl"))
    np.save(array, np.array([_Trap(str(marker))], dtype=object), allow_pickle=True)
    pickled.write_bytes(pickle.dumps(_Trap(str(marker))))
    for name, path in (("{marker}", marker), ("{evil_npy}", array), ("{evil_pkl}", pickled)):
        code = code.replace(name, str(path))
    return code, marker


def _wrong(answer: str, marker: Path, name: str) -> str | None:
    if marker.exists():
        return "left its mark on the file system"
    if answer.split(":")[0] in REFUSALS or (name in HARMLESS and answer == "ran"):
        return None
    return f"not refused: {answer}"


def answers(sources: Sequence[str], *, warm: bool = True) -> Iterator[str]:
    """What came of each: "ran", or the name of the error and what it says. Each runs in a child of a process that, if
    `warm`, has loaded what takes long; that process is no sandbox."""
    if not sources:
        return
    done = subprocess.run(
        [sys.executable, __file__, "warm" if warm else "cold"],
        input=json.dumps(list(sources)),
        capture_output=True,
        text=True,
        check=True,
    )
    yield from json.loads(done.stdout.splitlines()[-1])


def _child(source: str) -> str:
    """Forks, runs, and reads what came of it."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.write(writer, _told(source)[:60_000].encode("utf-8", "replace"))
        os._exit(0)
    os.close(writer)
    told = b""
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return told.decode() if told and status == 0 else f"the process ended with status {status}"


def _told(source: str) -> str:
    import resource
    import signal

    from omc.strategy.sandbox import compile_source

    signal.alarm(_TIMEOUT_S)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    try:
        compile_source(source).run()
    except BaseException as fault:
        return f"{type(fault).__name__}: {fault}"
    return "ran"


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    from omc.strategy.sandbox import warm_up

    if sys.argv[1] == "warm":
        warm_up()
    print(json.dumps([_child(each) for each in json.load(sys.stdin)]))  # noqa: T201
