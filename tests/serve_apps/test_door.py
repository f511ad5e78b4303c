"""What every request meets, whatever it asks for."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator, Callable
from typing import Annotated
from urllib.parse import unquote

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import Field
from starlette.types import Message

from omc import errors
from serve_apps import door, openapi
from serve_apps.door import Rules
from serve_apps.envelope import Success
from serve_apps.problem import Detailed
from serve_apps.wire import Body, Finite, Line

Refused = Callable[[httpx.Response, int, str], dict[str, object]]


class Thing(Body):
    name: Line
    size: Annotated[Finite, Field(ge=0)] = 0.0


TIGHT = Rules(body_cap_bytes=1_000)


def app_with(rules: Rules = TIGHT) -> FastAPI:
    app = FastAPI(redirect_slashes=False, responses=openapi.FAILURES)
    door.install(app, rules)

    @app.post("/things")
    async def make(thing: Thing) -> Success[Thing]:
        return Success(data=thing)

    @app.get("/headers")
    async def headers(request: Request) -> dict[str, str]:
        return dict(request.headers)

    @app.get("/faults/{name}")
    async def fault(name: str) -> None:
        kind = getattr(errors, name, RuntimeError)
        raise kind("the secret is 1234" if kind in (RuntimeError, errors.OmcError) else "a plain sentence")

    @app.get("/detailed")
    async def detailed() -> None:
        raise Detailed(errors.GateNotPassed("not yet"), {"gates": [{"name": "trades", "figure": 1}]})

    return app


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app_with()), base_url="http://omc") as client:
        yield client


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("InvalidInput", 422, "VALIDATION_ERROR"),
        ("Unauthenticated", 401, "UNAUTHENTICATED"),
        ("Forbidden", 403, "FORBIDDEN"),
        ("NotFound", 404, "NOT_FOUND"),
        ("Conflict", 409, "CONFLICT"),
        ("IllegalTransition", 409, "CONFLICT"),
        ("StaleLease", 409, "CONFLICT"),
        ("GateNotPassed", 409, "GATE_NOT_PASSED"),
        ("Halted", 409, "HALTED"),
        ("VenueRefused", 502, "EXCHANGE_ERROR"),
        ("OutcomeUnknown", 502, "EXCHANGE_ERROR"),
        ("Unavailable", 503, "UNAVAILABLE"),
        ("RateLimited", 429, "RATE_LIMITED"),
        ("PayloadTooLarge", 413, "PAYLOAD_TOO_LARGE"),
    ],
)
async def test_every_fault_has_its_code(http: httpx.AsyncClient, refused: Refused, name: str, status: int, code: str):
    assert refused(await http.get(f"/faults/{name}"), status, code)["message"] == "a plain sentence"


def test_no_fault_is_forgotten_by_the_table():
    from serve_apps.problem import _ANSWERS

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.OmcError)]
    assert all(any(parent in _ANSWERS for parent in kind.__mro__) for kind in kinds)


@pytest.mark.parametrize("name", ["RuntimeError", "OmcError"])
async def test_a_fault_that_nobody_foresaw_keeps_its_words_to_itself(
    http: httpx.AsyncClient, refused: Refused, caplog: pytest.LogCaptureFixture, name: str
):
    with caplog.at_level(logging.ERROR, "omc.http"):
        answer = await http.get(f"/faults/{name}", headers={"X-Request-ID": "look-me-up"})
    refused(answer, 500, "INTERNAL")
    assert "1234" not in answer.text
    assert "look-me-up" in caplog.text


async def test_details_come_with_the_fault_that_they_detail(http: httpx.AsyncClient, refused: Refused):
    error = refused(await http.get("/detailed"), 409, "GATE_NOT_PASSED")
    assert error["details"] == {"gates": [{"name": "trades", "figure": 1}]}


@pytest.mark.parametrize("path", ["/", "/nowhere", "/things/", "/%00", "/../etc/passwd", "/things//"])
async def test_an_unknown_path_is_not_found(http: httpx.AsyncClient, refused: Refused, path: str):
    refused(await http.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize(
    "path",
    [
        b"//things",
        b"/things/../headers",
        b"/%2e%2e/headers",
        b"/headers/%2e",
        b"/headers;x=1",
        b"/head%2Fers",
        b"/headers%00",
        b"/headers%0d%0aX-Evil:%201",
        b"/%ff%fe",
        b"/headers%20",
        b"/" + b"a" * 4_000,
    ],
)
async def test_a_path_that_plays_tricks_is_not_found(refused: Refused, path: bytes):
    """As a server hands it on: decoded once, and not tidied up."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    decoded = unquote(path.decode("ascii"))
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": decoded,
        "raw_path": path,
        "root_path": "",
        "query_string": b"",
        "headers": [],
        "client": ("203.0.113.9", 5),
        "server": ("omc", 80),
    }
    await app_with()(scope, receive, send)
    head, *parts = sent
    body = b"".join(part.get("body", b"") for part in parts)
    answer = httpx.Response(head["status"], headers=head["headers"], content=body)
    refused(answer, 404, "NOT_FOUND")
    assert not any(b"evil" in name.lower() for name, _ in head["headers"])


async def test_what_is_packed_is_not_unpacked(http: httpx.AsyncClient, refused: Refused):
    packed = gzip.compress(b'{"name": "' + b"a" * 100_000 + b'"}')
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    refused(await http.post("/things", content=packed, headers=headers), 422, "VALIDATION_ERROR")


async def test_json_that_is_deep_is_refused(refused: Refused):
    transport = httpx.ASGITransport(app_with(Rules(body_cap_bytes=1_000_000)))
    async with httpx.AsyncClient(transport=transport, base_url="http://omc") as client:
        for deep in (b"[" * 100_000, b'{"name":' * 60_000, b'{"name": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"):
            answer = await client.post("/things", content=deep, headers={"Content-Type": "application/json"})
            refused(answer, 422, "VALIDATION_ERROR")


async def test_a_number_that_is_huge_is_refused(refused: Refused):
    transport = httpx.ASGITransport(app_with(Rules(body_cap_bytes=1_000_000)))
    async with httpx.AsyncClient(transport=transport, base_url="http://omc") as client:
        for number in (b"9" * 10_000, b"1e999999999", b"-1e999999999", b"0." + b"1" * 100_000 + b"e400"):
            body = b'{"name": "a", "size": ' + number + b"}"
            answer = await client.post("/things", content=body, headers={"Content-Type": "application/json"})
            refused(answer, 422, "VALIDATION_ERROR")


async def test_headers_that_come_twice_are_no_fault_of_ours(http: httpx.AsyncClient):
    twice = [("Authorization", "Bearer a"), ("Authorization", "Bearer b"), ("X-Request-ID", "a"), ("X-Request-ID", "b")]
    assert (await http.get("/headers", headers=twice)).status_code == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_a_wrong_method_is_refused_and_the_right_one_named(
    http: httpx.AsyncClient, refused: Refused, method: str
):
    answer = await http.request(method, "/things")
    refused(answer, 405, "NOT_FOUND")
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"name": 5}',
        b'{"name": "a", "size": NaN}',
        b'{"name": "a", "size": Infinity}',
        b'{"name": "a", "size": "1"}',
        b'{"name": "a", "size": 1e400}',
        b'{"name": "a", "size": -1}',
        b'{"name": "a", "sise": 1}',
        b'{"name": "a", "\\ud800": 1}',
        b'{"name": "\\ud800"}',
        b'{"name": "a\\u0000b"}',
        b'{"name": "   "}',
        b'{"name": "\xff"}',
        b'{"name": "a", "size": ' + b"9" * 600 + b"}",
        b"[" * 900,
    ],
    ids=lambda body: repr(body[:32]),
)
async def test_a_body_that_makes_no_sense_is_refused(http: httpx.AsyncClient, refused: Refused, body: bytes):
    answer = await http.post("/things", content=body, headers={"Content-Type": "application/json"})
    refused(answer, 422, "VALIDATION_ERROR")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "nonsense", ""])
async def test_a_body_of_another_kind_is_refused(http: httpx.AsyncClient, refused: Refused, kind: str):
    answer = await http.post("/things", content=b'{"name": "a"}', headers={"Content-Type": kind})
    refused(answer, 422, "VALIDATION_ERROR")


async def test_a_refusal_names_the_field_and_does_not_repeat_what_was_sent(http: httpx.AsyncClient, refused: Refused):
    answer = await http.post("/things", json={"name": "a", "size": "hunter2-hunter2"})
    error = refused(answer, 422, "VALIDATION_ERROR")
    assert "body.size" in str(error["message"])
    assert "hunter2" not in answer.text


async def test_a_body_that_is_no_object_or_no_json_is_called_so(http: httpx.AsyncClient, refused: Refused):
    error = refused(await http.post("/things", content=b'"x"'), 422, "VALIDATION_ERROR")
    assert error["message"] == "body: must be a JSON object, sent as application/json"
    broken = await http.post("/things", content=b'{"name": ', headers={"Content-Type": "application/json"})
    assert refused(broken, 422, "VALIDATION_ERROR")["message"] == "body: cannot be read as JSON"


async def test_a_body_too_large_is_refused_before_it_is_read(http: httpx.AsyncClient, refused: Refused):
    refused(await http.post("/things", content=b"x" * 1_001), 413, "PAYLOAD_TOO_LARGE")


async def test_a_body_too_large_is_refused_though_its_length_was_not_announced(
    http: httpx.AsyncClient, refused: Refused
):
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100

    answer = await http.post("/things", content=chunks(), headers={"Content-Type": "application/json"})
    refused(answer, 413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("length", ["-5", "many", "9" * 30])
async def test_a_length_that_is_none_is_refused(http: httpx.AsyncClient, refused: Refused, length: str):
    answer = await http.post("/things", content=b"{}", headers={"Content-Length": length})
    refused(answer, 413, "PAYLOAD_TOO_LARGE")


async def test_a_callers_request_id_comes_back(http: httpx.AsyncClient):
    answer = await http.post("/things", json={"name": "a"}, headers={"X-Request-ID": "my-id-1"})
    assert answer.headers.get_list("x-request-id") == ["my-id-1"]


@pytest.mark.parametrize("given", ["", "a b", "x" * 129, 'quote"', "line\tend"])
async def test_a_request_id_that_would_spoil_a_log_is_replaced(http: httpx.AsyncClient, given: str):
    answer = await http.get("/headers", headers={"X-Request-ID": given})
    (stamped,) = answer.headers.get_list("x-request-id")
    assert stamped not in ("", given)


async def test_every_request_without_an_id_gets_its_own(http: httpx.AsyncClient):
    answers = await asyncio.gather(*(http.get("/headers") for _ in range(5)))
    assert len({answer.headers["x-request-id"] for answer in answers}) == 5


async def test_headers_that_steer_the_proxy_go_no_further(http: httpx.AsyncClient):
    steering = {"X-Request-Timeout-Seconds": "9999", "X-Request-Disconnect-Disabled": "?1", "X-Other": "stays"}
    seen = (await http.get("/headers", headers=steering)).json()
    assert seen["x-other"] == "stays"
    assert not any("timeout" in name or "disconnect" in name for name in seen)


async def test_behind_serve_the_request_id_is_left_to_serve():
    transport = httpx.ASGITransport(app_with(Rules(stamps_request_id=False)))
    async with httpx.AsyncClient(transport=transport, base_url="http://omc") as client:
        assert "x-request-id" not in (await client.get("/headers")).headers


async def test_other_sites_are_let_in_only_when_they_are_named(http: httpx.AsyncClient):
    asking = {"Origin": "https://desk.example", "Access-Control-Request-Method": "POST"}
    assert "access-control-allow-origin" not in (await http.options("/things", headers=asking)).headers
    transport = httpx.ASGITransport(app_with(Rules(cors_origins=("https://desk.example",))))
    async with httpx.AsyncClient(transport=transport, base_url="http://omc") as client:
        named = await client.options("/things", headers=asking)
        other = await client.options("/things", headers={**asking, "Origin": "https://evil.example"})
    assert named.headers["access-control-allow-origin"] == "https://desk.example"
    assert "access-control-allow-origin" not in other.headers


async def test_a_success_is_wrapped(http: httpx.AsyncClient):
    answer = await http.post("/things", json={"name": " a ", "size": 2})
    assert answer.json() == {"status": "success", "data": {"name": "a", "size": 2.0}, "message": None}
    assert json.loads(answer.content) == answer.json()
