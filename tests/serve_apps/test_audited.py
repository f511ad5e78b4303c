"""What one account does to another is on the record of both."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI, Request

from omc.access.audit_trail import MemoryAuditTrail
from omc.clock import ManualClock
from omc.errors import NotFound
from serve_apps import audited, problem

ASKER, OTHER = uuid4(), uuid4()


@pytest.fixture
def trail() -> MemoryAuditTrail:
    return MemoryAuditTrail()


@pytest.fixture
async def http(trail):
    app = FastAPI()
    problem.install(app)
    audited.install(app, trail, ManualClock(datetime(2025, 1, 1, tzinfo=UTC)))

    @app.delete("/users/{user_id}", tags=["users"])
    async def delete_user(request: Request, user_id: UUID) -> None:
        await audited.asked(request, ASKER)
        if user_id not in (ASKER, OTHER):
            raise NotFound("there is no such user")

    @app.post("/falls", tags=["users"])
    async def fall(request: Request) -> None:
        await audited.asked(request, ASKER)
        raise ValueError("nobody foresaw this")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://omc") as client:
        yield client


def outcomes(trail: MemoryAuditTrail, account: UUID) -> list[object]:
    return [each.happening.details["outcome"] for each in trail.chains.get(account, [])]


async def test_both_have_it_on_record_once_it_is_done(http, trail):
    await http.delete(f"/users/{OTHER}")
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
