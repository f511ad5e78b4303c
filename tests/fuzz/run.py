"""`make fuzz-api [EXAMPLES=n] [URL=… TOKEN=…]`: schemathesis on the merged document, all checks, signed in and not.

Without an address, on the whole platform in this process: four apps, PostgreSQL, the sandbox exchange, and an account
that owns one of everything. The exit status is 1 when any check failed. Ctrl-C or a time-out leaves nothing behind.
"""

import argparse
import asyncio
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import httpx  # noqa: E402
import uvicorn  # noqa: E402

from cluster.ports import LOOPBACK  # noqa: E402
from omc.adapters.postgres.database import Database  # noqa: E402
from omc.adapters.postgres.migrate import migrate  # noqa: E402
from omc.adapters.postgres.server import EmbeddedPostgres  # noqa: E402
from tests.serve_apps.belongings import WINDOW, Belongings, account  # noqa: E402
from tests.serve_apps.one_process import one_process  # noqa: E402

_HERE = Path(__file__).parent
_SCHEMATHESIS = ROOT / ".venv-fuzz" / "bin" / "schemathesis"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the platform is, and what is known of it."""

    url: str
    token: str | None
    ids: Mapping[str, str] = field(default_factory=dict)
    days: Sequence[str] = ()


async def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    began = time.monotonic()
    _end_in_order(asyncio.current_task())
    async with _target(options) as target:
        document = await _document(target.url)
        count = sum(len(verbs) for verbs in document["paths"].values())
        failed = 0
        for who in ("signed in", "nobody"):
            if who == "signed in" and target.token is None:
                _say("no TOKEN: nobody is signed in")
                continue
            _say(f"{who}: {count} operations, {options.examples} examples each")
            failed += await _run(target, options, signed_in=who == "signed in") != 0
    _say(f"{count} operations, {time.monotonic() - began:.0f} s, {'failures: see above' if failed else 'no failures'}")
    return 1 if failed else 0


async def _run(target: Target, options: argparse.Namespace, *, signed_in: bool) -> int:
    command = [
        *("--config-file", str(_HERE / "schemathesis.toml"), "run", f"{target.url}/api/v1/openapi.json"),
        *("--max-examples", str(options.examples), "--workers", str(options.workers), "--checks", "all"),
        *("--continue-on-failure", "--request-timeout", "120", "--seed", str(options.seed), "--no-color"),
        *("--suppress-health-check", "all", "--generation-database", "none", "--warnings", "off"),
        # How long an answer takes depends on what else the machine does; one that never comes fails all the same.
        *("--max-response-time", "120"),
    ]
    if signed_in:
        command += ["--header", f"Authorization: Bearer {target.token}"]
    if options.phases:
        command += ["--phases", options.phases]
    for tag in options.tag:
        command += ["--include-tag", tag]
    told = {
        **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(_HERE),
        "OMC_FUZZ_IDS": json.dumps(dict(target.ids)),
        "OMC_FUZZ_DAYS": json.dumps(list(target.days)),
    }
    with tempfile.TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(_SCHEMATHESIS, *command, env=told, cwd=folder)
        try:
            return await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


@asynccontextmanager
async def _target(options: argparse.Namespace) -> AsyncIterator[Target]:
    if options.url:
        yield Target(options.url.rstrip("/"), options.token or None)
        return
    home = Path(tempfile.mkdtemp(prefix="omc-"))
    try:
        with EmbeddedPostgres(home) as server:
            migrate(Database(server.dsn_file))
            async with one_process(home / "home", server.dsn_file) as platform:
                # Bound here, so that whoever comes before it listens waits.
                bound = socket.create_server((LOOPBACK, 0))
                config = uvicorn.Config(
                    platform.app, log_level="critical", lifespan="off", timeout_graceful_shutdown=10
                )
                serving = uvicorn.Server(config)
                running = asyncio.create_task(serving._serve(sockets=[bound]))
                url = f"http://{LOOPBACK}:{bound.getsockname()[1]}"
                try:
                    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
                        owner = Belongings(platform, await account(http, "owner@example.com"))
                        await owner.make()
                    days = [str(WINDOW["start_date"]), str(WINDOW["end_date"])]
                    yield Target(url, owner.owner.token, owner.ids, days)
                finally:
                    serving.should_exit = True
                    await running
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _document(url: str) -> dict[str, dict[str, dict[str, object]]]:
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.get(f"{url}/api/v1/openapi.json")
        document: dict[str, dict[str, dict[str, object]]] = answer.raise_for_status().json()
        return document


def _end_in_order(task: asyncio.Task[object] | None) -> None:
    """As Ctrl-C does by itself: whoever asks this process to end has everything that it started ended first."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(each, lambda: task and task.cancel())


def _say(line: str) -> None:
    sys.stdout.write(f"fuzz-api: {line}\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--examples", type=int, default=100)
    # CPython counts how deep a syntax tree is for all threads together, and two that parse at once end in "SystemError:
    # AST constructor recursion depth mismatch" (python/cpython#106905). Hypothesis parses to name a lambda.
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--phases", default="")
    options.add_argument("--tag", action="append", default=[], help="only operations with this tag")
    options.add_argument("--url", default="", help="a running platform")
    options.add_argument("--token", default="", help="an access token of it")
    return options


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit("fuzz-api: broken off")
