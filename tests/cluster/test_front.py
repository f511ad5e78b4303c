"""HAProxy in front of apps on sockets, as in a platform but without Ray."""

import asyncio
import os
import signal
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
import websockets
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fastapi import FastAPI, Request, WebSocket

from bench.boot import listening, tree
from cluster import front
from cluster.front import Front
from cluster.front_door import FrontDoor
from cluster.front_layout import PEER, Behind, Layout
from cluster.ports import LOOPBACK, free_port
from omc.errors import Unavailable
from tests.crash.waiting import LONG_S

pytestmark = pytest.mark.skipif(front.program() is None, reason="HAProxy does not come with Ray here")

ROOT, FLOOR = Behind("gateway", ""), Behind("floor", "/api/v1/floor", at_once=2)
STREAMS = Behind("streams", "/streams", sockets=True)


def app(name: str) -> FastAPI:
    built = FastAPI()

    @built.api_route("/api/v1/floor/seen", methods=["GET", "POST"])
    @built.api_route("/seen", methods=["GET", "POST"])
    async def seen(request: Request) -> dict[str, object]:
        body = await request.body()
        return {
            "app": name,
            "headers": dict(request.headers),
            "client": request.client.host if request.client else None,
            "length": len(body),
            "path": request.url.path,
        }

    @built.api_route("/slow", methods=["GET", "POST"])
    async def slow() -> str:
        await asyncio.sleep(0.5)
        return name

    @built.websocket("/ws")
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(text)

    return built


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[Front]:
    program = front.program()
    assert program is not None
    # Longer than the address of a socket may be.
    home = tmp_path / ("a home that is " + "far " * 30) / "run"
    home.mkdir(parents=True)
    it = Front(program, home / "front", tmp_path / "front.log", Layout(LOOPBACK, free_port(), (ROOT, FLOOR, STREAMS)))
    it.start()
    yield it
    it.stop()


@pytest.fixture
async def http(standing: Front) -> AsyncIterator[httpx.AsyncClient]:
    address = f"http://{LOOPBACK}:{standing.layout.port}"
    async with httpx.AsyncClient(base_url=address, timeout=LONG_S, trust_env=False) as client:
        yield client


def opened(standing: Front, place: Behind, name: str = "") -> FrontDoor:
    door = FrontDoor(app(name or place.name), place)
    door.open(standing.folder)
    return door


def haproxy() -> list[int]:
    return [pid for pid in tree(os.getpid()) if "haproxy" in Path(f"/proc/{pid}/cmdline").read_text()]


async def test_the_longest_prefix_decides_and_a_caller_is_who_connected(standing, http):
    doors = [opened(standing, ROOT), opened(standing, FLOOR)]
    steering = {"x-request-timeout-seconds": "-1", "X-Request-Disconnect-Disabled": "?1", PEER: "203.0.113.9:80"}
    answer = await http.post("/api/v1/floor/seen", content=b"x" * 100_000, headers=steering)
    told = answer.json()
    assert (told["app"], told["path"], told["length"]) == ("floor", "/api/v1/floor/seen", 100_000)
    assert told["client"] == LOOPBACK
    assert {name.lower() for name in steering}.isdisjoint(told["headers"])
    assert (await http.get("/seen")).json()["app"] == "gateway"
    assert (await http.get("/api/v1/floors/seen")).status_code == 404
    for door in doors:
        await door.close()


async def test_every_answer_is_named_as_its_caller_wished_when_the_name_is_usable(standing, http):
    door = opened(standing, ROOT)
    named = await http.get("/seen", headers={"X-Request-ID": "mine-1"})
    assert named.headers.get_list("x-request-id") == ["mine-1"]
    assert named.json()["headers"]["x-request-id"] == "mine-1"
    unusable = await http.get("/seen", headers={"X-Request-ID": 'a "novel"'})
    assert unusable.headers["x-request-id"] == unusable.json()["headers"]["x-request-id"] != 'a "novel"'
    await door.close()


async def test_a_replica_that_is_not_there_yet_is_waited_for(standing, http):
    asking = asyncio.create_task(http.get("/slow"))
    await asyncio.sleep(0.2)
    assert not asking.done()
    door = opened(standing, ROOT)
    assert (await asking).json() == "gateway"
    closing = asyncio.create_task(http.post("/slow"))
    await asyncio.sleep(0.2)
    await door.close()
    assert (await closing).json() == "gateway", "what is under way is finished"
    asking = asyncio.create_task(http.get("/slow"))
    await asyncio.sleep(0.2)
    successor = opened(standing, ROOT, "the next")
    assert (await asking).json() == "the next"
    await successor.close()


async def test_replicas_share_a_socket(standing, http):
    doors = [opened(standing, ROOT, name) for name in ("one", "two")]
    answered = await asyncio.gather(*(http.get("/slow") for _ in range(32)))
    assert {each.json() for each in answered} <= {"one", "two"}
    await doors[0].close()
    answered = await asyncio.gather(*(http.get("/slow") for _ in range(8)))
    assert {each.json() for each in answered} == {"two"}
    await doors[1].close()


async def test_no_request_is_lost_or_carried_out_twice_while_replicas_are_replaced(standing):
    carried_out: Counter[str] = Counter()
    all_replaced = asyncio.Event()

    def replica() -> FrontDoor:
        built = FastAPI()

        @built.post("/{what}")
        async def carry_out(what: str) -> None:
            carried_out[what] += 1
            await asyncio.sleep(0.005)

        door = FrontDoor(built, ROOT)
        door.open(standing.folder)
        return door

    async def asking(who: int) -> list[str]:
        address, answered = f"http://{LOOPBACK}:{standing.layout.port}", []
        async with httpx.AsyncClient(base_url=address, timeout=LONG_S, trust_env=False) as client:
            while not all_replaced.is_set():
                what = f"{who}.{len(answered)}"
                assert (await client.post(f"/{what}")).status_code == 200
                answered.append(what)
        return answered

    door = replica()
    clients = [asyncio.create_task(asking(who)) for who in range(12)]
    for at_once in (True, False) * 4:
        await asyncio.sleep(0.2)
        # The next one may come first, or be waited for.
        successor = replica() if at_once else None
        await door.close()
        door = successor or replica()
    all_replaced.set()
    answered = [what for those in await asyncio.gather(*clients) for what in those]
    assert carried_out == dict.fromkeys(answered, 1)
    await door.close()


async def test_a_killed_front_is_back_before_anybody_can_tell(standing, http):
    door = opened(standing, ROOT)
    (victim,) = haproxy()
    os.kill(victim, signal.SIGKILL)
    async with asyncio.timeout(60):
        while True:
            try:
                assert (await http.get("/seen")).status_code == 200
                break
            except httpx.TransportError:
                await asyncio.sleep(0.02)
    assert victim not in haproxy()
    await door.close()


async def test_what_is_under_way_is_answered_and_whoever_comes_then_is_turned_away(standing, http):
    built, enough, begun = FastAPI(), asyncio.Event(), []

    @built.api_route("/patient", methods=["GET", "POST"])
    async def patient() -> str:
        begun.append(1)
        await enough.wait()
        return "done"

    door = FrontDoor(built, ROOT)
    door.open(standing.folder)
    under_way = [asyncio.create_task(http.request(method, "/patient")) for method in ("GET", "POST") for _ in range(8)]
    while len(begun) < len(under_way):  # noqa: ASYNC110 - a replica tells nobody
        await asyncio.sleep(0.01)
    await asyncio.to_thread(standing.turn_away)
    async with httpx.AsyncClient(base_url=http.base_url, timeout=LONG_S, trust_env=False) as late:
        await refusal(late, "/")
        refused = [await late.request(method, "/") for method in ("GET", "POST")]
    for answer in refused:
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "UNAVAILABLE")
        assert answer.headers["retry-after"]
        assert answer.headers["x-request-id"]
    enough.set()
    assert [(await each).json() for each in under_way] == ["done"] * 16
    assert (await http.get("/")).status_code == 503, "whatever connection it comes on"
    await door.close()
    await asyncio.to_thread(standing.stop)
    assert haproxy() == []
    with pytest.raises(httpx.ConnectError):
        await http.get("/")


async def refusal(client: httpx.AsyncClient, url: str) -> None:
    """Return when somebody new is told to come again. For a moment nobody may listen."""
    while True:
        with suppress(httpx.TransportError):
            if (await client.get(url)).status_code == 503:
                return
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_whoever_waits_for_a_replica_is_told_when_none_will_come(standing, http, method):
    waiting = asyncio.create_task(http.request(method, "/seen"))
    await asyncio.sleep(0.3)
    await asyncio.to_thread(standing.turn_away)
    await asyncio.to_thread(standing.stop)
    assert (await waiting).status_code == 503


async def test_too_many_headers_are_refused_in_the_contracts_words(standing, http):
    answer = await http.get("/seen", headers={"X-Long": "x" * 20_000})
    assert answer.status_code == 422
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    answer = await http.get("/seen", headers=[(f"X-{number}", "x") for number in range(200)])
    assert answer.json()["status"] == "error"
    assert answer.headers["x-request-id"]
    reader, writer = await asyncio.open_connection(LOOPBACK, standing.layout.port)
    writer.write(b"\x00\xff nothing of the kind\r\n\r\n")
    assert (await reader.read()).split()[1] == b"400"
    writer.close()


async def test_a_method_that_nobody_knows_is_refused_in_the_contracts_words(standing, http):
    door = opened(standing, ROOT)
    for method in ("BREW", "PROPFIND"):
        answer = await http.request(method, "/seen")
        assert (answer.status_code, answer.json()["status"]) == (405, "error")
        assert "GET" in answer.headers["allow"]
        assert answer.headers["x-request-id"]
    assert (await http.request("TRACE", "/seen")).status_code == 405
    assert (await http.get("/seen")).status_code == 200
    await door.close()


async def test_sockets_pass_both_ways(standing):
    door = opened(standing, STREAMS)
    address = f"ws://{LOOPBACK}:{standing.layout.port}/streams/ws"
    async with websockets.connect(address, compression=None, proxy=None) as socket:
        await socket.send("x" * 60_000)
        assert await socket.recv() == "x" * 60_000
    await door.close()


async def test_it_listens_at_one_address_and_its_folder_is_closed_to_others(standing):
    ports = {(address, port) for address, port, _ in listening(haproxy())}
    assert ports == {(LOOPBACK, standing.layout.port)}
    assert standing.folder.stat().st_mode & 0o777 == 0o700
    assert all(each.stat().st_mode & 0o077 == 0 for each in standing.folder.iterdir() if each.is_socket())


async def test_a_query_stands_in_no_log(standing, http):
    async with httpx.AsyncClient(base_url=http.base_url, timeout=0.3, trust_env=False) as hasty:
        with pytest.raises(httpx.ReadTimeout):
            await hasty.get("/seen?token=verysecret")
    assert "verysecret" not in standing.log.read_text()


def test_a_port_that_cannot_be_had_is_told(standing, tmp_path):
    address = Layout("192.0.2.1", 8123, (ROOT,))
    other = Front(standing.program, tmp_path / "other", tmp_path / "other.log", address)
    with pytest.raises(Unavailable, match=r"HAProxy does not listen on 192\.0\.2\.1:8123"):
        other.start()


async def test_tls_is_spoken_where_there_is_a_certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "omc")]), datetime.now(UTC)
    built = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(1))
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))])
    certificate = built.add_extension(names, critical=False).sign(key, SHA256())
    pem = tmp_path / "cert.pem", tmp_path / "key.pem"
    pem[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    pem[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    program = front.program()
    assert program is not None
    it = Front(program, tmp_path / "front", tmp_path / "front.log", Layout(LOOPBACK, free_port(), (ROOT,), tls=pem))
    it.start()
    door = opened(it, ROOT)
    trusting = ssl.create_default_context(cafile=str(pem[0]))
    async with httpx.AsyncClient(verify=trusting, timeout=LONG_S, trust_env=False) as client:
        assert (await client.get(f"https://{LOOPBACK}:{it.layout.port}/seen")).json()["app"] == "gateway"
        with pytest.raises(httpx.TransportError):
            await client.get(f"http://{LOOPBACK}:{it.layout.port}/seen")
        await asyncio.to_thread(it.turn_away)
    async with httpx.AsyncClient(verify=trusting, timeout=LONG_S, trust_env=False) as late:
        await refusal(late, f"https://{LOOPBACK}:{it.layout.port}/seen")
    assert (it.folder / "certificate.pem").stat().st_mode & 0o077 == 0
    await door.close()
    it.stop()


def test_nobody_is_handed_a_socket_that_there_is_not(standing):
    with pytest.raises(Unavailable, match="no socket nobody"):
        FrontDoor(app("nobody"), Behind("nobody", "/")).open(standing.folder)
