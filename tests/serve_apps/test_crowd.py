"""A replica that is full says so at once, and whoever stops everything always finds room."""

import asyncio
from collections.abc import AsyncIterator, Callable
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from omc.access.api_token import MemoryApiTokenStore, token_text
from omc.access.asker import Askers
from omc.access.signer import ACCESS_LIFE, Claims
from serve_apps import door
from serve_apps.door import Rules
from serve_apps.vouched import Vouched

Refused = Callable[[httpx.Response, int, str], dict[str, object]]
STOP, SLOW_STOP = "/api/v1/floor/emergency-stop", "/api/v1/floor/stopentry"
AT_ONCE = 3


class Replica:
    """Whatever is slow goes on until it is told to."""

    def __init__(self, signer, clock) -> None:
        self.go_on, self.inside = asyncio.Event(), asyncio.Semaphore(0)
        self._signer, self._clock, self._waiting = signer, clock, list[asyncio.Task[httpx.Response]]()
        app = FastAPI()
        door.install(app, Rules(at_once=AT_ONCE), Vouched(Askers(signer, clock, MemoryApiTokenStore())))
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://omc")

        async def slow() -> str:
            self.inside.release()
            await self.go_on.wait()
            return "done"

        async def at_once() -> str:
            return "ok"

        app.get("/slow")(slow)
        app.post(SLOW_STOP)(slow)
        app.get("/api/v1/health")(at_once)
        app.post(STOP)(at_once)

    def session(self, user_id: UUID) -> str:
        now = self._clock.now()
        return self._signer.sign(Claims(user_id, uuid4(), now, now + ACCESS_LIFE))

    async def stop(self, token: str = "", path: str = STOP) -> httpx.Response:
        return await self.http.post(path, headers={"Authorization": f"Bearer {token}"} if token else {})

    async def begin(self, *asked) -> None:
        """Requests that are under way when this returns."""
        self._waiting += [asyncio.create_task(each) for each in asked]
        for _ in asked:
            await self.inside.acquire()

    async def end(self) -> set[int]:
        self.go_on.set()
        return {(await each).status_code for each in self._waiting}


@pytest.fixture
async def replica(signer, clock) -> AsyncIterator[Replica]:
    made = Replica(signer, clock)
    async with made.http:
        yield made


async def test_whoever_comes_when_it_is_full_is_sent_away_and_probes_and_stops_are_not(
    replica: Replica, refused: Refused
):
    await replica.begin(*(replica.http.get("/slow") for _ in range(AT_ONCE)))
    refused(await replica.http.get("/slow"), 503, "UNAVAILABLE")
    assert (await replica.http.get("/api/v1/health")).status_code == 200
    assert (await replica.stop(replica.session(uuid4()))).status_code == 200
    assert await replica.end() == {200}
    assert (await replica.http.get("/slow")).status_code == 200


async def test_made_up_tokens_do_not_take_the_room_of_whoever_stops_everything(replica: Replica, refused: Refused):
    await replica.begin(*(replica.stop("nonsense", SLOW_STOP) for _ in range(AT_ONCE)))
    for made_up in ("", "nonsense", token_text(uuid4(), "s" * 43), f"{replica.session(uuid4())}x"):
        refused(await replica.stop(made_up), 503, "UNAVAILABLE")
    assert (await replica.stop(replica.session(uuid4()))).status_code == 200
    assert await replica.end() == {200}


async def test_one_account_that_stops_everything_leaves_room_for_others(replica: Replica, refused: Refused):
    mine, theirs = replica.session(uuid4()), replica.session(uuid4())
    await replica.begin(*(replica.http.get("/slow") for _ in range(AT_ONCE)))
    await replica.begin(*(replica.stop(mine, SLOW_STOP) for _ in range(4)))
    refused(await replica.stop(mine), 503, "UNAVAILABLE")
    assert (await replica.stop(theirs)).status_code == 200
    assert await replica.end() == {200}
    assert (await replica.stop(mine)).status_code == 200
