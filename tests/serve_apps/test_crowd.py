"""A replica that is full says so at once, and stopping everything always finds room."""

import asyncio
from collections.abc import Callable

import httpx
from fastapi import FastAPI

from serve_apps import door
from serve_apps.door import Rules

Refused = Callable[[httpx.Response, int, str], dict[str, object]]


async def test_whoever_comes_when_it_is_full_is_sent_away_and_probes_and_stops_are_not(refused: Refused):
    app, go_on, inside = FastAPI(), asyncio.Event(), asyncio.Semaphore(0)
    door.install(app, Rules(at_once=3))

    @app.get("/slow")
    async def slow() -> str:
        inside.release()
        await go_on.wait()
        return "done"

    @app.get("/api/v1/health")
    async def health() -> str:
        return "ok"

    @app.post("/api/v1/floor/emergency-stop")
    async def stop() -> str:
        return "stopped"

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://omc") as http:
        waiting = [asyncio.create_task(http.get("/slow")) for _ in range(3)]
        for _ in waiting:
            await inside.acquire()
        refused(await http.get("/slow"), 503, "UNAVAILABLE")
        assert (await http.get("/api/v1/health")).status_code == 200
        assert (await http.post("/api/v1/floor/emergency-stop")).status_code == 200
        go_on.set()
        assert {(await each).status_code for each in waiting} == {200}
        assert (await http.get("/slow")).status_code == 200
