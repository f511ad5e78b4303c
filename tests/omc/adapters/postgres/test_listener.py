"""Whoever follows an account's journal gets every entry once, in order and without a gap, whatever happens."""

import asyncio
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid4

import psycopg
import pytest

from omc.adapters.postgres import dsn, journal, listener
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.listener import PostgresFeed
from omc.ledger.cadence import Cadence
from omc.trading.deployment import DeploymentStatus
from omc.trading.feed import JournalFeed, MemoryFeed
from tests.omc.adapters.postgres.house import House, fill, in_postgres, intent

QUICK = Cadence(every_s=0.01, longest_s=0.01, first_s=0.001)


class Ears:
    """What was heard of, and somebody to wait for it."""

    def __init__(self) -> None:
        self.heard: list[UUID | None] = []
        self._more = asyncio.Event()

    def __call__(self, user_id: UUID | None) -> None:
        self.heard.append(user_id)
        self._more.set()

    async def of(self, user_id: UUID | None, times: int = 1) -> None:
        async with asyncio.timeout(30):
            while self.heard.count(user_id) < times:
                self._more.clear()
                await self._more.wait()


@asynccontextmanager
async def watching(feed):
    ears = Ears()
    task = asyncio.create_task(feed.watch(ears))
    try:
        await ears.of(None)
        yield ears
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def feed(house: House) -> JournalFeed:
    return PostgresFeed(house.database) if house.database else MemoryFeed(house.deployments.journal)


async def read(feed: JournalFeed, user_id: UUID) -> list[tuple[int, str]]:
    return [(each.number, each.entry.kind) for each in await feed.after({user_id: 0}, 1_000)]


async def test_every_account_is_numbered_from_one_without_a_gap(house: House, feed: JournalFeed):
    mine, theirs = await house.deployed(), await house.deployed()
    await house.filled(mine, fill())
    await house.filled(theirs, fill())
    wanted = ["deployment", "intent", "submitted", "filled", "position", "pnl"]
    for user_id in (mine.user_id, theirs.user_id):
        assert await read(feed, user_id) == list(enumerate(wanted, start=1))
        assert await feed.position(user_id) == 6


async def test_what_follows_a_position_is_read_for_several_accounts_at_once(house: House, feed: JournalFeed):
    mine, theirs, nobody = await house.deployed(), await house.deployed(), await house.user()
    await house.filled(mine, fill())
    positions = {mine.user_id: 4, theirs.user_id: 0, nobody: 0}
    found = [(each.user_id, each.number) for each in await feed.after(positions, 1)]
    assert sorted(found) == sorted([(mine.user_id, 5), (theirs.user_id, 1)])
    assert await feed.after({}, 10) == []
    assert await feed.position(nobody) == 0


async def test_what_was_rolled_back_leaves_no_gap(house: House, feed: JournalFeed):
    deployment = await house.deployed()
    if house.database is not None:
        with suppress(ZeroDivisionError):
            async with house.database.transaction() as connection:
                insert = "INSERT INTO journal (user_id, kind) VALUES ($1, 'lost')"
                await connection.exec_driver_sql(insert, (deployment.user_id,))
                raise ZeroDivisionError
    await house.deployments.set_status(deployment.id, DeploymentStatus.PAUSED, "a pause")
    assert await read(feed, deployment.user_id) == [(1, "deployment"), (2, "deployment")]


async def test_many_who_write_at_once_leave_neither_a_gap_nor_a_double(house: House, feed: JournalFeed):
    deployment = await house.deployed()
    await asyncio.gather(
        *(house.blotter.begin(intent(deployment, client_order_id=f"{deployment.id}:{n}")) for n in range(30))
    )
    assert [number for number, _ in await read(feed, deployment.user_id)] == list(range(1, 32))


async def test_whoever_watches_hears_whose_journal_grew(house: House, feed: JournalFeed):
    deployment = await house.deployed()
    async with watching(feed) as ears:
        await house.deployments.set_status(deployment.id, DeploymentStatus.PAUSED, "a pause")
        await ears.of(deployment.user_id)


@pytest.mark.postgres
async def test_a_listener_whose_connection_is_cut_connects_again_and_says_so(fresh_database: Database):
    house, feed = in_postgres(fresh_database), PostgresFeed(fresh_database, QUICK)
    deployment = await house.deployed()
    async with watching(feed) as ears:
        for cuts in (1, 2):
            with psycopg.connect(dsn.read(fresh_database.dsn_file), autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
                )
            await ears.of(None, times=cuts + 1)
        await house.deployments.set_status(deployment.id, DeploymentStatus.PAUSED, "a pause")
        await ears.of(deployment.user_id)
    await house.database.close()


@pytest.mark.postgres
async def test_a_listener_waits_for_a_database_that_is_not_there_yet(fresh_database: Database, tmp_path):
    file = tmp_path / "later.dsn"
    later = PostgresFeed(Database(file), QUICK)
    ears = Ears()
    task = asyncio.create_task(later.watch(ears))
    await asyncio.sleep(0)
    dsn.write(file, dsn.read(fresh_database.dsn_file))
    await ears.of(None)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.postgres
async def test_what_a_writer_did_not_live_to_tell_is_looked_for(fresh_database: Database, monkeypatch):
    monkeypatch.setattr(listener, "_LOOK_S", 0.01)
    feed, me = PostgresFeed(fresh_database), uuid4()
    async with watching(feed) as ears:
        with psycopg.connect(dsn.read(fresh_database.dsn_file)) as connection:
            connection.execute("INSERT INTO journal (user_id, kind) VALUES (%s, 'untold')", (me,))
        await ears.of(None, times=ears.heard.count(None) + 2)
        assert me not in ears.heard
        assert [each.entry.kind for each in await feed.after({me: 0}, 10)] == ["untold"]


@pytest.mark.postgres
async def test_nobody_is_told_of_what_was_rolled_back(database: Database):
    feed, lost, kept = PostgresFeed(database), uuid4(), uuid4()
    async with watching(feed) as ears:
        with suppress(ZeroDivisionError):
            async with database.transaction() as connection:
                await journal.write(connection, journal.Line(lost, "lost"))
                raise ZeroDivisionError
        async with database.transaction() as connection:
            await journal.write(connection, journal.Line(kept, "kept"), journal.Line(kept, "kept"))
        await ears.of(kept)
        assert lost not in ears.heard
