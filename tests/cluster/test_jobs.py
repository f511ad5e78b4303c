"""Sweeps as Ray jobs, against a dashboard of a few lines."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from uuid import UUID

import pytest

from cluster.jobs import RayJobs
from omc.errors import Unavailable

SWEEP = UUID(int=7)


class Dashboard(BaseHTTPRequestHandler):
    def answer(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"] or 0)) or "null")
        self.server.asked.append((self.path, self.headers["authorization"], body))
        status, said = self.server.answers.pop(0)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(said.encode())

    do_POST = do_GET = do_DELETE = answer  # noqa: N815 - the names that http.server calls

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
def jobs(dashboard, tmp_path):
    (tmp_path / "token").write_text("opensesame\n")
    return RayJobs(f"http://127.0.0.1:{dashboard.server_port}", "127.0.0.1:6379", tmp_path / "token", tmp_path)


async def test_a_sweep_becomes_a_job_of_its_name(jobs, dashboard, tmp_path):
    dashboard.answers += [(200, "{}")]
    await jobs.submit(SWEEP)
    path, authorization, job = dashboard.asked[0]
    assert (path, authorization) == ("/api/jobs/", "Bearer opensesame")
    assert job["submission_id"] == f"sweep-{SWEEP}"
    assert f"-m cluster.sweep_job --home {tmp_path} --ray 127.0.0.1:6379 {SWEEP} ||" in job["entrypoint"]


EXISTS = (500, f"ValueError: Job with submission_id sweep-{SWEEP} already exists.")


async def test_a_job_that_runs_is_left_alone(jobs, dashboard):
    dashboard.answers += [EXISTS, (200, '{"status": "RUNNING"}')]
    await jobs.submit(SWEEP)
    assert dashboard.answers == []


async def test_a_job_that_is_about_to_end_is_waited_for(jobs, dashboard):
    running, failed = (200, '{"status": "RUNNING"}'), (200, '{"status": "FAILED"}')
    dashboard.answers += [EXISTS, running, EXISTS, failed, (200, "true"), (200, "{}")]
    await jobs.submit(SWEEP, patience_s=60.0)
    assert dashboard.answers == []


@pytest.mark.parametrize("status", ["FAILED", "STOPPED", "SUCCEEDED"])
async def test_a_job_that_ended_makes_room_for_another(jobs, dashboard, status):
    dashboard.answers += [EXISTS, (200, json.dumps({"status": status})), (200, "true"), (200, "{}")]
    await jobs.submit(SWEEP)
    assert [path for path, _, _ in dashboard.asked] == [
        "/api/jobs/",
        f"/api/jobs/sweep-{SWEEP}",
        f"/api/jobs/sweep-{SWEEP}",
        "/api/jobs/",
    ]


async def test_a_refusal_is_one_sentence(jobs, dashboard):
    dashboard.answers += [(500, "Traceback\n  ...\nRuntimeError: no")]
    with pytest.raises(Unavailable, match=r"^Ray did not take the job: RuntimeError: no$"):
        await jobs.submit(SWEEP)


async def test_cancelling_what_is_gone_is_no_fault(jobs, dashboard):
    dashboard.answers += [(404, "no such job"), (500, "broken")]
    await jobs.cancel(SWEEP)
    with pytest.raises(Unavailable, match="did not stop"):
        await jobs.cancel(SWEEP)


async def test_a_dashboard_that_is_away_is_one_sentence_without_the_token(tmp_path):
    (tmp_path / "token").write_text("opensesame")
    jobs = RayJobs("http://127.0.0.1:9", "127.0.0.1:6379", tmp_path / "token", tmp_path)
    with pytest.raises(Unavailable, match="does not answer") as caught:
        await jobs.submit(SWEEP)
    assert "opensesame" not in str(caught.value) + repr(jobs)
