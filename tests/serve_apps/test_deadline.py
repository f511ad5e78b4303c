"""No request holds its place for ever, and none is undone by it."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from serve_apps import door
from serve_apps.door import Rules
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Line

Refused = Callable[[httpx.Response, int, str], dict[str, object]]


class Thing(Body):
    name: Line


@pytest.fixture
def done() -> asyncio.Event:
    return asyncio.Event()


@pytest.fixture
async def http(done: asyncio.Event) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    door.install(app, Rules(body_s=0.05, answer_s=0.1))

    async def work() -> None:
        await asyncio.sleep(0.3)
        done.set()

    @app.post("/things")
    async def make(thing: Thing) -> str:
        return thing.name

    @app.post("/slow")
    async def slow() -> None:
        await uncut(work())

    @app.post("/api/v1/lab/fit")
    @app.post("/api/v1/floor/forceexit")
    @app.post("/api/v1/floor/emergency-stop")
    async def stop() -> None:
        await uncut(work())

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            for part in range(3):
                yield f"{part}"
                await asyncio.sleep(0.1)

        return StreamingResponse(parts())

    @app.get("/own")
    async def own() -> None:
        raise TimeoutError

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://omc") as client:
        yield client


async def test_a_body_that_comes_drop_by_drop_is_not_waited_for(http: httpx.AsyncClient, refused: Refused):
    async def drops() -> AsyncIterator[bytes]:
        for drop in b'{"name": "a"}':
            yield bytes((drop,))
            await asyncio.sleep(0.02)

    answer = await http.post("/things", content=drops(), headers={"Content-Type": "application/json"})
    assert "did not arrive" in str(refused(answer, 422, "VALIDATION_ERROR")["message"])


async def test_an_answer_that_does_not_come_is_told_of_and_the_work_goes_on(
    http: httpx.AsyncClient, refused: Refused, done: asyncio.Event
):
    refused(await http.post("/slow"), 503, "UNAVAILABLE")
    assert not done.is_set()
    await done.wait()


@pytest.mark.parametrize("path", ["/api/v1/floor/emergency-stop", "/api/v1/floor/forceexit", "/api/v1/lab/fit"])
async def test_what_is_known_to_take_its_time_is_given_it(http: httpx.AsyncClient, done: asyncio.Event, path: str):
    assert (await http.post(path)).status_code == 200
    assert done.is_set()


async def test_an_answer_that_has_begun_may_go_on(http: httpx.AsyncClient):
    assert (await http.get("/stream")).text == "012"


async def test_a_fault_of_our_own_is_not_taken_for_the_deadline(http: httpx.AsyncClient, refused: Refused):
    refused(await http.get("/own"), 500, "INTERNAL")
