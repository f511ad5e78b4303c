"""Sweeps as Ray jobs: whatever becomes of one, its end frees all that it held.

One job stands by: a driver that has imported everything, is connected, and takes the oldest sweep that waits, one after
the other. A sweep that it does not take at once, because it is busy, gets a driver of its own, which starts cold.
"""

import asyncio
import secrets
import shlex
import sys
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from omc.backtest.run import RunStatus
from omc.backtest.sweep import SweepStore
from omc.errors import Unavailable

STANDBY = "sweeps-standby"
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_OVER = ("SUCCEEDED", "STOPPED", "FAILED")
# A driver that stands by looks more often than that.
_TAKEN_WITHIN_S, _LOOK_S = 0.6, 0.05
# What a shell says of a program that was told to stop.
_TOLD = 128 + 15


@dataclass(frozen=True, slots=True)
class RayJobs:
    """A SweepRunner over the dashboard's job API. The token stays in its file until it is used.

    A job is told the cluster's own address: what Ray tells it by itself is that of any cluster on the machine.
    """

    dashboard: str
    address: str
    token_file: Path
    home: Path
    sweeps: SweepStore

    async def stand_by(self) -> None:
        """Start the driver that waits for sweeps, and comes back whenever it ends; one that is there already stays."""
        command = self._command(STANDBY)
        again = f"while :; do {command}; [ $? -eq {_TOLD} ] && break; sleep 1; done"
        await self._post(STANDBY, again, "waits for sweeps")

    async def submit(self, sweep_id: UUID) -> None:
        """See that somebody carries out a stored sweep; one that is being carried out goes on."""
        sweep = await self.sweeps.get(sweep_id)
        if sweep.status is RunStatus.RUNNING:
            if sweep.driver is not None and await self._runs(sweep.driver):
                return
            await self.sweeps.reopen(sweep_id, interrupted=True)
        if await self._taken(sweep_id):
            return
        driver = f"sweep-{sweep_id}-{secrets.token_hex(2)}"
        command = self._command(driver)
        # Whatever ends the driver before its time, the sweep's row says so.
        await self._post(driver, f"{command} {sweep_id} || {command} --died", str(sweep_id))

    async def cancel(self, sweep_id: UUID) -> None:
        """Stop the job of a sweep that is over by its row; none is no fault. Drivers watch the row as well."""
        driver = (await self.sweeps.get(sweep_id)).driver
        if driver is None or driver == STANDBY:
            return
        status, said = await self._ask("POST", f"/api/jobs/{driver}/stop", {})
        if status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise Unavailable(f"Ray did not stop the job: {_short(said)}")

    def _command(self, driver: str) -> str:
        where = ["--home", str(self.home), "--ray", self.address]
        return shlex.join([sys.executable, "-m", "cluster.sweep_job", *where, "--driver", driver])

    async def _taken(self, sweep_id: UUID) -> bool:
        """Whether a driver that stood by has taken the sweep."""
        for _ in range(round(_TAKEN_WITHIN_S / _LOOK_S)):
            await asyncio.sleep(_LOOK_S)
            if (await self.sweeps.get(sweep_id)).status is not RunStatus.QUEUED:
                return True
        return False

    async def _runs(self, driver: str) -> bool:
        status, said = await self._ask("GET", f"/api/jobs/{driver}")
        return status == HTTPStatus.OK and not any(f'"{over}"' in said for over in _OVER)

    async def _post(self, name: str, entrypoint: str, sweep: str) -> None:
        job = {"entrypoint": entrypoint, "submission_id": name, "metadata": {"sweep": sweep}}
        status, said = await self._ask("POST", "/api/jobs/", job)
        if status != HTTPStatus.OK and "already exists" not in said:
            raise Unavailable(f"Ray did not take the job: {_short(said)}")

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {self.token_file.read_text().strip()}"}
        try:
            async with httpx.AsyncClient(base_url=self.dashboard, timeout=_TIMEOUT, trust_env=False) as client:
                answer = await client.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as fault:
            raise Unavailable(f"Ray's dashboard does not answer: {type(fault).__name__}") from None
        return answer.status_code, answer.text


def _short(text: str) -> str:
    """The last line of a traceback, or the text itself."""
    lines = text.strip().splitlines()
    return lines[-1][:200] if lines else "it did not say why"
