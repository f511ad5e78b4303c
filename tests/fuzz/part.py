"""A part of the fuzzing: some phases of schemathesis, signed in or as nobody, on a platform of its own or another."""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from tests.fuzz.target import Target, ours

_HERE = Path(__file__).parent
ROOT = _HERE.parents[1]
_SCHEMATHESIS = ROOT / ".venv-fuzz" / "bin" / "schemathesis"


async def main(arguments: Sequence[str] | None = None) -> int:
    options = options_of(arguments)
    end_in_order(asyncio.current_task())
    async with _target(options) as target:
        with tempfile.TemporaryDirectory() as folder:
            told = _told(target, options)
            process = await asyncio.create_subprocess_exec(
                _SCHEMATHESIS, *_command(target, options), env=told, cwd=folder
            )
            try:
                failed = await process.wait() != 0
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
        return 1 if failed | (not options.nobody and await _has_run_out(target)) else 0


def _command(target: Target, options: argparse.Namespace) -> list[str]:
    config = _HERE / ("running.toml" if options.url else "schemathesis.toml")
    command = [
        *("--config-file", str(config), "run", f"{target.url}/api/v1/openapi.json"),
        *("--max-examples", str(options.examples), "--workers", str(options.workers), "--checks", "all"),
        *("--continue-on-failure", "--request-timeout", "120", "--seed", str(options.seed), "--no-color"),
        *("--suppress-health-check", "all", "--generation-database", "none", "--warnings", "off"),
        # How long an answer takes depends on what else the machine does; one that never comes fails all the same.
        *("--max-response-time", "120"),
    ]
    if options.phases:
        command += ["--phases", options.phases]
    if options.paths:
        command += ["--include-path-regex", options.paths]
    return command


def _told(target: Target, options: argparse.Namespace) -> dict[str, str]:
    """The environment of schemathesis, for the hooks."""
    who = {"OMC_FUZZ_ACCESS_TOKEN": target.access_token, "OMC_FUZZ_REFRESH_TOKEN": target.refresh_token}
    return {
        **{name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ},
        **({} if options.nobody else who),
        "SCHEMATHESIS_HOOKS": "hooks",
        "PYTHONPATH": str(_HERE),
        "OMC_FUZZ_NOTED": options.noted,
        "OMC_FUZZ_URL": target.url,
        "OMC_FUZZ_IDS": json.dumps(dict(target.ids)),
        "OMC_FUZZ_DAYS": json.dumps(list(target.days)),
    }


async def _has_run_out(target: Target) -> bool:
    """Whether a token that nothing renews held no longer than a part of the run, of which the rest proves nothing."""
    if not target.access_token:
        return False
    async with httpx.AsyncClient(timeout=60) as http:
        headers = {"Authorization": f"Bearer {target.access_token}"}
        if (await http.get(f"{target.url}/api/v1/users/profile", headers=headers)).status_code != 401:
            return False
    sys.stdout.write(
        "the TOKEN ran out or was revoked before the end: give EMAIL and PASSWORD, or ask for fewer EXAMPLES\n"
    )
    return True


@asynccontextmanager
async def _target(options: argparse.Namespace) -> AsyncIterator[Target]:
    if options.url:
        # From the environment, where no list of processes shows them.
        yield Target(options.url, os.environ.get("TOKEN", ""), os.environ.get("REFRESH_TOKEN", ""))
        return
    async with ours() as target:
        yield target


def end_in_order(task: asyncio.Task[object] | None) -> None:
    """As Ctrl-C does by itself: whoever asks this process to end has everything that it started ended first."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(each, lambda: task and task.cancel())


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--examples", type=int, default=100)
    # CPython counts how deep a syntax tree is for all threads together, and two that parse at once end in "SystemError:
    # AST constructor recursion depth mismatch" (python/cpython#106905). Hypothesis parses to name a lambda.
    options.add_argument("--workers", type=int, default=1)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--phases", default="", help="only these, between commas")
    options.add_argument("--paths", default="", help="only operations whose path matches this expression")
    options.add_argument("--url", type=lambda text: text.rstrip("/"), default="", help="a running platform")
    options.add_argument("--nobody", action="store_true", help="nobody is signed in")
    options.add_argument("--noted", default=os.devnull, help="where the answers are counted")
    return options.parse_args(arguments)


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main()))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit("fuzz-api: broken off")
