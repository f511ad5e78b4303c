"""Sweeps as Ray jobs, against a dashboard of a few lines."""

import asyncio
import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID

import pytest

from cluster.jobs import STANDBY, RayJobs
from omc.backtest.sweep import MemorySweepStore
from omc.clock import ManualClock
from omc.errors import Unavailable
from tests.omc.backtest.test_search_space import START, sweep

SWEEP = UUID(int=1)


class Dashboard(BaseHTTPRequestHandler):
    def answer(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"] or 0)) or "null")
        self.server.asked.append((self.path, self.headers["authorization"], body))
        status, said = self.server.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(said.encode())

    do_POST = do_GET = answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def dashboard():
    server = HTTPServer(("127.0.0.1", 0), Dashboard)
    server.asked, server.answers = [], []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
async def sweeps():
    store = MemorySweepStore(ManualClock(START))
    await store.create(sweep({"fast_bars": [3]}))
    return store


@pytest.fixture
def jobs(dashboard, sweeps, tmp_path):
    (tmp_path / "token").write_text("opensesame\n")
    address = f"http://127.0.0.1:{dashboard.server_port}"
    return RayJobs(address, "127.0.0.1:6379", tmp_path / "token", tmp_path, sweeps)


async def test_one_driver_stands_by_and_comes_back_unless_it_is_told_to_stop(jobs, dashboard, tmp_path):
    dashboard.answers += [(200, "{}"), (500, "ValueError: Job with submission_id sweeps-standby already exists.")]
    for _ in range(2):
        await jobs.stand_by()
    path, authorization, job = dashboard.asked[0]
    assert (path, authorization) == ("/api/jobs/", "Bearer opensesame")
    assert job["submission_id"] == STANDBY
    command = f"-m cluster.sweep_job --home {tmp_path} --ray 127.0.0.1:6379 --driver {STANDBY}; [ $? -eq 143 ] && break"
    assert command in job["entrypoint"]


async def test_a_sweep_that_the_waiting_driver_takes_needs_no_other(jobs, sweeps, dashboard):
    asked = asyncio.create_task(jobs.submit(SWEEP))
    await asyncio.sleep(0.01)
    await sweeps.claim(STANDBY)
    await asked
    assert dashboard.asked == []


async def test_a_sweep_that_nobody_takes_gets_a_driver_of_its_own(jobs, dashboard):
    dashboard.answers += [(200, "{}")]
    await jobs.submit(SWEEP)
    ((_, _, job),) = dashboard.asked
    driver = job["submission_id"]
    assert driver.startswith(f"sweep-{SWEEP}-")
    assert f"--driver {driver} {SWEEP} ||" in job["entrypoint"]
    assert job["entrypoint"].endswith(f"--driver {driver} --died")


@pytest.mark.parametrize(
    ("status", "said", "asks"),
    [(200, "RUNNING", 1), (200, "FAILED", 2), (404, "no such job", 2)],
    ids=["it runs", "it ended", "it is gone"],
)
async def test_a_running_sweep_is_left_alone_only_while_its_driver_lives(jobs, sweeps, dashboard, status, said, asks):
    await sweeps.claim("sweep-driver")
    dashboard.answers += [(status, json.dumps({"status": said})), (200, "{}")]
    await jobs.submit(SWEEP)
    assert len(dashboard.asked) == asks
    assert dashboard.asked[0][0] == "/api/jobs/sweep-driver"


async def test_a_refusal_is_one_sentence(jobs, dashboard):
    dashboard.answers += [(500, "Traceback\n  ...\nRuntimeError: no")]
    with pytest.raises(Unavailable, match=r"^Ray did not take the job: RuntimeError: no$"):
        await jobs.submit(SWEEP)


async def test_cancelling_stops_a_driver_of_its_own_and_no_other(jobs, sweeps, dashboard):
    await jobs.cancel(SWEEP)
    await sweeps.claim("sweep-driver")
    dashboard.answers += [(404, "no such job"), (500, "broken")]
    await jobs.cancel(SWEEP)
    with pytest.raises(Unavailable, match="did not stop"):
        await jobs.cancel(SWEEP)
    await sweeps.reopen(SWEEP, interrupted=True)
    await sweeps.claim(STANDBY)
    await jobs.cancel(SWEEP)
    assert [path for path, _, _ in dashboard.asked] == ["/api/jobs/sweep-driver/stop"] * 2


async def test_a_dashboard_that_is_away_is_one_sentence_without_the_token(jobs, tmp_path):
    away = replace(jobs, dashboard="http://127.0.0.1:9")
    with pytest.raises(Unavailable, match="does not answer") as caught:
        await away.submit(SWEEP)
    assert "opensesame" not in str(caught.value) + repr(away)
