"""Secrets that are planted in a whole platform show up nowhere but where they were sent; and it listens on nothing but
the loopback."""

import base64
import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cluster.processes import descendants
from omc.access.second_factor import code_of, secret_bytes, step_of
from omc.adapters.postgres import dsn
from tests.end_to_end import telling
from tests.end_to_end.platforms import Up, omc

pytestmark = [pytest.mark.ray, pytest.mark.postgres, pytest.mark.long]

EMAIL = "planted@example.com"
PASSWORD, WRONG = "planted-Password-0f3b7c", "planted-Wrong-Password-77ad"
KEY, SECRET = "planted-api-key-5d1e8a2b9c", "planted-api-secret-c0ffee1234567890"
MODEL_KEY = "sk-planted-0123456789abcdefABCDEF"
FOREIGN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJwbGFudGVkIn0.cGxhbnRlZA"


@dataclass
class Asked:
    """What was answered, and what must be found nowhere."""

    up: Up
    url: str
    secrets: dict[str, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    def ask(self, method: str, path: str, body: object = None, token: str | None = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        content = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/v1{path}", content, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as refusal:
            said = refusal.read().decode()
            self.refusals.append(f"{said} {refusal.headers}")
            return json.loads(said)


@pytest.fixture(scope="module")
def asked(platform: Up) -> Asked:
    """Somebody who has sent every kind of secret, the right way and wrong ones."""
    record = json.loads((platform.home / "run" / "platform.json").read_text())
    made = Asked(platform, str(record["url"]))
    made.secrets = {"password": PASSWORD, "wrong": WRONG, "key": KEY, "secret": SECRET, "model": MODEL_KEY}
    made.ask("POST", "/users/register", {"email": EMAIL, "password": PASSWORD})
    made.ask("POST", "/auth/login", {"email": EMAIL, "password": WRONG})
    made.ask("POST", "/auth/login", {"email": EMAIL, "password": PASSWORD, "nonsense": WRONG})
    tokens = made.ask("POST", "/auth/login", {"email": EMAIL, "password": PASSWORD})["data"]
    access = tokens["access_token"]
    made.secrets |= {"access": access, "refresh": tokens["refresh_token"], "foreign": FOREIGN}
    renewed = made.ask("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]})["data"]
    made.secrets |= {"access again": renewed["access_token"], "refresh again": renewed["refresh_token"]}
    made.ask("POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    made.ask("GET", "/users/profile", token=FOREIGN)
    keys = {"api_key": KEY, "api_secret": SECRET}
    made.ask("POST", "/credentials/coinspot", keys, access)
    made.ask("POST", "/credentials/coinspot", keys, access)
    made.ask("PUT", "/credentials/coinspot", {**keys, SECRET: KEY}, access)
    made.ask("PUT", "/credentials/coinspot", [SECRET, KEY], access)
    made.ask("POST", "/credentials/coinspot/validate", {}, access)
    made.ask("POST", "/credentials/llm/openai", {"api_key": MODEL_KEY}, access)
    made.ask("GET", f"/credentials/exchanges/{SECRET}", token=access)
    made.ask("DELETE", f"/credentials/exchanges/{SECRET}", token=access)
    made.ask("PUT", "/users/password", {"current_password": WRONG, "new_password": PASSWORD}, access)
    token = made.ask("POST", "/users/tokens", {"name": "planted", "scopes": ["read"]}, access)
    made.secrets |= {name: text for name, text in token.get("data", {}).items() if str(text).startswith("omc_")}
    assert "token" in made.secrets
    made.ask("GET", f"/credentials/exchanges/{made.secrets['token']}", token=access)
    enroll_device(made, access)
    return made


def enroll_device(made: Asked, access: str) -> None:
    """Switch a second factor on, and send what belongs to it where it does not belong."""
    secret = made.ask("POST", "/users/second-factor", {"password": PASSWORD}, access)["data"]["secret"]
    code = code_of(secret_bytes(secret), step_of(datetime.now(UTC)))
    told = made.ask("POST", "/users/second-factor/confirm", {"code": code}, access)["data"]
    first, *others = told["recovery_codes"]
    made.secrets |= {"device": secret, "recovery": first, "another recovery": others[0]}
    made.ask("DELETE", "/users/second-factor", {"password": WRONG, "code": first}, access)
    made.ask("DELETE", "/users/second-factor", {"password": PASSWORD, "code": secret, first: others[0]}, access)
    made.ask("DELETE", "/users/second-factor", {"password": PASSWORD, "code": first}, access)


def spellings(secret: str) -> list[bytes]:
    """As it is, and as whoever stores bytes might have it."""
    plain = secret.encode()
    return [plain, plain.hex().encode(), base64.b64encode(plain).rstrip(b"=")]


def found_in(content: bytes, asked: Asked) -> list[str]:
    return [name for name, text in asked.secrets.items() if any(each in content for each in spellings(text))]


def test_no_refusal_repeats_what_was_sent(asked: Asked):
    assert len(asked.refusals) >= 8
    for refusal in asked.refusals:
        assert found_in(refusal.encode(), asked) == [], refusal


def test_no_table_holds_one_in_clear(asked: Asked):
    with psycopg.connect(dsn.read(asked.up.home / "run" / "database.dsn")) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        assert {"coinspot_credentials", "audit", "journal"} <= {table for (table,) in tables}
        for (table,) in tables:
            with connection.cursor().copy(f'COPY (SELECT * FROM "{table}") TO STDOUT') as rows:
                assert found_in(b"".join(bytes(row) for row in rows), asked) == [], table
        assert connection.execute("SELECT count(*) FROM audit").fetchone() > (20,)


def test_no_log_and_no_file_of_the_home_holds_one(asked: Asked):
    home = asked.up.home
    session = Path(json.loads((home / "run" / "platform.json").read_text())["session"])
    places = [asked.up.log, *home.glob("logs/**/*"), *home.glob("run/*"), *home.glob("keys/*"), *session.rglob("*")]
    files = [path for path in places if path.is_file()]
    assert len(files) > 10
    for path in files:
        assert found_in(path.read_bytes(), asked) == [], path
    lines = [line for path in files if path.suffix == ".err" for line in path.read_text(errors="replace").splitlines()]
    told = [json.loads(line) for line in lines if line.startswith('{"time"')]
    requests = [each for each in told if each["logger"] == "omc.access"]
    assert {"request_id", "method", "path", "status", "ms", "user"} <= set(requests[0])
    assert {401, 409, 422} <= {each["status"] for each in requests}


def test_no_process_has_one_in_its_command_or_its_environment(asked: Asked):
    record = json.loads((asked.up.home / "run" / "platform.json").read_text())
    vault_key = (asked.up.home / "keys" / "vault.key").read_bytes().split()[0]
    looked_at = 0
    for pid in descendants(int(record["pid"])):
        try:
            told = b"".join(Path(f"/proc/{pid}/{name}").read_bytes() for name in ("cmdline", "environ"))
        except OSError:
            continue
        looked_at += 1
        assert found_in(told, asked) == []
        assert vault_key not in told
    assert looked_at > 5


def test_what_ray_tells_of_actors_and_tasks_holds_none(asked: Asked):
    record = json.loads((asked.up.home / "run" / "platform.json").read_text())
    token = (asked.up.home / "keys" / "ray.token").read_text().strip()
    for what in ("actors", "tasks", "workers", "nodes", "jobs"):
        request = urllib.request.Request(
            f"{record['dashboard']}/api/v0/{what}?detail=1&limit=1000", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        assert b"result" in content
        assert found_in(content, asked) == [], what


def test_what_rays_own_commands_tell_whoever_has_its_token_holds_none(asked: Asked):
    said = {}
    for words, content in telling.told(asked.up.home):
        assert found_in(content, asked) == [], words
        said[words.partition(" --")[0]] = content
    assert b"RiskActor" in said["list actors"]
    assert b"ServeReplica" in b"".join(said.values())
    # What was asked over HTTP is there, by the lines of those who answered.
    assert b"/api/v1/auth/login" in b"".join(said.values())


def test_without_its_token_rays_commands_are_told_nothing(asked: Asked, tmp_path: Path):
    (tmp_path / "token").write_text("another-token")
    for words in (("list", "actors", "--detail"), ("summary", "tasks"), ("logs", "cluster")):
        refused = telling.ray(asked.up.home, *words, token=tmp_path / "token")
        assert refused.returncode != 0
        assert b"RiskActor" not in refused.stdout
        assert found_in(refused.stdout + refused.stderr, asked) == []


def test_every_chain_of_the_audit_trail_holds_and_tells_what_was_tried(asked: Asked):
    found = omc(asked.up.home, "audit", "verify")
    assert found["broken"] == []
    assert found["entries"] > 20
    assert omc(asked.up.home, "keys", "verify") == {"sound": True, "opened": 2, "tampered": [], "lost": []}


def test_every_port_is_on_the_loopback_and_known(asked: Asked):
    ports = omc(asked.up.home, "doctor")["ports"]
    assert len(ports) > 8
    assert [each for each in ports if each["warning"] or each["reached_by"] != "this machine's users"] == []
    assert {"HTTP: the platform's API", "PostgreSQL", "the sandbox exchange", "Ray: dashboard and jobs"} <= {
        each["what"] for each in ports
    }


def test_a_port_that_is_knocked_at_with_nothing_asks_for_what_it_should(asked: Asked):
    heard: dict[str, set[str]] = {}
    for each in omc(asked.up.home, "doctor")["ports"]:
        heard.setdefault(each["what"], set()).add(each["heard"])
    for what in (
        "HTTP: the platform's API",
        "PostgreSQL",
        "the sandbox exchange",
        "Ray: dashboard and jobs",
        "Ray: the cluster's state",
        "Ray: the node's own service",
        "Ray: a worker's calls",
    ):
        assert "asks" in heard[what], heard
    assert "lets in" not in set().union(*heard.values())
