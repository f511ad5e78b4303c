"""Programs that run here rather than in the platform: they are found beside this package and replace this process."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from omc.cli.outcome import Failure


def root() -> Path:
    """The project's folder: the wheel holds `omc` alone, the platform around it is the application."""
    for folder in (Path(__file__).resolve().parents[2], Path.cwd()):
        if (folder / "cluster" / "boot.py").exists():
            return folder
    raise Failure("the platform's own folder is not here: run this from the project's folder")


def command(module: str, arguments: list[str]) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def environment() -> dict[str, str]:
    found = [str(root()), os.environ.get("PYTHONPATH")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, found)), "PYTHONUNBUFFERED": "1"}


def become(module: str, arguments: list[str]) -> NoReturn:
    """Run `python -m module` in place of this process, so that signals reach it and nobody waits in between."""
    os.execve(sys.executable, command(module, arguments), environment())  # noqa: S606 - our own program
