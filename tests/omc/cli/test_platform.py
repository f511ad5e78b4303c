"""The client of the HTTP API: tokens, pages, and every failure one line."""

import json
import stat
import time

import httpx
import pytest

from omc.cli.outcome import ExitCode, Failure
from omc.cli.platform import Platform
from omc.cli.session import SessionFile, Tokens

URL = "http://127.0.0.1:8000"
SESSION = {"url": URL, "email": "a@b.test", "access_token": "a", "refresh_token": "r", "expires_at": 4e9}


class Twin:
    """A platform of a few lines: it signs anybody in, renews tokens once each, and answers as it is told."""

    def __init__(self, answer=None):
        self.asked = []
        self.answer = answer or httpx.Response(200, json={"status": "success", "data": "here", "message": None})
        self.issued = 0

    def __call__(self, request):
        path = request.url.path.removeprefix("/api/v1")
        self.asked.append((request.method, path, request.headers.get("authorization")))
        if path in ("/auth/login", "/auth/refresh"):
            self.issued += 1
            data = {"access_token": f"a{self.issued}", "refresh_token": f"r{self.issued}", "expires_in": 900}
            return httpx.Response(200, json={"status": "success", "data": data, "message": None})
        return self.answer(request) if callable(self.answer) else self.answer


def platform(tmp_path, twin):
    return Platform(URL, tmp_path, httpx.MockTransport(twin))


def error(status, code):
    body = {"status": "error", "error": {"code": code, "message": "no,\n because", "details": {"why": 1}}}
    return httpx.Response(status, json=body)


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (422, "VALIDATION_ERROR", ExitCode.REFUSED),
        (404, "NOT_FOUND", ExitCode.REFUSED),
        (409, "CONFLICT", ExitCode.REFUSED),
        (401, "UNAUTHENTICATED", ExitCode.NOT_SIGNED_IN),
        (409, "GATE_NOT_PASSED", ExitCode.NOT_ALLOWED),
        (409, "HALTED", ExitCode.NOT_ALLOWED),
        (503, "UNAVAILABLE", ExitCode.FAILED),
        (500, "INTERNAL", ExitCode.FAILED),
    ],
)
def test_an_error_of_the_contract_becomes_one_line_and_a_stable_code(tmp_path, status, code, exit_code):
    there = platform(tmp_path, Twin(error(status, code)))
    there.log_in("a@b.test", "secret")
    with pytest.raises(Failure, match=r"^no, because$") as caught:
        there.get("/lab/algorithms")
    assert (caught.value.exit_code, caught.value.code, caught.value.details) == (exit_code, code, {"why": 1})


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b'{"error": "no"}'], ids=["html", "a list", "another shape"])
def test_an_answer_that_is_not_the_platforms_says_so(tmp_path, body):
    for status in (200, 500):
        there = platform(tmp_path, Twin(httpx.Response(status, content=body)))
        there.log_in("a@b.test", "secret")
        if status == 200 and body.startswith(b"{"):
            continue
        with pytest.raises(Failure, match="not the platform's"):
            there.get("/lab/algorithms")


def test_a_platform_that_does_not_answer_is_unreachable(tmp_path):
    def refuse(request):
        raise httpx.ConnectError("refused", request=request)

    with pytest.raises(Failure, match="start it with `omc up`") as caught:
        platform(tmp_path, Twin(refuse)).ready()
    assert caught.value.exit_code is ExitCode.UNREACHABLE


def test_a_command_without_a_session_asks_to_sign_in_and_sends_nothing(tmp_path):
    twin = Twin()
    with pytest.raises(Failure, match="omc login") as caught:
        platform(tmp_path, twin).get("/users/profile")
    assert caught.value.exit_code is ExitCode.NOT_SIGNED_IN
    assert twin.asked == []


def test_tokens_are_kept_where_only_their_owner_reads(tmp_path):
    platform(tmp_path / "home", Twin()).log_in("a@b.test", "secret")
    file = tmp_path / "home" / "session.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "secret" not in file.read_text()


def test_an_ended_access_token_is_renewed_once_and_the_new_pair_kept(tmp_path):
    twin = Twin()
    SessionFile(tmp_path / "session.json").save(Tokens(URL, "a@b.test", "old", "r0", time.time() - 1))
    there = platform(tmp_path, twin)
    assert there.get("/users/profile") == "here"
    assert there.get("/users/profile") == "here"
    assert [path for _, path, _ in twin.asked] == ["/auth/refresh", "/users/profile", "/users/profile"]
    assert twin.asked[-1][2] == "Bearer a1"
    assert json.loads((tmp_path / "session.json").read_text())["refresh_token"] == "r1"


def test_the_session_of_one_platform_is_not_shown_to_another(tmp_path):
    SessionFile(tmp_path / "session.json").save(Tokens("http://elsewhere", "a@b.test", "a", "r", time.time() + 900))
    with pytest.raises(Failure, match="not signed in"):
        platform(tmp_path, Twin()).get("/users/profile")


@pytest.mark.parametrize(
    "written",
    [
        "",
        "null",
        '{"url": "http://127.0.0.1:8000"}',
        json.dumps({**SESSION, "access_token": "gar\nbage"}),
        json.dumps({**SESSION, "access_token": "g\u00e4rbage"}),
        json.dumps({**SESSION, "refresh_token": 7}),
        json.dumps({**SESSION, "expires_at": "soon"}),
    ],
)
def test_a_session_file_that_makes_no_sense_is_no_session(tmp_path, written):
    (tmp_path / "session.json").write_text(written)
    with pytest.raises(Failure, match="not signed in") as caught:
        platform(tmp_path, Twin()).get("/users/profile")
    assert caught.value.exit_code is ExitCode.NOT_SIGNED_IN


def test_a_session_that_cannot_be_kept_is_one_line(tmp_path):
    (tmp_path / "session.json").mkdir()
    there = platform(tmp_path, Twin())
    with pytest.raises(Failure, match=r"session\.json cannot be written: Is a directory"):
        there.log_in("a@b.test", "secret")
    with pytest.raises(Failure, match=r"session\.json cannot be written: Is a directory"):
        there.log_out()
    assert [each.name for each in tmp_path.iterdir()] == ["session.json"]


def test_signing_out_of_a_session_that_has_ended_forgets_it(tmp_path):
    there = platform(tmp_path, Twin(error(401, "UNAUTHENTICATED")))
    there.log_in("a@b.test", "secret")
    there.log_out()
    assert not (tmp_path / "session.json").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"], ids=["nan", "infinite", "half a character"])
def test_what_has_no_json_is_not_sent(tmp_path, value):
    twin = Twin()
    there = platform(tmp_path, twin)
    there.log_in("a@b.test", "secret")
    with pytest.raises(Failure, match="neither text nor a finite number"):
        there.post("/lab/algorithms", {"name": value})
    assert len(twin.asked) == 1


def test_only_what_is_asked_patiently_may_take_as_long_as_it_takes(tmp_path):
    waits = []

    def noting(request):
        waits.append(request.extensions["timeout"])
        return httpx.Response(200, json={"status": "success", "data": "here", "message": None})

    there = platform(tmp_path, Twin(noting))
    there.log_in("a@b.test", "secret")
    there.get("/lab/algorithms")
    with there.patiently("measuring"):
        there.post("/lab/algorithms/1/promote")
    there.get("/lab/algorithms")
    assert [each["read"] for each in waits] == [30.0, None, 30.0]
    assert {each["connect"] for each in waits} == {5.0}


def test_every_page_of_a_list_is_asked_for(tmp_path):
    def pages(request):
        page = int(request.url.params["page"])
        items = [{"n": page * 10 + at} for at in range(2)]
        return httpx.Response(200, json={"items": items, "total": 6, "page": page, "per_page": 2, "pages": 3})

    there = platform(tmp_path, Twin(pages))
    there.log_in("a@b.test", "secret")
    assert [item["n"] for item in there.everything("/floor/trades")] == [10, 11, 20, 21, 30, 31]
    assert [item["n"] for item in there.everything("/floor/trades", limit=3)] == [10, 11, 20]


def test_an_address_that_is_none_is_refused(tmp_path):
    with pytest.raises(Failure, match="not an address") as caught:
        Platform("localhost:8000", tmp_path)
    assert caught.value.exit_code is ExitCode.USAGE
