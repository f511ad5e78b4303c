"""Replicas on Ray Serve are replaced under load, behind either front: every request is answered, and none twice."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from cluster import front
from cluster.front import Front
from cluster.front_door import FrontDoors
from cluster.front_layout import Behind, Layout
from cluster.ports import LOOPBACK, free_port
from serve_apps.fronted import Put, nowhere
from tests.crash.waiting import LONG_S

pytestmark = [pytest.mark.ray, pytest.mark.long]

CLIENTS, APP = 6, "replaced"


class Platform(ABC):
    """One app on Serve, at a port. It writes down what it carries out."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.book = folder / "carried-out"
        self.book.touch()

    @abstractmethod
    def start(self) -> None: ...

    def stop(self) -> None:
        from ray import serve

        serve.shutdown()

    def deploy(self) -> None:
        """Also where it is deployed already: by another replica."""
        from ray import serve

        book, put = self.book, self.put

        def built() -> FastAPI:
            app = FastAPI()

            @app.post("/{what}")
            async def carry_out(what: str, seconds: float = 0.005) -> str:
                with book.open("a") as line:
                    line.write(f"{what}\n")
                await asyncio.sleep(seconds)
                return what

            put(app, "")
            return app

        deployed = serve.deployment(name="Replaced", ray_actor_options={"num_cpus": 0.05})
        serve.run(deployed(serve.ingress(built)()).bind(), name=APP, route_prefix="/")

    @property
    def put(self) -> Put:
        return nowhere

    @property
    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=f"http://{LOOPBACK}:{self.port}", timeout=LONG_S, trust_env=False)

    @property
    def carried_out(self) -> list[str]:
        return sorted(self.book.read_text().split())


class BehindHAProxy(Platform):
    def start(self) -> None:
        from ray import serve

        self._behind = (Behind("gateway", ""),)
        layout = Layout(LOOPBACK, self.port, self._behind)
        self._front = Front(front.program() or "", self.folder / "front", self.folder / "front.log", layout)
        self._front.start()
        serve.start(proxy_location="Disabled")
        self.deploy()

    def stop(self) -> None:
        super().stop()
        self._front.stop()

    @property
    def put(self) -> Put:
        return FrontDoors(self._front.folder, self._behind)


class BehindServe(Platform):
    def start(self) -> None:
        from ray import serve

        serve.start(http_options={"host": LOOPBACK, "port": self.port})
        self.deploy()


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(BehindHAProxy, marks=pytest.mark.skipif(front.program() is None, reason="no HAProxy here")),
        BehindServe,
    ],
    ids=["haproxy", "serve"],
)
async def platform(request, ray_cluster, tmp_path_factory) -> AsyncIterator[Platform]:
    it = request.param(tmp_path_factory.mktemp("replacing"))
    await asyncio.to_thread(it.start)
    yield it
    await asyncio.to_thread(it.stop)


async def test_nobody_can_tell_that_a_replica_is_replaced(platform):
    platform.book.write_text("")
    all_replaced = asyncio.Event()

    async def asking(who: int) -> list[str]:
        answered: list[str] = []
        async with platform.client as client:
            while not all_replaced.is_set():
                what = f"{who}-{len(answered)}"
                answer = await client.post(f"/{what}")
                assert (answer.status_code, answer.json()) == (200, what)
                answered.append(what)
        return answered

    clients = [asyncio.create_task(asking(who)) for who in range(CLIENTS)]
    for _ in range(3):
        await asyncio.to_thread(platform.deploy)
    all_replaced.set()
    answered = [what for those in await asyncio.gather(*clients) for what in those]
    assert platform.carried_out == sorted(answered)
    assert len(answered) > 3 * CLIENTS


async def test_what_is_under_way_is_answered_when_its_replica_is_taken_down(platform):
    from ray import serve

    platform.book.write_text("")
    async with platform.client as client, platform.client as late:
        under_way = asyncio.create_task(client.post("/slow", params={"seconds": 4}))
        while "slow" not in platform.carried_out:  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.02)
        await asyncio.to_thread(serve.delete, APP)
        assert under_way.done(), "whoever takes it down waits for it"
        assert under_way.result().json() == "slow"
        waiting = asyncio.create_task(late.post("/late"))
        if isinstance(platform, BehindServe):
            answer = await waiting
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
            assert answer.headers["retry-after"]
            assert platform.carried_out == ["slow"]
        await asyncio.to_thread(platform.deploy)
        if isinstance(platform, BehindHAProxy):
            assert (await waiting).json() == "late", "there is somewhere to wait for the next one"
            assert platform.carried_out == ["late", "slow"]
