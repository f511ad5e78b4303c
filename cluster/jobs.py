"""Sweeps as Ray jobs: whatever becomes of one, its end frees all that it held."""

import asyncio
import shlex
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from omc.errors import Unavailable

_LOOK_AGAIN_S = 0.2
_OVER = ("SUCCEEDED", "STOPPED", "FAILED")
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)


@dataclass(frozen=True, slots=True)
class RayJobs:
    """A SweepRunner over the dashboard's job API. The token stays in its file until it is used.

    A job is told the cluster's own address: what Ray tells it by itself is that of any cluster on the machine.
    """

    dashboard: str
    address: str
    token_file: Path
    home: Path

    async def submit(self, sweep_id: UUID, patience_s: float = 0.0) -> None:
        """Start a job for a stored sweep; one that runs already goes on, one that ended makes room for it."""
        words = [sys.executable, "-m", "cluster.sweep_job", "--home", str(self.home), "--ray", self.address]
        command = shlex.join([*words, str(sweep_id)])
        job = {
            # Whatever ends the driver before its time, the sweep's row says so.
            "entrypoint": f"{command} || {command} --died",
            "submission_id": _name(sweep_id),
            "metadata": {"sweep": str(sweep_id)},
        }
        deadline = time.monotonic() + patience_s
        while True:
            status, said = await self._ask("POST", "/api/jobs/", job)
            if status == HTTPStatus.OK:
                return
            if "already exists" not in said:
                raise Unavailable(f"Ray did not take the job: {_short(said)}")
            _, former = await self._ask("GET", f"/api/jobs/{_name(sweep_id)}")
            if any(f'"{over}"' in former for over in _OVER):
                gone, said = await self._ask("DELETE", f"/api/jobs/{_name(sweep_id)}")
                if gone != HTTPStatus.OK:
                    raise Unavailable(f"Ray does not forget the former job: {_short(said)}")
            elif time.monotonic() >= deadline:
                return
            else:
                await asyncio.sleep(_LOOK_AGAIN_S)

    async def cancel(self, sweep_id: UUID) -> None:
        """Stop the job of a sweep; none is no fault."""
        status, said = await self._ask("POST", f"/api/jobs/{_name(sweep_id)}/stop", {})
        if status not in (HTTPStatus.OK, HTTPStatus.NOT_FOUND):
            raise Unavailable(f"Ray did not stop the job: {_short(said)}")

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, str]:
        headers = {"Authorization": f"Bearer {self.token_file.read_text().strip()}"}
        try:
            async with httpx.AsyncClient(base_url=self.dashboard, timeout=_TIMEOUT, trust_env=False) as client:
                answer = await client.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as fault:
            raise Unavailable(f"Ray's dashboard does not answer: {type(fault).__name__}") from None
        return answer.status_code, answer.text


def _name(sweep_id: UUID) -> str:
    return f"sweep-{sweep_id}"


def _short(text: str) -> str:
    """The last line of a traceback, or the text itself."""
    lines = text.strip().splitlines()
    return lines[-1][:200] if lines else "it did not say why"
