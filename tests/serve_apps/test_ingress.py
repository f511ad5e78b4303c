"""The three apps on Ray Serve, on one port: behind our own front, and behind Serve's proxy."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from uuid import uuid4

import httpx
import pytest

from actors.handle import CollectorHandle, RiskHandle, SupervisorHandle
from cluster import front
from cluster.front import Front
from cluster.front_door import FrontDoors
from cluster.front_layout import Behind, Layout
from cluster.ports import Ports
from omc.access.password import MemoryPasswordHasher
from omc.access.signer import ACCESS_LIFE, Claims
from omc.access.token import MemoryRefreshStore
from omc.access.usage import MemoryUsageLedger
from omc.access.user import MemoryUserStore
from omc.adapters import parquet
from omc.adapters.arrow import ArrowWriter
from omc.adapters.jwt import JwtSigner
from omc.adapters.key_file import ensure_key
from omc.adapters.system_clock import SystemClock
from omc.backtest.curves import MemoryCurveStore
from omc.backtest.run import MemoryBacktestStore
from omc.backtest.sweep import MemorySweepStore
from omc.ledger.exchange import MemoryPriceArchive
from omc.market.terms import Terms
from omc.promotion.gate import Thresholds
from omc.promotion.trials import MemoryTries
from omc.risk.kill_switch import MemoryKillSwitch
from omc.strategy.algorithm import MemoryAlgorithmStore
from omc.trading.blotter import MemoryBlotter
from omc.trading.deployment import MemoryDeploymentStore
from omc.trading.lease import MemoryLeaseStore
from serve_apps.floor import app as floor_app
from serve_apps.floor import ingress as floor
from serve_apps.floor.ports import FloorPorts
from serve_apps.fronted import nowhere
from serve_apps.gateway import ingress as gateway
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.lab import app as lab_app
from serve_apps.lab import ingress as lab
from serve_apps.lab.ports import LabPorts

pytestmark = pytest.mark.ray


_BEHIND = (Behind("gateway", ""), Behind("lab", "/api/v1/lab"), Behind("floor", "/api/v1/floor"))


@pytest.fixture(scope="module", params=["haproxy", "serve"])
async def http(request, ray_cluster, history, tmp_path_factory) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the platform's port, signed in. The floor's actors are not there."""
    from ray import serve  # takes seconds, and most tests need none of it

    clock, archive = SystemClock(), MemoryPriceArchive()
    await archive.load(history)
    key_file = tmp_path_factory.mktemp("keys") / "token.key"
    ensure_key(key_file)
    signer, algorithms = JwtSigner(key_file), MemoryAlgorithmStore(clock)
    away = CollectorHandle("nobody", patience_s=0.1)
    deployments, leases, kill_switch = MemoryDeploymentStore(clock), MemoryLeaseStore(), MemoryKillSwitch(clock.now())
    gateway_ports = GatewayPorts(
        users=MemoryUserStore(),
        refresh=MemoryRefreshStore(),
        signer=signer,
        hasher=MemoryPasswordHasher(),
        archive=archive,
        hot=away,
        clock=clock,
        arrow=ArrowWriter,
        probes={"database": archive.coverage, "collector:exchange": away.ping},
    )
    lab_ports = LabPorts(
        algorithms=algorithms,
        backtests=MemoryBacktestStore(clock),
        curves=MemoryCurveStore(),
        arrow=ArrowWriter,
        parquet=parquet.encode,
        sweeps=MemorySweepStore(clock),
        tries=MemoryTries(),
        usage=MemoryUsageLedger(),
        runner=None,  # type: ignore[arg-type]  # nothing here sweeps
        archive=archive,
        signer=signer,
        clock=clock,
        terms=Terms(),
        thresholds=Thresholds(),
    )
    floor_ports = FloorPorts(
        algorithms=algorithms,
        deployments=deployments,
        blotter=MemoryBlotter(deployments, leases, kill_switch),
        kill_switch=kill_switch,
        risk=RiskHandle("nobody", patience_s=0.1),
        supervision=SupervisorHandle("nobody", patience_s=0.1),
        archive=archive,
        hot=away,
        signer=signer,
        clock=clock,
        usage=MemoryUsageLedger(),
        terms=Terms(),
    )
    # Held until Serve listens there: Ray opens many sockets meanwhile.
    ports = Ports()
    port = ports.claim(0, "HTTP")
    standing, put = None, nowhere
    if request.param == "haproxy":
        program, folder = front.program(), tmp_path_factory.mktemp("front")
        if program is None:
            pytest.skip("HAProxy does not come with Ray here")
        standing = Front(program, folder / "run", folder / "front.log", Layout("127.0.0.1", port, _BEHIND))
        standing.start()
        put = FrontDoors(standing.folder, _BEHIND)
        serve.start(proxy_location="Disabled")
    else:
        serve.start(http_options={"host": "127.0.0.1", "port": port})

    def nothing() -> None:
        """Nothing is to be prepared."""

    siblings = {
        lab_app.PREFIX: partial(lab_app.build, lab_ports),
        floor_app.PREFIX: partial(floor_app.build, floor_ports),
    }
    serve.run_many(
        [
            serve.RunTarget(gateway.ingress(gateway_ports, siblings, nothing, put), "gateway", "/"),
            serve.RunTarget(lab.ingress(lab_ports, nothing, put), "lab", "/api/v1/lab"),
            serve.RunTarget(floor.ingress(floor_ports, nothing, put), "floor", "/api/v1/floor"),
        ]
    )
    now = clock.now()
    token = signer.sign(Claims(uuid4(), uuid4(), now, now + ACCESS_LIFE))
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=300, trust_env=False
    ) as client:
        yield client
    await asyncio.to_thread(serve.shutdown)
    if standing is not None:
        standing.stop()
    ports.release()


async def test_each_app_answers_under_its_prefix(http):
    assert (await http.get("/api/v1/health")).json()["data"]["status"] == "ok"
    assert (await http.get("/api/v1/lab/templates")).json()["total"] >= 10
    assert (await http.get("/api/v1/floor/deployments")).json()["items"] == []


async def test_every_answer_carries_one_request_id_the_callers_or_a_new_one(http):
    for path in ("/api/v1/health", "/api/v1/lab/nothing", "/api/v1/floor/deployments", "/nowhere"):
        named = await http.get(path, headers={"X-Request-ID": "my-id-1"})
        assert named.headers.get_list("x-request-id") == ["my-id-1"]
        assert len((await http.get(path)).headers.get_list("x-request-id")) == 1


async def test_what_is_not_there_and_what_is_too_large_speak_the_contract(http, refused):
    for path in ("/", "/nowhere", "/api/v1/lab", "/api/v1/lab/nothing", "/api/v1/floor/algorithms/"):
        refused(await http.get(path), 404, "NOT_FOUND")
    body = {"content": b"x" * 2_000_000, "headers": {"Content-Type": "application/json"}}
    refused(await http.post("/api/v1/lab/algorithms", **body), 413, "PAYLOAD_TOO_LARGE")


async def test_a_dependency_that_is_away_is_named(http, refused):
    error = refused(await http.get("/api/v1/ready"), 503, "UNAVAILABLE")
    assert [row["name"] for row in error["details"]["dependencies"] if not row["ready"]] == ["collector:exchange"]


async def test_the_labs_worker_runs_on_its_replica(http):
    body = {"name": "Trend", "algorithm_type": "moving_average_crossover"}
    made = (await http.post("/api/v1/lab/algorithms", json=body)).json()["data"]
    window = {"start_date": "2025-06-09", "end_date": "2025-06-10", "coins": ["BTC"], "initial_cash": "1000"}
    queued = (await http.post(f"/api/v1/lab/algorithms/{made['id']}/backtest", json=window)).json()["data"]
    for _ in range(3_000):
        run = (await http.get(f"/api/v1/lab/backtests/{queued['id']}")).json()["data"]
        if run["status"] not in ("queued", "running"):
            break
        await asyncio.sleep(0.1)
    assert (run["status"], run["error_message"]) == ("completed", None)


async def test_an_emergency_stop_holds_though_no_actor_is_there(http):
    stopped = (await http.post("/api/v1/floor/emergency-stop")).json()["data"]
    assert stopped["halted"] is True
    assert "nobody is away" in stopped["problems"][0]
    assert (await http.get("/api/v1/floor/risk/status")).json()["data"]["halted"] is True


async def test_the_gateways_document_describes_all_of_it(http):
    paths = (await http.get("/api/v1/openapi.json")).json()["paths"]
    assert {"/api/v1/health", "/api/v1/lab/sweeps", "/api/v1/floor/deploy"} <= set(paths)


def replica_of(app: str) -> int:
    """The process of its one replica; 0 while there is none."""
    import ray

    for each in ray.util.list_named_actors(all_namespaces=True):
        if each["name"].startswith(f"SERVE_REPLICA::{app}#"):
            with suppress(ray.exceptions.RayError, ValueError):
                actor = ray.get_actor(each["name"], each["namespace"])
                return ray.get(actor.__ray_call__.remote(lambda _: os.getpid()), timeout=30)
    return 0


async def test_whoever_comes_while_a_replica_is_replaced_is_answered_by_the_next(http):
    victim = await asyncio.to_thread(replica_of, "gateway")
    os.kill(victim, signal.SIGKILL)
    answers = await asyncio.gather(*(http.get("/api/v1/health") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert (await http.get("/api/v1/floor/deployments")).status_code == 200


async def test_headers_that_would_steer_the_proxy_steer_nothing(http):
    steering = {"X-Request-Timeout-Seconds": "0.000001", "X-Request-Disconnect-Disabled": "?1"}
    assert (await http.get("/api/v1/lab/templates", headers=steering)).status_code == 200


async def test_every_answer_tells_browsers_what_not_to_do(http):
    for path in ("/api/v1/health", "/api/v1/lab/nothing", "/api/v1/floor/deployments", "/nowhere"):
        headers = (await http.get(path)).headers
        assert headers.get_list("x-content-type-options") == ["nosniff"]
        assert headers.get_list("x-frame-options") == ["DENY"]
