"""What Serve's proxy is given to stand next to its sockets."""

from functools import partial

import httpx
import pytest
from ray._common.utils import import_attr
from starlette.responses import JSONResponse, PlainTextResponse

from cluster.proxy_door import CALLBACK, SOCKETS, PlainDoor, guards, keep_frames_small
from serve_apps.gateway.streams.outbox import BoundedSockets


def test_serve_finds_the_guards_by_their_name():
    (path,) = CALLBACK.values()
    assert import_attr(path) is guards


def test_every_server_of_the_process_keeps_frames_small():
    from ray.serve._private import http_util

    original = http_util.uvicorn.Config
    try:
        middleware, door = guards()
        keep_frames_small()
        assert (middleware.cls, door.cls) == (BoundedSockets, PlainDoor)
        config = http_util.uvicorn.Config(lambda: None)
        assert isinstance(http_util.uvicorn.Config, partial)
        assert {name: getattr(config, name) for name in SOCKETS} == SOCKETS
        assert not config.proxy_headers
        # Pings are to come every half minute at least.
        assert config.ws_ping_interval <= 30
    finally:
        http_util.uvicorn.Config = original


async def answered(app, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(PlainDoor(app)), base_url="http://omc") as client:
        return await client.get("/", headers=headers)


async def test_what_would_steer_the_proxy_does_not_reach_it():
    seen = []

    async def proxy(scope, receive, send) -> None:
        seen.extend(name for name, _ in scope["headers"])
        await JSONResponse({})(scope, receive, send)

    await answered(proxy, **{"X-Request-Timeout-Seconds": "-1", "X-Request-Disconnect-Disabled": "?1", "X-Other": "1"})
    assert b"x-other" in seen
    assert not any(b"timeout" in name or b"disconnect" in name for name in seen)


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [(404, 503, "UNAVAILABLE"), (503, 503, "UNAVAILABLE"), (408, 503, "UNAVAILABLE"), (500, 500, "INTERNAL")],
)
async def test_what_the_proxy_refuses_is_said_in_the_contracts_words(said: int, status: int, code: str):
    answer = await answered(PlainTextResponse("Internal: secret path /home", said))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert "secret" not in answer.text


async def test_answers_of_our_own_pass_as_they_are():
    assert (await answered(JSONResponse({"status": "error"}, 409))).json() == {"status": "error"}
    assert (await answered(PlainTextResponse("a table"))).text == "a table"
