"""What one account does to another is on the record of both."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI, Request

from omc.access.audit_trail import MemoryAuditTrail, verify_all
from omc.clock import ManualClock
from omc.errors import NotFound, Unavailable
from serve_apps import audited, problem

ASKER, OTHER = uuid4(), uuid4()


@pytest.fixture
def trail() -> MemoryAuditTrail:
    return MemoryAuditTrail()


@pytest.fixture
async def http(trail):
    async with client_of(trail) as client:
        yield client


def client_of(trail: MemoryAuditTrail) -> httpx.AsyncClient:
    app = FastAPI()
    problem.install(app)
    audited.install(app, trail, ManualClock(datetime(2025, 1, 1, tzinfo=UTC)))

    @app.delete("/users/{user_id:uuid}", tags=["users"])
    async def delete_user(request: Request, user_id: UUID) -> None:
        await audited.asked(request, ASKER)
        if user_id not in (ASKER, OTHER):
            raise NotFound("there is no such user")

    @app.post("/falls", tags=["users"])
    async def fall(request: Request) -> None:
        await audited.asked(request, ASKER)
        raise ValueError("nobody foresaw this")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://omc")


def outcomes(trail: MemoryAuditTrail, account: UUID) -> list[object]:
    return [each.happening.details["outcome"] for each in trail.chains.get(account, [])]


@pytest.mark.parametrize("written", [str(OTHER), OTHER.hex, str(OTHER).upper()], ids=["as ever", "in one", "large"])
async def test_both_have_it_on_record_once_it_is_done_however_the_id_is_written(http, trail, written):
    await http.delete(f"/users/{written}")
    assert (outcomes(trail, ASKER), outcomes(trail, OTHER)) == (["asked", "done"], ["done"])
    assert trail.chains[OTHER][0].happening.actor == f"user:{ASKER}"


async def test_nobody_writes_into_the_record_of_who_is_not_there(http, trail):
    await http.delete(f"/users/{uuid4()}")
    await http.delete(f"/users/{ASKER}")
    assert set(trail.chains) == {ASKER}
    assert outcomes(trail, ASKER) == ["asked", "refused", "asked", "done"]


async def test_a_fault_that_nobody_foresaw_is_an_outcome(http, trail):
    await http.post("/falls")
    assert [each.happening.details.get("status") for each in trail.chains[ASKER]] == [None, 500]
    assert outcomes(trail, ASKER) == ["asked", "failed"]


class Hanging(MemoryAuditTrail):
    """Takes what was asked for, and outcomes once it may go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on, self.all_written = asyncio.Event(), asyncio.Event()

    async def append(self, happening):
        if happening.details["outcome"] != "asked":
            await self.go_on.wait()
        link = await super().append(happening)
        if sum(map(len, self.chains.values())) == 3:
            self.all_written.set()
        return link


async def test_an_outcome_is_not_waited_for_where_the_database_hangs_and_is_not_lost(monkeypatch):
    monkeypatch.setattr("serve_apps.audited._OUTCOME_S", 0.01)
    trail = Hanging()
    async with client_of(trail) as http:
        assert (await http.delete(f"/users/{OTHER}")).status_code == 200
        assert (outcomes(trail, ASKER), outcomes(trail, OTHER)) == (["asked"], [])
        trail.go_on.set()
        await trail.all_written.wait()
    assert (outcomes(trail, ASKER), outcomes(trail, OTHER)) == (["asked", "done"], ["done"])
    assert (await verify_all(trail)).flaws == ()


class Away(MemoryAuditTrail):
    async def append(self, happening):
        raise Unavailable("the database is away")


async def test_what_could_not_be_put_on_record_owes_no_outcome():
    async with client_of(Away()) as http:
        assert (await http.delete(f"/users/{OTHER}")).status_code == 503
