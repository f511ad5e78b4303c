"""Who is let in at the doors of a running platform, who is not, and what becomes of rubbish."""

import json
import math
import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from omc.access.second_factor import code_of, secret_bytes, step_of
from tests.crash.waiting import until
from tests.end_to_end.platforms import ROOT, Up, omc, running

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.long]

PASSWORD = "correct horse battery"
AT_ONCE, BODY_S = 60, 2
NEVER_S = 60.0
PROFILE, KEYS = "/api/v1/users/profile", "/api/v1/credentials/coinspot"
FACTOR, TOKENS = "/api/v1/users/second-factor", "/api/v1/users/tokens"
WHO_JOINS = "import ray; ray.init(address={address!r}); print(ray.nodes())"


@dataclass
class Person:
    http: httpx.Client
    email: str
    token: str = ""

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        shown = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.http.request(method, path, json=body, headers={**shown, **headers})

    def log_in(self, password: str = PASSWORD) -> httpx.Response:
        answer = self.http.post("/api/v1/auth/login", json={"email": self.email, "password": password})
        if answer.status_code == 200:
            self.token = answer.json()["data"]["access_token"]
        return answer


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """One that lets nobody ask much, or slowly."""
    small = {"OMC_RATE_ACCOUNT": "60", "OMC_RATE_ACCOUNT_BURST": str(AT_ONCE), "OMC_REQUEST_BODY_S": str(BODY_S)}
    with running(tmp_path_factory.mktemp("platform") / "home", **small) as up:
        yield up


@pytest.fixture(scope="module")
def record(platform: Up) -> dict[str, Any]:
    return dict(json.loads((platform.home / "run" / "platform.json").read_text()))


@pytest.fixture
def http(record) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=str(record["url"]), timeout=NEVER_S, trust_env=False) as client:
        yield client


@pytest.fixture
def somebody(http) -> Person:
    made = Person(http, f"{uuid4().hex}@example.org")
    answer = http.post("/api/v1/users/register", json={"email": made.email, "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    assert made.log_in().status_code == 200
    return made


@pytest.fixture
def stranger(http) -> Person:
    return Person(http, f"{uuid4().hex}@example.org")


def refused(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    return dict(answer.json()["error"]["details"])


def test_an_account_is_made_and_entered(somebody, stranger):
    assert somebody.ask("GET", PROFILE).json()["data"]["email"] == somebody.email
    refused(stranger.ask("GET", PROFILE), 401, "UNAUTHENTICATED")
    refused(stranger.log_in(), 401, "UNAUTHENTICATED")


def test_whoever_guesses_has_to_wait_and_nobody_else_has_to(somebody, http):
    other = Person(http, f"{uuid4().hex}@example.org")
    http.post("/api/v1/users/register", json={"email": other.email, "password": PASSWORD})
    for _ in range(5):
        refused(somebody.log_in("a wrong password"), 401, "UNAUTHENTICATED")
    answer = until(lambda: (said := somebody.log_in("a wrong one")).status_code != 401 and said, "an end of guessing")
    refused(answer, 429, "RATE_LIMITED")
    assert 1 <= int(answer.headers["Retry-After"]) <= 900
    assert other.log_in().status_code == 200, "another account is not affected"
    until(lambda: somebody.log_in().status_code == 200, "an end of the wait")
    assert somebody.ask("GET", PROFILE).status_code == 200


def test_only_the_machines_own_command_makes_a_superuser(platform, somebody):
    refused(somebody.ask("GET", "/api/v1/users"), 403, "FORBIDDEN")
    omc(platform.home, "superuser", "grant", somebody.email)
    listed = somebody.ask("GET", f"/api/v1/users?email={somebody.email}")
    assert [each["email"] for each in listed.json()["items"]] == [somebody.email]
    omc(platform.home, "superuser", "revoke", somebody.email)
    refused(somebody.ask("GET", "/api/v1/users"), 403, "FORBIDDEN")


def test_a_token_that_may_look_cannot_trade_and_ends_when_it_is_revoked(somebody, http):
    made = somebody.ask("POST", TOKENS, {"name": "dashboard", "scopes": ["read"]})
    assert made.status_code == 201
    program = Person(http, somebody.email, made.json()["data"]["token"])
    assert program.ask("GET", "/api/v1/floor/deployments").status_code == 200
    nothing = uuid4()
    for path in (
        "/floor/deploy",
        "/floor/emergency-stop",
        f"/floor/algorithms/{nothing}/activate",
        f"/floor/algorithms/{nothing}/pause",
        "/lab/algorithms",
        "/users/tokens",
    ):
        refused(program.ask("POST", f"/api/v1{path}", {}), 403, "FORBIDDEN")
    assert somebody.ask("DELETE", f"{TOKENS}/{made.json()['data']['id']}").status_code == 200
    until(lambda: program.ask("GET", "/api/v1/floor/deployments").status_code == 401, "the token's end", 10.0)


def test_a_second_factor_is_asked_for_once_it_is_on(somebody):
    begun = somebody.ask("POST", FACTOR, {"password": PASSWORD}).json()["data"]
    secret, step = secret_bytes(begun["secret"]), step_of(datetime.now(UTC))
    confirmed = somebody.ask("POST", f"{FACTOR}/confirm", {"code": code_of(secret, step)})
    assert len(confirmed.json()["data"]["recovery_codes"]) == 10
    keys = {"api_key": "k" * 32, "api_secret": "s" * 64}
    assert refused(somebody.ask("POST", KEYS, keys), 403, "FORBIDDEN") == {"second_factor": "required"}
    again = {"X-Second-Factor": code_of(secret, step)}
    assert refused(somebody.ask("POST", KEYS, keys, **again), 403, "FORBIDDEN") == {"second_factor": "wrong"}
    # A device may be a step ahead, so nobody has to wait for the next one.
    following = {"X-Second-Factor": code_of(secret, step + 1)}
    assert somebody.ask("POST", KEYS, keys, **following).status_code == 201


def test_everybody_is_told_how_they_stand_and_refused_in_the_end(somebody, http):
    told = somebody.ask("GET", PROFILE)
    assert int(told.headers["RateLimit-Limit"]) == AT_ONCE
    assert int(told.headers["RateLimit-Remaining"]) < AT_ONCE
    assert int(told.headers["RateLimit-Reset"]) >= 1
    for _ in range(20 * AT_ONCE):
        told = somebody.ask("GET", PROFILE)
        if told.status_code != 200:
            break
    assert refused(told, 429, "RATE_LIMITED")["limited_by"] == "account"
    assert int(told.headers["Retry-After"]) >= 1
    assert somebody.ask("POST", "/api/v1/floor/emergency-stop", {}).status_code == 200, "it has a place of its own"
    another = Person(http, f"{uuid4().hex}@example.org")
    http.post("/api/v1/users/register", json={"email": another.email, "password": PASSWORD})
    assert another.log_in().status_code == 200
    assert another.ask("GET", PROFILE).status_code == 200


def test_two_replicas_let_an_account_ask_exactly_as_often_as_one_would(somebody):
    """The gateway's and the floor's, asked at once."""
    paths = (PROFILE, "/api/v1/floor/deployments") * (2 * AT_ONCE)
    began = time.monotonic()
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda path: somebody.ask("GET", path).status_code, paths))
    came_back = math.ceil(time.monotonic() - began)
    assert set(answers) == {200, 429}
    assert AT_ONCE <= answers.count(200) <= AT_ONCE + came_back, "one a second comes back"


def head(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: here", "Connection: close", *headers, "", ""]).encode("latin-1")


def login(*headers: str) -> bytes:
    return head("POST /api/v1/auth/login", "Content-Type: application/json", *headers)


def login_with(body: bytes) -> bytes:
    return login(f"Content-Length: {len(body)}") + body


HEALTH, CHUNKED = "GET /api/v1/health", "Transfer-Encoding: chunked"
STEERING = ("X-Request-Timeout-Seconds: -1", "X-Request-Disconnect-Disabled: ?1", "serve_multiplexed_model_id: x")
SMUGGLED = b"0\r\n\r\nGET /api/v1/health HTTP/1.1\r\nHost: here\r\n\r\n"
# What is sent, and the statuses that may answer it. Where None is one, it may be cut off without a word.
RUBBISH = {
    "headers by the hundred": (head(HEALTH, *(f"X-{n}: x" for n in range(300))), {422}),
    "headers by the thousand": (head(HEALTH, *(f"X-{n}: x" for n in range(5_000))), {400, 422, None}),
    "a long header": (head(HEALTH, "X-Long: " + "x" * 30_000), {422}),
    "a header without an end": (head(HEALTH, "X-Long: " + "x" * 2_000_000), {400, 422, None}),
    "a header of bytes": (head(HEALTH, "X-Bytes: \xff\xfe", "Authorization: Bearer \xff"), {200, 400, 401, 422}),
    "no UTF-8 in a path": (head("GET /api/v1/users/%ff%fe"), {401, 404, 405, 422}),
    "bytes in a path": (head("GET /api/v1/\xff\xfe"), {400, 404, 422}),
    "a zero byte in a path": (head("GET /api/v1/users/%00"), {401, 404, 405, 422}),
    "no UTF-8 in a body": (login_with(b'{"\xff"'), {422}),
    "a zero byte in a text": (login_with(b'{"email":"a\\u0000@b.co","password":"x"}'), {401, 422}),
    "half a surrogate": (login_with(b'{"email":"\\ud800@b.co","password":"\\udfff"}'), {401, 422}),
    "deep nesting": (login_with(b"[" * 90_000), {413, 422}),
    "up and away": (head("GET /api/v1/../../../../etc/passwd"), {400, 404, 422}),
    "up and away, hidden": (head("GET /api/v1/floor/%2e%2e/%2e%2e/internal/collectors"), {400, 401, 404, 422}),
    "slashes": (head("GET //api//v1///users/profile"), {400, 401, 404, 422}),
    "another's address": (head("GET http://elsewhere.example/api/v1/health"), {200, 400, 404, 422}),
    "a method of its own": (head("BREW /api/v1/health"), {405}),
    "a connection elsewhere": (head("CONNECT elsewhere.example:443"), {400, 404, 405, 422}),
    "steering": (head(HEALTH, *STEERING), {200}),
    "a length beyond numbers": (login("Content-Length: " + "9" * 30), {400, 413, 422}),
    "a huge length": (login("Content-Length: 999999999999"), {413}),
    "a length below nothing": (login("Content-Length: -1"), {400, 422}),
    "two lengths": (login("Content-Length: 2", "Content-Length: 3") + b"{} ", {400, 422}),
    "chunks that are none": (login(CHUNKED) + b"ZZZ\r\nrubbish\r\n\r\n", {400, 422, None}),
    "a chunk without an end": (login(CHUNKED) + b"FFFFFF\r\n{", {400, 408, 413, 422}),
    "chunks and a length": (login(CHUNKED, "Content-Length: 5") + SMUGGLED, {400, 422}),
    "a body that never comes": (login("Content-Length: 100") + b"{", {422}),
    "an old protocol": (b"GET /api/v1/health HTTP/1.0\r\n\r\n", {200}),
    "an older one": (b"GET /api/v1/health\r\n", {400, None}),
    "half a request": (b"GET /api/v1/hea", {400, 408, None}),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), {400, None}),
    "no HTTP": (b"\x00\xff\xfe nothing of the kind\r\n\r\n", {400, None}),
}  # fmt: skip
# HTTP's own rules are broken there: the front refuses it before anybody could word an answer.
FRONTS_OWN = {400, 408}


def sent(port: int, content: bytes) -> bytes:
    """Everything that is answered before the connection ends, or for a moment after a whole answer: a front that was
    promised more may keep a line open for it."""
    said = b""
    with socket.create_connection(("127.0.0.1", port), timeout=NEVER_S) as line:
        # Whoever is refused early may be cut off while it still sends.
        with suppress(ConnectionError):
            line.sendall(content)
        with suppress(ConnectionError):
            while more := _heard(line, whole=_whole(said)):
                said += more
    return said


def _heard(line: socket.socket, *, whole: bool) -> bytes:
    line.settimeout(1.0 if whole else NEVER_S)
    try:
        return line.recv(65_536)
    except TimeoutError:
        assert whole, "it hangs"
        return b""


def _whole(said: bytes) -> bool:
    top, found, body = said.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\ncontent-length: *([0-9]+)", top)
    return bool(found and length and len(body) >= int(length[1]))


@pytest.mark.parametrize("what", RUBBISH)
def test_rubbish_is_refused_in_words_and_harms_nobody(record, http, what):
    content, statuses = RUBBISH[what]
    said = sent(httpx.URL(record["url"]).port, content)
    status = int(said.split()[1]) if said.startswith(b"HTTP/1.") else None
    assert status in statuses, said
    assert said.count(b"HTTP/1.") <= 1, "one answer to one request"
    if status not in (None, 200, *FRONTS_OWN):
        told = json.loads(said.partition(b"\r\n\r\n")[2])
        assert told["status"] == "error"
        assert {"code", "message", "details"} <= set(told["error"])
        assert b"x-request-id:" in said.lower()
    assert http.get("/api/v1/health").status_code == 200


def test_a_body_that_comes_drop_by_drop_is_not_waited_for(record):
    with socket.create_connection(("127.0.0.1", httpx.URL(record["url"]).port), timeout=NEVER_S) as line:
        line.sendall(login("Content-Length: 1000"))
        line.settimeout(0.2)
        said, drops = b"", 0
        while not said and drops < 300:
            drops += 1
            with suppress(TimeoutError):
                line.sendall(b" ")
                said = line.recv(65_536)
    assert said.split()[1] == b"422"
    assert b"did not arrive" in said


def test_the_doctor_names_every_port_and_all_are_on_the_loopback(platform):
    told = omc(platform.home, "doctor")
    assert len(told["ports"]) > 8
    assert [each for each in told["ports"] if each["warning"] or not each["what"]] == []
    assert {each["address"] for each in told["ports"]} <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v0/actors"),
        ("GET", "/api/version"),
        ("GET", "/api/jobs/"),
        ("POST", "/api/jobs/"),
        ("GET", "/api/serve/applications/"),
        ("PUT", "/api/serve/applications/"),
        ("GET", "/nodes?view=summary"),
    ],
    ids=str,
)
def test_rays_dashboard_refuses_whoever_has_no_token(record, method, path):
    for headers in ({}, {"Authorization": "Bearer " + "0" * 64}):
        body = {"entrypoint": "true"} if method == "POST" else None
        answer = httpx.request(method, f"{record['dashboard']}{path}", json=body, headers=headers, trust_env=False)
        assert answer.status_code in (401, 403), answer.text


def test_nobody_joins_ray_without_its_token(platform, record, tmp_path):
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "OMC_"))}
    # Without it Ray looks for the loopback at an address of the network, where nobody listens.
    bare |= {"HOME": str(tmp_path), "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    right = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(platform.home / "keys" / "ray.token")}
    wrong = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0" * 64}
    for shown, enters in ((right, True), (wrong, False), ({"RAY_AUTH_MODE": "disabled"}, False)):
        done = subprocess.run(
            [str(ROOT / ".venv/bin/python"), "-c", WHO_JOINS.format(address=record["ray"])],
            env={**bare, **shown},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        assert (done.returncode == 0, "NodeID" in done.stdout) == (enters, enters), done.stderr
