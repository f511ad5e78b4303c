"""Everybody may ask as fast as they are told, and nobody is held up by somebody else."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import Depends, FastAPI

from omc.access.api_token import MemoryApiTokenStore, token_text
from omc.access.asker import Askers
from omc.access.rate import Charge, MemoryRates, Rate, Verdict
from omc.access.signer import ACCESS_LIFE, Claims
from omc.adapters.system_clock import SystemClock
from omc.errors import Unavailable
from serve_apps import door
from serve_apps.caller import Proxies
from serve_apps.door import Rules
from serve_apps.identity import Bearer
from serve_apps.limits import AskingLimits
from serve_apps.vouched import Vouched

Refused = Callable[[httpx.Response, int, str], dict[str, object]]
HERE, AWAY, ELSEWHERE = "127.0.0.1", "203.0.113.9", "198.51.100.7"
REGISTER = "/api/v1/users/register"
STOP = "/api/v1/floor/emergency-stop"


@dataclass
class CountedRates:
    """A RateStore that counts how often it is asked, and can be away."""

    inner: MemoryRates = field(default_factory=lambda: MemoryRates(SystemClock()))
    asked: list[list[str]] = field(default_factory=list)
    is_away: bool = False

    async def take(self, charges: Sequence[Charge]) -> Verdict:
        self.asked.append([charge.key.partition(":")[0] for charge in charges])
        if self.is_away:
            raise Unavailable("the database is away")
        return await self.inner.take(charges)

    async def forget(self) -> None:
        await self.inner.forget()


@pytest.fixture
def store() -> CountedRates:
    return CountedRates()


@dataclass
class Platform:
    app: FastAPI
    signer: object
    clock: object

    def headers(self, user_id: UUID) -> dict[str, str]:
        now = self.clock.now()
        return {"Authorization": f"Bearer {self.signer.sign(Claims(user_id, uuid4(), now, now + ACCESS_LIFE))}"}

    async def ask(self, path: str, of: UUID | None = None, peer: str = AWAY, method: str = "GET", **headers: str):
        transport = httpx.ASGITransport(self.app, client=(peer, 5))
        told = {**headers, **(self.headers(of) if of else {})}
        async with httpx.AsyncClient(transport=transport, base_url="http://omc") as client:
            return await client.request(method, path, headers=told)


@pytest.fixture
def platform(store: CountedRates, signer, clock) -> Platform:
    app = FastAPI()
    limits = AskingLimits(store, account=Rate(1, 3), address=Rate(1, 5), register=Rate(1, 2), stop=Rate(1, 4))
    askers = Askers(signer, clock, MemoryApiTokenStore())
    door.install(app, Rules(limits=limits, proxies=Proxies()), Vouched(askers))
    bearer = Bearer(askers)

    @app.get("/mine")
    async def mine(user_id: Annotated[UUID, Depends(bearer)]) -> str:
        return str(user_id)

    @app.post("/api/v1/auth/login")
    async def log_in() -> str:
        return "in"

    @app.post(REGISTER, status_code=201)
    async def register() -> str:
        return "made"

    @app.get("/api/v1/health")
    async def health() -> str:
        return "ok"

    @app.post(STOP)
    async def stop(user_id: Annotated[UUID, Depends(bearer)]) -> str:
        return str(user_id)

    return Platform(app, signer, clock)


async def test_an_account_is_told_how_it_stands_and_when_to_come_again(platform: Platform, refused: Refused):
    me = uuid4()
    answers = [await platform.ask("/mine", me, HERE) for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert [each.headers["ratelimit-remaining"] for each in answers] == ["2", "1", "0", "0"]
    assert {each.headers["ratelimit-limit"] for each in answers} == {"3"}
    error = refused(answers[-1], 429, "RATE_LIMITED")
    assert error["details"] == {"limited_by": "account", "requests_per_minute": 1, "at_once": 3}
    assert 58 <= int(answers[-1].headers["retry-after"]) <= 60
    assert 178 <= int(answers[-1].headers["ratelimit-reset"]) <= 180
    assert str(me) not in answers[-1].text


async def test_an_account_is_limited_wherever_it_asks_from_and_others_are_not(platform: Platform):
    me, other = uuid4(), uuid4()
    assert [(await platform.ask("/mine", me, peer)).status_code for peer in (HERE, AWAY, ELSEWHERE, AWAY)] == [
        200,
        200,
        200,
        429,
    ]
    assert (await platform.ask("/mine", other, ELSEWHERE)).status_code == 200


async def test_account_and_address_are_one_question(platform: Platform, store: CountedRates):
    await platform.ask("/mine", uuid4())
    assert store.asked == [["account", "address"]]


async def test_whoever_is_not_signed_in_is_limited_by_address(platform: Platform, refused: Refused):
    for path in ("/mine", "/nowhere", "/api/v1/docs", "/mine?x", "/nothing"):
        assert (await platform.ask(path)).status_code in (200, 401, 404)
    refused(await platform.ask("/nowhere"), 429, "RATE_LIMITED")
    assert (await platform.ask("/nowhere", peer=ELSEWHERE)).status_code == 404


async def test_a_token_that_is_none_is_no_way_around_it(platform: Platform, refused: Refused):
    forged = {"Authorization": "Bearer nonsense"}
    answers = [await platform.ask("/mine", **forged) for _ in range(8)]
    assert [each.status_code for each in answers] == [401] * 6 + [429] * 2
    assert [each.headers["ratelimit-remaining"] for each in answers] == ["4", "3", "2", "1", "0", "0", "0", "0"]
    other_way = [await platform.ask("/api/v1/auth/login", None, ELSEWHERE, "POST", **forged) for _ in range(6)]
    assert [each.status_code for each in other_way] == [200] * 5 + [429]


async def test_one_address_opens_few_accounts_and_this_machine_as_many_as_it_likes(
    platform: Platform, refused: Refused
):
    answers = [await platform.ask(REGISTER, None, AWAY, "POST") for _ in range(3)]
    assert [each.status_code for each in answers] == [201, 201, 429]
    assert refused(answers[-1], 429, "RATE_LIMITED")["details"]["limited_by"] == "register"
    assert (await platform.ask("/api/v1/auth/login", None, AWAY, "POST")).status_code == 200
    assert (await platform.ask(REGISTER, None, ELSEWHERE, "POST")).status_code == 201
    assert {(await platform.ask(REGISTER, None, HERE, "POST")).status_code for _ in range(5)} == {201}


async def test_a_flood_costs_no_question(platform: Platform, store: CountedRates):
    for _ in range(6):
        await platform.ask("/nowhere")
    asked = len(store.asked)
    for _ in range(50):
        assert (await platform.ask("/nowhere")).status_code == 429
        assert (await platform.ask("/mine", uuid4())).status_code == 429
    assert len(store.asked) == asked


async def test_probes_are_never_refused(platform: Platform):
    assert {(await platform.ask("/api/v1/health")).status_code for _ in range(20)} == {200}


async def test_an_emergency_stop_is_not_held_up_by_what_else_was_asked(platform: Platform, refused: Refused):
    me = uuid4()
    for _ in range(6):
        await platform.ask("/nowhere")
        await platform.ask("/mine", me, HERE)
    assert (await platform.ask("/mine", me, HERE)).status_code == 429
    stops = [await platform.ask(STOP, me, AWAY, "POST") for _ in range(5)]
    assert [each.status_code for each in stops] == [200] * 4 + [429]
    refused(await platform.ask(STOP, None, AWAY, "POST"), 429, "RATE_LIMITED")


@pytest.mark.parametrize("made_up", ["nonsense", token_text(uuid4(), "s" * 43)], ids=["nonsense", "a program's"])
async def test_made_up_tokens_do_not_get_around_it_by_stopping_everything(
    platform: Platform, store: CountedRates, made_up: str
):
    forged = {"Authorization": f"Bearer {made_up}"}
    answers = [await platform.ask(STOP, None, AWAY, "POST", **forged) for _ in range(8)]
    assert [each.status_code for each in answers] == [401] * 6 + [429] * 2
    asked = len(store.asked)
    assert {(await platform.ask(STOP, None, AWAY, "POST", **forged)).status_code for _ in range(20)} == {429}
    assert len(store.asked) == asked, "a flood costs no question"
    assert (await platform.ask(STOP, uuid4(), AWAY, "POST")).status_code == 200, "whoever is known is let in"


async def test_this_machine_is_limited_by_account_alone(platform: Platform, store: CountedRates):
    assert {(await platform.ask("/nowhere", peer=HERE)).status_code for _ in range(10)} == {404}
    assert store.asked == []
    through = [await platform.ask("/nowhere", None, HERE, **{"X-Forwarded-For": AWAY}) for _ in range(6)]
    assert [each.status_code for each in through] == [404] * 5 + [429]


async def test_without_the_database_each_replica_counts_by_itself_and_says_so(
    platform: Platform, store: CountedRates, caplog: pytest.LogCaptureFixture
):
    store.is_away = True
    me = uuid4()
    with caplog.at_level(logging.WARNING, "omc.http"):
        answers = [await platform.ask("/mine", me) for _ in range(4)]
    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert len(store.asked) == 1
    assert caplog.text.count("each replica limits them by itself") == 1
