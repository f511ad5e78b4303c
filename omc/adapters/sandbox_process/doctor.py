"""Whether this machine can hold people's code: each layer of the second wall by itself, so that none hides another.

`doctor` asks a process of its own, for the answer is got by forking and locking, and who asks may have threads.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import omc
from omc.adapters.sandbox_process import descriptors, landlock, namespaces, privileges, seccomp
from omc.adapters.sandbox_process.attempts import Attempts, attempts, outcome
from omc.adapters.sandbox_process.launch import ENVIRONMENT
from omc.adapters.sandbox_process.limits import Limits
from omc.errors import OmcError, SandboxRefused

_PATIENCE_S = 60.0
_LONGEST = 4096
_ALL = frozenset({"all"})


@dataclass(frozen=True, slots=True)
class Layer:
    """One lock, tried alone."""

    name: str
    works: bool
    why: str
    """A sentence: what it stops here, or why it does not."""
    mandatory: bool


def doctor() -> list[Layer]:
    """Every layer, in the order in which they are set. Where a mandatory one does not work, nobody's code may run."""
    if sys.platform != "linux":
        return [Layer(name, False, f"there is none on {sys.platform}", True) for name in ("landlock", "seccomp")]
    try:
        ran = subprocess.run(
            [sys.executable, "-s", "-m", "omc.adapters.sandbox_process.doctor"],
            cwd=Path(omc.__file__).parents[1],
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            timeout=_PATIENCE_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return [Layer("second wall", False, f"it cannot be examined: {error}", True)]
    return [Layer(**each) for each in json.loads(ran.stdout)]


def refusal(layers: list[Layer]) -> str | None:
    """Why nobody's code may run here, in a sentence; None when it may."""
    missing = [f"{layer.name}: {layer.why}" for layer in layers if layer.mandatory and not layer.works]
    return f"this machine cannot confine people's code ({'; '.join(missing)})" if missing else None


@dataclass(frozen=True, slots=True)
class _Trial:
    set_up: Callable[[], object]
    least: frozenset[str]
    """Of the attempts, those that it must stop to be of use."""
    mandatory: bool = True


def _descriptors() -> None:
    descriptors.close_all_but(())
    descriptors.verify(())


def _privileges() -> None:
    privileges.give_up()
    privileges.verify()


def _limits() -> None:
    # Root may start as many processes as it likes.
    privileges.become_nobody()
    privileges.drop_capabilities()
    Limits().apply()
    Limits().verify()


def _namespaces() -> None:
    if not namespaces.enter():
        raise SandboxRefused("the kernel or a container forbids them; nothing depends on them")


def _landlock() -> None:
    privileges.gain_none()
    landlock.restrict()
    landlock.verify()


def _seccomp() -> None:
    privileges.gain_none()
    seccomp.restrict()
    seccomp.verify()


TRIALS: Mapping[str, _Trial] = {
    "descriptors": _Trial(_descriptors, frozenset()),
    "namespaces": _Trial(_namespaces, frozenset({"speak TCP", "speak UDP"}), mandatory=False),
    "privileges": _Trial(_privileges, frozenset()),
    "limits": _Trial(_limits, frozenset({"start a process"})),
    "landlock": _Trial(_landlock, frozenset({"read a file", "write a file"})),
    "seccomp": _Trial(_seccomp, _ALL),
}


def stopped_by(set_up: Callable[[], object], tried: Attempts) -> frozenset[str]:
    """Which attempts a layer stops by itself. What is stopped without any layer counts as well."""
    return frozenset(name for name, attempt in tried.items() if outcome(set_up, attempt))


def examine(name: str, trial: _Trial, tried: Attempts) -> Layer:
    """To be called in a process with one thread: it forks."""
    reason = _reason(trial.set_up)
    if reason is not None:
        return Layer(name, False, reason, trial.mandatory)
    stopped = stopped_by(trial.set_up, tried)
    missed = (frozenset(tried) if trial.least is _ALL else trial.least) - stopped
    if missed:
        return Layer(
            name, False, f"it is set, but does not stop code that would {_listed(missed, tried)}", trial.mandatory
        )
    why = f"stops code that would {_listed(stopped, tried)}" if stopped else "holds"
    return Layer(name, True, why, trial.mandatory)


def _reason(set_up: Callable[[], object]) -> str | None:
    """Why a layer cannot be set in a process of its own; None when it can."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            set_up()
            code = 0
        except (OmcError, OSError) as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(code)
    os.close(write)
    said = os.read(read, _LONGEST)
    os.close(read)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return said.decode() or (None if status == 0 else f"a process that sets it ends with {status}")


def _listed(names: frozenset[str], tried: Attempts) -> str:
    return ", ".join(name for name in tried if name in names)


def main() -> None:
    with attempts() as tried:
        found = [examine(name, trial, tried) for name, trial in TRIALS.items()]
    os.write(1, json.dumps([asdict(layer) for layer in found]).encode())


if __name__ == "__main__":
    main()
