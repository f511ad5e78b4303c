"""A platform's HTTP as a platform has it, on the floor's ground, with somebody who is logged in and has traded."""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bench.flooring.ground import Ground, ground, until

ROOT = Path(__file__).resolve().parents[2]
_TRADES, _TRADED_S, _READY_S = 100, 600.0, 300.0


@dataclass(frozen=True)
class Web:
    wired: Any
    ours: str
    plain: str
    user_id: UUID

    def token(self, life: timedelta = timedelta(minutes=15)) -> str:
        """A new one: they last a quarter of an hour."""
        from omc.access.signer import Claims

        now = self.wired.clock.now()
        return str(self.wired.signer.sign(Claims(self.user_id, uuid4(), now, now + life)))


@contextmanager
def web() -> Iterator[Web]:
    """The floor stands still while HTTP is measured."""
    import asyncio

    with ground(lockstep=True) as it:
        from cluster.ports import Ports
        from omc.adapters.key_file import ensure_key

        ports = Ports()
        # Its exchange listens already.
        chosen = it.wired.chosen.model_copy(update={"port": ports.claim(0, "HTTP")})
        wired = it.wired = replace(it.wired, chosen=chosen)
        ensure_key(wired.home.jwt_key)
        ensure_key(wired.home.vault_key)
        user_id = asyncio.run(_traded(it))
        with _front(wired), _plain(wired) as plain:
            try:
                yield Web(wired, wired.url, plain, user_id)
            finally:
                ports.release()


async def _traded(it: Ground) -> UUID:
    from actors.handle import CollectorHandle

    (deployed, *_) = await it.deploy(1)
    await until(lambda: _has(it, deployed.user_id), f"{_TRADES} trades", _TRADED_S)
    await CollectorHandle().pause()
    await it.wired.database.close()
    return UUID(str(deployed.user_id))


async def _has(it: Ground, owner: UUID) -> bool:
    return (await it.orders(owner)).get("filled", 0) >= _TRADES


@contextmanager
def _front(wired: Any) -> Iterator[None]:
    import ray

    from cluster.serving import Serving

    front = wired.front
    if front is not None:
        front.start()
    # Nobody is asked to sweep.
    serving = Serving(wired, "http://127.0.0.1:1", ray.get_runtime_context().gcs_address)
    try:
        serving.start()
        for path in ("/api/v1/health", "/api/v1/floor/orders", "/api/v1/lab/templates"):
            _answers(wired.url + path)
        yield
    finally:
        serving.stop()
        if front is not None:
            front.stop()


@contextmanager
def _plain(wired: Any) -> Iterator[str]:
    import ray

    command = [sys.executable, "-m", "bench.web.plain", str(wired.home.folder), ray.get_runtime_context().gcs_address]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = f"http://127.0.0.1:{int(process.stdout.readline())}"
            _answers(f"{address}/api/v1/health")
            yield address
        finally:
            process.terminate()


def _answers(url: str) -> None:
    deadline = time.monotonic() + _READY_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10):
                return
        except urllib.error.HTTPError as answer:
            if answer.code == 401:
                return
        except OSError:
            pass
        if time.monotonic() > deadline:
            raise SystemExit(f"{url} does not answer")
        time.sleep(0.2)
