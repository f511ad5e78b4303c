import asyncio
from datetime import UTC, datetime

import pytest

from omc.adapters.coinspot.exchange.answer import Refusal
from omc.adapters.coinspot.exchange.app import RequestRate


async def test_the_clock_says_where_the_tape_stands(wire):
    answer = (await wire.control("GET", "clock")).json()
    assert answer == {"time": "2025-01-01T00:00:00+00:00", "position": 0, "bars": 6, "lockstep": True}
    assert datetime.fromisoformat(answer["time"]) == datetime(2025, 1, 1, tzinfo=UTC)


async def test_stepping_twice_from_one_position_moves_once(wire):
    first = (await wire.control("POST", "step", {"position": 0})).json()
    again = (await wire.control("POST", "step", {"position": 0})).json()
    assert first == again
    assert first["position"] == 1
    assert first["time"] == "2025-01-01T00:05:00+00:00"


async def test_a_played_tape_stays_at_its_end(wire):
    for position in range(9):
        await wire.control("POST", "step", {"position": position})
    assert (await wire.control("GET", "clock")).json()["position"] == 5


async def test_a_tape_that_plays_by_itself_is_not_moved(make_wire):
    wire = make_wire(lockstep=False)
    assert (await wire.control("POST", "step", {"position": 0})).json()["position"] == 0


async def test_a_tape_plays_by_itself_to_its_end(make_wire):
    app = make_wire(lockstep=False).app
    player = app.control.player
    await asyncio.wait_for(player.play(speed=100_000), 60)
    assert player.clock().ended
    assert app.venue.quote("BTC").bid_aud == 104


async def test_stepping_fills_what_the_quotes_reach(wire):
    await wire.post("/api/v2/my/buy", cointype="BTC", amount=1, rate=100)
    await wire.post("/api/v2/my/sell", cointype="BTC", amount=1, rate=102)
    for _ in range(3):
        await wire.step()
    rows = (await wire.post("/api/v2/ro/my/orders/completed")).json()
    assert rows["sellorders"][0]["solddate"] == "2025-01-01T00:15:00.000Z"


async def test_an_account_is_opened_once_with_one_deposit(wire):
    request = {"account": "deployment-1", "cash_aud": "10000.00"}
    first = (await wire.control("POST", "accounts", request)).json()
    again = (await wire.control("POST", "accounts", {**request, "cash_aud": "99.00"})).json()
    assert first == again
    assert set(first) == {"key", "secret"}
    balance = await wire.post("/api/v2/ro/my/balance/AUD", key=first["key"], secret=first["secret"])
    assert balance.json()["balance"]["AUD"]["balance"] == 10_000
    other = (await wire.control("POST", "accounts", {**request, "account": "deployment-2"})).json()
    assert other["key"] != first["key"]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("step", {}),
        ("step", {"position": "0"}),
        ("step", {"position": True}),
        ("step", [0]),
        ("accounts", {"cash_aud": "1.00"}),
        ("accounts", {"account": "", "cash_aud": "1.00"}),
        ("accounts", {"account": "x" * 201, "cash_aud": "1.00"}),
        ("accounts", {"account": "x"}),
        ("accounts", {"account": "x", "cash_aud": 100}),
        ("accounts", {"account": "x", "cash_aud": "-1"}),
        ("accounts", {"account": "x", "cash_aud": "0.001"}),
        ("accounts", {"account": "x", "cash_aud": "lots"}),
    ],
)
async def test_a_wrong_request_is_refused(wire, path, fields):
    response = await wire.control("POST", path, fields)
    assert response.status_code == 400
    assert response.json()["message"]


@pytest.mark.parametrize("token", ["", "wrong", "control-toke", "é"])
async def test_nobody_moves_the_tape_without_the_token(wire, token):
    response = await wire.http.post("/sandbox/step", json={"position": 0}, headers={"x-sandbox-token": token.encode()})
    assert response.status_code == 401
    assert wire.app.control.player.position == 0


async def test_without_a_token_there_is_no_control(wire):
    wire.app.control.token = None
    response = await wire.control("GET", "clock", token="")
    assert response.status_code == 404


async def test_asking_too_often_is_answered_429_with_a_pause(make_wire):
    wire = make_wire(rate_limit=3)
    answers = [await wire.post("/api/v2/status") for _ in range(5)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].headers["retry-after"] == "60"
    assert (await wire.get("/pubapi/v2/latest")).status_code == 200
    assert (await wire.control("GET", "clock")).status_code == 200


def test_the_limit_is_off_unless_asked_for():
    rate = RequestRate()
    for _ in range(5000):
        rate.check("me")
    limited = RequestRate(1)
    limited.check("me")
    with pytest.raises(Refusal):
        limited.check("me")


async def test_the_first_version_does_not_say_what_is_wrong_with_a_key(wire):
    response = await wire.post("/api/my/balances", secret="wrong")
    assert (response.status_code, response.json()) == (200, {"status": "invalid"})
    response = await wire.post("/api/v2/status", secret="wrong")
    assert (response.status_code, response.json()) == (401, {"status": "error", "message": "invalid sign"})


async def test_a_read_only_key_reads_and_does_not_trade(wire):
    reader = {"key": "reader-key", "secret": "reader-secret"}
    assert (await wire.post("/api/v2/ro/my/balances", **reader)).status_code == 200
    for path in ("my/buy", "my/sell/now", "status", "quote/buy/now", "my/buy/cancel/all"):
        response = await wire.post(f"/api/v2/{path}", **reader)
        assert (response.status_code, response.json()["message"]) == (403, "this key is read only")
