"""A halt is carried out whatever the database does: whatever keeps account of requests does not hold it up."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from omc.access.api_token import ApiToken, MemoryApiTokenStore, digest, token_text
from omc.access.audit import Happening, Link
from omc.access.audit_trail import MemoryAuditTrail, verify_all
from omc.access.once import Answer, Claim, MemoryRequests
from omc.access.rate import Charge, MemoryRates, Verdict
from omc.access.revocation import Revocation
from omc.access.scope import Scope
from omc.errors import Unavailable
from omc.risk.kill_switch import Halt, MemoryKillSwitch
from serve_apps.door import Rules
from serve_apps.floor.app import PREFIX, build
from serve_apps.limits import AskingLimits


class Server:
    """What all stores stand for here: it answers, refuses, or hangs."""

    def __init__(self) -> None:
        self.state = "answers"
        self.back = asyncio.Event()
        self.both_written = asyncio.Event()

    async def reach(self) -> None:
        if self.state == "hangs":
            await self.back.wait()
        if self.state == "refuses":
            raise Unavailable("the database cannot be reached")

    def comes_back(self) -> None:
        self.state = "answers"
        self.back.set()


class Trail(MemoryAuditTrail):
    server: Server

    async def append(self, happening: Happening) -> Link:
        await self.server.reach()
        link = await MemoryAuditTrail.append(self, happening)
        if link.seq == 2:
            self.server.both_written.set()
        return link


class Requests(MemoryRequests):
    server: Server

    async def claim(self, user_id: UUID, key: str, fingerprint: bytes) -> Claim | Answer | None:
        await self.server.reach()
        return await MemoryRequests.claim(self, user_id, key, fingerprint)

    async def answer(self, claim: Claim, answer: Answer) -> Answer:
        await self.server.reach()
        return await MemoryRequests.answer(self, claim, answer)


class Tokens(MemoryApiTokenStore):
    server: Server

    async def find(self, token_id: UUID) -> ApiToken | None:
        await self.server.reach()
        return await MemoryApiTokenStore.find(self, token_id)

    async def note_use(self, token_id: UUID, at: datetime) -> None:
        await self.server.reach()
        await MemoryApiTokenStore.note_use(self, token_id, at)


class Rates(MemoryRates):
    server: Server

    async def take(self, charges: Sequence[Charge]) -> Verdict:
        await self.server.reach()
        return await MemoryRates.take(self, charges)


class Revoking:
    def __init__(self, server: Server) -> None:
        self.server = server

    async def changed_since(self, at: datetime) -> list[Revocation]:
        await self.server.reach()
        return []


class Switch(MemoryKillSwitch):
    server: Server

    async def trip(self, *given: object, **named: object) -> Halt:
        await self.server.reach()
        return await MemoryKillSwitch.trip(self, *given, **named)  # type: ignore[arg-type]


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def stopping(ports, server, clock, calling):
    """A caller of a floor all of whose stores are the server's."""
    audit, requests, tokens, rates = Trail(), Requests(clock), Tokens(), Rates(clock)
    switch = Switch(clock.now(), journal=ports.deployments.journal)
    for store in (audit, requests, tokens, rates, switch):
        store.server = server
    mine = replace(
        ports,
        audit=audit,
        requests=requests,
        tokens=tokens,
        kill_switch=switch,
        revocations=Revoking(server),
        rules=Rules(limits=AskingLimits(rates)),
    )
    caller = calling(build(mine), PREFIX)
    return caller, mine


@pytest.mark.parametrize("path", ["/emergency-stop", "/stopentry"])
@pytest.mark.parametrize("key", [{}, {"Idempotency-Key": "once"}], ids=["", "with a key"])
@pytest.mark.parametrize("state", ["refuses", "hangs"])
async def test_a_halt_is_carried_out_and_put_on_record_when_the_database_is_back(stopping, server, state, key, path):
    caller, ports = stopping
    server.state = state
    assert (await caller.post(path, headers=key)).json()["data"]["kept_in"] == ["file", "risk desk"]
    assert [halt.user_id for halt in ports.halt_files.on()] == [caller.user_id]
    assert ports.audit.chains == {}
    server.comes_back()
    await server.both_written.wait()
    asked, done = ports.audit.chains[caller.user_id]
    assert asked.happening.details == {"outcome": "asked"}
    assert done.happening.details == {"outcome": "done", "status": 200, "asked": 1}
    assert (await verify_all(ports.audit)).flaws == ()


async def test_a_reset_and_all_else_is_refused_that_cannot_be_put_on_record(stopping, server, refused):
    caller, ports = stopping
    await caller.post("/emergency-stop")
    server.state = "refuses"
    refused(await caller.post("/emergency-stop/reset"), 503, "UNAVAILABLE")
    assert [halt.user_id for halt in ports.halt_files.on()] == [caller.user_id]


async def test_a_database_that_hangs_while_it_is_carried_out_does_not_keep_its_answer(stopping, server, monkeypatch):
    caller, ports = stopping
    halt = type(ports.risk).halt

    async def halting(*given):
        server.state = "hangs"
        return await halt(*given)

    monkeypatch.setattr(type(ports.risk), "halt", halting)
    assert (await caller.post("/emergency-stop", headers={"Idempotency-Key": "once"})).status_code == 200
    server.comes_back()


@pytest.mark.parametrize("state", ["refuses", "hangs"])
async def test_a_program_whose_token_was_known_stops_as_well(stopping, server, clock, state):
    caller, ports = stopping
    token_id = uuid4()
    text = token_text(token_id, "s" * 43)
    life = clock.now() + timedelta(days=1)
    scopes = frozenset({Scope.TRADE})
    await ports.tokens.add(ApiToken(token_id, caller.user_id, "bot", scopes, digest(text), clock.now(), life))
    caller.headers = {"Authorization": f"Bearer {text}"}
    assert (await caller.get("/risk/status")).status_code == 200
    clock.advance(timedelta(minutes=5))
    server.state = state
    assert (await caller.post("/emergency-stop")).status_code == 200
    assert [each.user_id for each in ports.halt_files.on()] == [caller.user_id]
    server.comes_back()
