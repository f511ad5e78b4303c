"""What a port says to whoever comes with nothing is heard as it was meant."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import grpc
import pytest

from cluster.knocking import Heard, at_any, at_grpc, at_http, at_postgres
from cluster.ports import LOOPBACK, free_port
from omc.adapters.postgres import dsn

METHOD = "/ray.rpc.NodeInfoGcsService/GetAllNodeInfo"
MEASURES = "text/plain; version=0.0.4; charset=utf-8"


@pytest.fixture
def answering() -> Iterator[Callable[[int, str], int]]:
    """`answering(status, content_type)` is the port of a server that says this, whatever it is asked."""
    running: list[ThreadingHTTPServer] = []

    def start(status: int, kind: str = "application/json") -> int:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return int(server.server_port)

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def calling() -> Iterator[Callable[[grpc.StatusCode], int]]:
    """`calling(code)` is the port of a gRPC server that ends every call so."""
    running: list[grpc.Server] = []

    def start(code: grpc.StatusCode) -> int:
        def answer(_: bytes, context: grpc.ServicerContext) -> bytes:
            if code is not grpc.StatusCode.OK:
                context.abort(code, "as the test says")
            return b""

        class Everything(grpc.GenericRpcHandler):
            def service(self, details: Any) -> Any:
                return grpc.unary_unary_rpc_method_handler(answer) if details.method == METHOD else None

        server = grpc.server(ThreadPoolExecutor(1), handlers=[Everything()])
        port = server.add_insecure_port(f"{LOOPBACK}:0")
        server.start()
        running.append(server)
        return int(port)

    yield start
    for server in running:
        server.stop(None).wait()


@pytest.fixture
def saying() -> Iterator[Callable[[bytes], int]]:
    """`saying(words)` is the port of a server that says this to the first who says anything."""
    listening: list[socket.socket] = []

    def start(words: bytes) -> int:
        heard = socket.create_server((LOOPBACK, 0))
        listening.append(heard)

        def answer() -> None:
            line, _ = heard.accept()
            with line:
                line.recv(1_024)
                line.sendall(words)

        threading.Thread(target=answer, daemon=True).start()
        return int(heard.getsockname()[1])

    yield start
    for each in listening:
        each.close()


@pytest.mark.parametrize(
    ("status", "kind", "heard"),
    [
        (401, "application/json", Heard.ASKED),
        (403, "application/json", Heard.ASKED),
        (200, "application/json", Heard.LET_IN),
        (200, "text/plain", Heard.LET_IN),
        (200, MEASURES, Heard.MEASURES),
        (404, "application/json", Heard.SILENCE),
        (503, "application/json", Heard.SILENCE),
    ],
)
def test_http_asks_by_its_status(answering, status, kind, heard):
    assert at_http("/x")(LOOPBACK, answering(status, kind)) is heard


@pytest.mark.parametrize(
    ("code", "heard"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, Heard.ASKED),
        (grpc.StatusCode.OK, Heard.LET_IN),
        (grpc.StatusCode.INTERNAL, Heard.SILENCE),
    ],
    ids=str,
)
def test_a_call_asks_by_its_status(calling, code, heard):
    assert at_grpc(METHOD)(LOOPBACK, calling(code)) is heard


def test_who_has_several_tongues_is_tried_in_each(answering, calling):
    knock = at_any(at_grpc("/nobody.knows/This"), at_grpc(METHOD), at_http("/x"))
    assert knock(LOOPBACK, calling(grpc.StatusCode.UNAUTHENTICATED)) is Heard.ASKED
    assert knock(LOOPBACK, answering(401)) is Heard.ASKED


def refusal(sqlstate: str) -> bytes:
    fields = f"SFATAL\0C{sqlstate}\0Mno\0\0".encode()
    return b"E" + (4 + len(fields)).to_bytes(4, "big") + fields


@pytest.mark.parametrize(
    ("words", "heard"),
    [
        (b"R\0\0\0\x08\0\0\0\x00", Heard.LET_IN),
        (b"R\0\0\0\x08\0\0\0\x03", Heard.ASKED),
        (b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0", Heard.ASKED),
        (refusal("28000"), Heard.ASKED),
        (refusal("53300"), Heard.SILENCE),
        (b"R", Heard.SILENCE),
        (b"", Heard.SILENCE),
        (b"HTTP/1.1 400", Heard.SILENCE),
    ],
    ids=["trusts everybody", "a password", "SCRAM", "no rule lets in", "is full", "half a word", "nothing", "another"],
)
def test_postgresql_asks_by_its_first_message(saying, words, heard):
    assert at_postgres(LOOPBACK, saying(words)) is heard


@pytest.mark.postgres
def test_the_databases_own_server_asks_for_its_password(database):
    (port,) = parse_qs(urlsplit(dsn.read(database.dsn_file)).query)["port"]
    assert at_postgres(LOOPBACK, int(port)) is Heard.ASKED


@pytest.mark.parametrize("knock", [at_http("/x"), at_http("/x", tls=True), at_grpc(METHOD), at_postgres])
def test_where_nobody_listens_nothing_is_said(knock):
    assert knock(LOOPBACK, free_port()) is Heard.SILENCE
