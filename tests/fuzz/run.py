"""`make fuzz-api [EXAMPLES=n] [URL=… TOKEN=…]`: schemathesis on the merged document, all checks, signed in and not.

Without an address, on the whole platform in one process: four apps, PostgreSQL, the sandbox exchange, and a superuser
that owns one of everything; each part has one of its own. The exit status is 1 when any check failed. Ctrl-C or a
time-out leaves nothing behind. It takes the options of `part.py`.

Of a platform that runs it may be known who asks by TOKEN, or by EMAIL and PASSWORD, which outlast a quarter of an hour.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.fuzz.part import end_in_order, options_of
from tests.fuzz.target import session
from tests.fuzz.told import Told

# All at once, because whoever asks alone waits most of the time. What follows from an answer is asked across the apps.
_EACH = ("--phases", "examples,coverage,fuzzing", "--paths")
_PARTS = {
    "gateway": (*_EACH, "^/api/v1/(?!lab/|floor/)"),
    "lab": (*_EACH, "^/api/v1/lab/"),
    "floor": (*_EACH, "^/api/v1/floor/"),
    "stateful": ("--phases", "stateful"),
}


@dataclass(frozen=True, slots=True)
class Part:
    what: str
    asks: Sequence[str]
    signed_in: bool
    tokens: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return f"{'signed in' if self.signed_in else 'nobody'}, {self.what}"

    async def run(self, arguments: Sequence[str], folder: Path) -> Told:
        began = time.monotonic()
        noted = folder / f"{self.name}.json"
        command = ["-m", "tests.fuzz.part", *arguments, *self.asks, "--noted", str(noted)]
        outputs = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.STDOUT}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            *([] if self.signed_in else ["--nobody"]),
            env={**os.environ, **self.tokens},
            **outputs,
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.communicate()
        found = json.loads(noted.read_text()) if noted.exists() else {}
        told = Told(process.returncode != 0 or not found, **found)
        _say(f"{self.name}: {'failed' if told.failed else 'passed'} after {time.monotonic() - began:.0f} s")
        sys.stdout.write(f"{output.decode()}\n")
        return told


async def main(arguments: Sequence[str]) -> int:
    options = options_of(arguments)
    began = time.monotonic()
    end_in_order(asyncio.current_task())
    parts = [part async for part in _parts(options)]
    _say(
        f"{options.examples} examples of each operation, "
        + ("signed in and as nobody" if parts[0].signed_in else "as nobody")
    )
    with tempfile.TemporaryDirectory() as folder:
        async with asyncio.TaskGroup() as group:
            tasks = {part.name: group.create_task(part.run(arguments, Path(folder))) for part in parts}
    for signed_in in sorted({part.signed_in for part in parts}, reverse=True):
        told = Told.together([tasks[part.name].result() for part in parts if part.signed_in is signed_in])
        for line in told.lines(signed_in=signed_in):
            _say(line)
    failed = any(task.result().failed for task in tasks.values())
    _say(f"{time.monotonic() - began:.0f} s, {'failures: see above' if failed else 'no failures'}")
    return 1 if failed else 0


async def _parts(options: argparse.Namespace) -> AsyncIterator[Part]:
    """All sessions begin before anything is asked: where many fail to log in, nobody does for a while. One for each
    part, because a refresh token that two show is taken for stolen."""
    email, password = os.environ.get("EMAIL", ""), os.environ.get("PASSWORD", "")
    knows_somebody = not options.url or email or os.environ.get("TOKEN")
    for signed_in in [True, False] if knows_somebody and not options.nobody else [False]:
        for what, asks in {"chosen": ()}.items() if options.phases or options.paths else _PARTS.items():
            tokens = {}
            if signed_in and options.url and email:
                tokens = {"TOKEN": "", "REFRESH_TOKEN": await session(options.url, email, password)}
            yield Part(what, asks, signed_in, tokens)


def _say(line: str) -> None:
    sys.stdout.write(f"fuzz-api: {line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(sys.argv[1:])))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit("fuzz-api: broken off")
    except httpx.HTTPError as fault:
        sys.exit(f"fuzz-api: {fault}")
