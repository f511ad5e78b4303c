"""What is asked again, when, and what every failure becomes."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from omc.client import Client
from omc.client.errors import (
    Conflict,
    Forbidden,
    NoAnswer,
    NotSendable,
    NotThePlatform,
    RateLimited,
    Unavailable,
    Unreachable,
)
from omc.client.models import ForceExitIn, Registration
from omc.client.transport import Transport

DEPLOYMENT = "0b9f6e3c-6d0f-4a52-9d3e-2f6a1c7b8d90"
HEALTH = {"status": "success", "data": {"status": "ok", "version": "1"}, "message": None}


def failure(status: int, code: str, **headers: str) -> httpx.Response:
    error = {"code": code, "message": "not now", "details": {"why": "a test"}}
    return httpx.Response(status, json={"status": "error", "error": error}, headers=headers)


class Served:
    """A platform that answers with what it is given, one after the other."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, **how: Any) -> Client:
        return Client(transport=httpx.MockTransport(self), sleep=self.slept.append, **how)


def test_an_answer_is_its_data_typed():
    with Served(httpx.Response(200, json=HEALTH)).client() as client:
        assert client.get_health().version == "1"


@pytest.mark.parametrize("answer", [failure(429, "RATE_LIMITED"), failure(503, "UNAVAILABLE"), httpx.ReadError("gone")])
def test_a_read_is_asked_again(answer):
    served = Served(answer, httpx.Response(200, json=HEALTH))
    assert served.client().get_health().status == "ok"
    assert len(served.asked) == 2


def test_it_waits_for_as_long_as_it_is_told():
    served = Served(failure(503, "UNAVAILABLE", **{"Retry-After": "7"}), httpx.Response(200, json=HEALTH))
    served.client().get_health()
    assert served.slept == [7.0]


def test_it_gives_up_and_says_what_the_platform_said():
    served = Served(*[failure(429, "RATE_LIMITED", **{"Retry-After": "3"}) for _ in range(4)])
    with pytest.raises(RateLimited) as told:
        served.client().get_health()
    assert (told.value.code, told.value.details, told.value.retry_after_s) == ("RATE_LIMITED", {"why": "a test"}, 3.0)
    assert served.slept == [3.0, 3.0, 3.0]


def test_a_code_of_the_second_factor_goes_along_where_one_is_given():
    served = Served(*[failure(403, "FORBIDDEN") for _ in range(2)])
    for code in (None, "123456"):
        with pytest.raises(Forbidden):
            served.client().delete_lock("halt-account", code=code)
    assert [each.headers.get("X-Second-Factor") for each in served.asked] == [None, "123456"]


def test_what_may_have_had_its_effect_is_not_asked_again():
    wanted = Registration(email="ada@example.com", password="correct horse battery")
    for answer, fault in ((failure(503, "UNAVAILABLE"), Unavailable), (httpx.ReadError("gone"), NoAnswer)):
        served = Served(answer)
        with pytest.raises(fault):
            served.client().register(wanted)
        assert len(served.asked) == 1


def test_what_costs_money_is_asked_again_under_the_same_key():
    done = {"status": "success", "data": {"deployment_id": DEPLOYMENT, "sold": [], "problems": []}, "message": None}
    served = Served(httpx.ReadError("gone"), failure(503, "UNAVAILABLE"), httpx.Response(200, json=done))
    served.client(token="t").forceexit(ForceExitIn(deployment_id=DEPLOYMENT, coin="BTC"))
    keys = [request.headers["Idempotency-Key"] for request in served.asked]
    assert len(keys) == 3
    assert len(set(keys)) == 1
    assert json.loads(served.asked[0].content) == {"deployment_id": DEPLOYMENT, "coin": "BTC"}


def test_two_calls_have_two_keys():
    served = Served(failure(409, "HALTED"), failure(409, "HALTED"))
    client = served.client(token="t")
    for _ in range(2):
        with pytest.raises(Conflict, match="HALTED"):
            client.forceexit(ForceExitIn(deployment_id=DEPLOYMENT, coin="BTC"))
    assert len({request.headers["Idempotency-Key"] for request in served.asked}) == 2


def test_a_session_is_renewed_before_it_ends():
    def tokens(name: str) -> httpx.Response:
        data = {"access_token": name, "refresh_token": f"{name}-next", "token_type": "bearer", "expires_in": 900}
        return httpx.Response(200, json={"status": "success", "data": data, "message": None})

    page = {"items": [], "total": 0, "page": 1, "per_page": 20, "pages": 0}
    served = Served(tokens("first"), httpx.Response(200, json=page), tokens("second"), httpx.Response(200, json=page))
    now = [0.0]
    client = served.client(seconds=lambda: now[0])
    client.sign_in("ada@example.com", "correct horse battery")
    client.list_orders()
    now[0] = 880.0
    client.list_orders()
    assert served.asked[1].headers["Authorization"] == "Bearer first"
    assert json.loads(served.asked[2].content) == {"refresh_token": "first-next"}
    assert served.asked[3].headers["Authorization"] == "Bearer second"


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (httpx.ConnectError("refused"), Unreachable),
        (httpx.ReadTimeout("late"), NoAnswer),
        (httpx.Response(502, text="<html>"), NotThePlatform),
    ],
    ids=["nobody", "late", "somebody else"],
)
def test_every_failure_is_one_of_ours(answer, fault: type[Exception]):
    transport: Callable[..., Transport] = Transport
    with pytest.raises(fault), transport("http://x", transport=httpx.MockTransport(Served(answer))) as asked:
        asked.send("GET", "/health")


def test_what_no_json_can_say_is_not_sent():
    served = Served()
    with pytest.raises(NotSendable), Transport("http://x", transport=httpx.MockTransport(served)) as asked:
        asked.send("POST", "/health", body={"value": float("nan")})
    assert served.asked == []
