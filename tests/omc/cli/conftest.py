"""A platform of a few lines behind a real port, for commands that speak to one."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from omc.cli.session import SessionFile, Tokens

Asked = list[tuple[str, str, object]]


@pytest.fixture
def codes() -> list[str | None]:
    """The code of the second factor that came with each request, if any."""
    return []


@pytest.fixture
def served(tmp_path, monkeypatch, codes) -> Iterator[Callable[..., Asked]]:
    """`served({"GET /lab/templates": answer, …})` answers with data, with a page's text, or each of a list in turn; a
    tuple is a status and an error, and a function is asked. What was asked is in the list that it returns. Somebody is
    signed in."""
    running: list[ThreadingHTTPServer] = []

    def serve(answers: dict[str, object]) -> Asked:
        asked: Asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.removeprefix("/api/v1")
                length = int(self.headers.get("Content-Length") or 0)
                asked.append((self.command, path, json.loads(self.rfile.read(length)) if length else None))
                codes.append(self.headers.get("X-Second-Factor"))
                found = answers.get(f"{self.command} {path.split('?')[0]}", (404, "NOT_FOUND"))
                if isinstance(found, list) and len(found) > 1:
                    found = found.pop(0)
                elif isinstance(found, list):
                    (found,) = found
                status, kind, body = _answer(found() if callable(found) else found)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        url = f"http://127.0.0.1:{server.server_port}"
        SessionFile(tmp_path / "session.json").save(Tokens(url, "a@b.test", "a", "r", 4e9))
        monkeypatch.setenv("OMC_HOME", str(tmp_path))
        monkeypatch.setenv("OMC_URL", url)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("omc.cli.waiting._ASK_AGAIN_S", 0.0)
        return asked

    yield serve
    for server in running:
        server.shutdown()
        server.server_close()


def _answer(found: object) -> tuple[int, str, bytes]:
    if isinstance(found, str):
        return 200, "text/html", found.encode()
    if isinstance(found, tuple):
        status, code, *rest = found
        error = {"code": code, "message": f"it is {code}", "details": rest[0] if rest else {}}
        return status, "application/json", json.dumps({"status": "error", "error": error}).encode()
    if isinstance(found, dict) and "items" in found:
        return 200, "application/json", json.dumps(found).encode()
    return 200, "application/json", json.dumps({"status": "success", "data": found, "message": None}).encode()
