"""Fitted models: the very bytes come back, once for each lineage, to nobody but their owner, until they are deleted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from omc.adapters.postgres.database import Database
from omc.adapters.postgres.models import PostgresModels
from omc.errors import Conflict, NotFound, PayloadTooLarge, RateLimited
from omc.strategy.fitted_model import Lineage, ModelRecord, hash_of_content
from omc.strategy.model_store import MemoryModelStore, ModelStore
from omc.trading.deployment import DeploymentStatus
from tests.omc.adapters.postgres.house import NOON, SPEC, House, algorithm

CONTENT = bytes(range(256)) * 5
START = datetime(2025, 1, 1, tzinfo=UTC)
LINEAGE = Lineage(
    code_hash="c" * 64,
    parameters={"back": 3, "penalty": 0.1, "name": "a", "fast": True, "none": None},
    coins=("ETH", "BTC"),
    start=START,
    end=START + timedelta(days=2, microseconds=-1),
    first_bar=START + timedelta(minutes=5),
    last_bar=START + timedelta(days=1, microseconds=3),
    bars=288,
    bars_hash="b" * 64,
    libraries={"numpy": "2.4.6"},
)


@pytest.fixture
def store(house: House) -> ModelStore:
    if house.database is not None:
        return PostgresModels(house.database)
    algorithms, deployments = house.algorithms, house.deployments

    def used(model_id):
        return any(
            each.model == model_id and each.status is not DeploymentStatus.STOPPED for each in deployments.kept.values()
        )

    return MemoryModelStore(used, algorithms.kept.__contains__)


async def fitted(house: House, content: bytes = CONTENT, **changes) -> ModelRecord:
    """Of a new algorithm, not stored yet."""
    owner = changes.get("user_id") or await house.user()
    found = changes.get("algorithm_id") or (await house.algorithms.create(algorithm(owner))).id
    record = ModelRecord(
        id=uuid4(),
        user_id=owner,
        algorithm_id=found,
        algorithm_version=1,
        content_hash=hash_of_content(content),
        size_bytes=len(content),
        lineage=LINEAGE,
        created_at=NOON,
    )
    return replace(record, **changes)


async def test_content_and_lineage_come_back_as_they_were(house: House, store: ModelStore):
    record = await fitted(house)
    assert await store.keep(record, CONTENT) == record
    assert await store.get(record.id, record.user_id) == record
    assert await store.content(record.id, record.user_id) == CONTENT
    assert (await store.get(record.id, record.user_id)).lineage.hash == LINEAGE.hash


async def test_the_same_content_of_the_same_lineage_is_stored_once(house: House, store: ModelStore):
    record = await fitted(house)
    await store.keep(record, CONTENT)
    again = replace(record, id=uuid4(), created_at=NOON + timedelta(hours=1), algorithm_version=2)
    assert await store.keep(again, CONTENT) == record
    other = replace(again, lineage=replace(LINEAGE, bars_hash="d" * 64))
    assert await store.keep(other, CONTENT) == other
    assert (await store.page(record.user_id, record.algorithm_id, 0, 10)) == ([other, record], 2)


async def test_somebody_elses_is_not_found(house: House, store: ModelStore):
    record = await fitted(house)
    await store.keep(record, CONTENT)
    for ask in (store.get, store.content, store.delete):
        for asker in (record.id, uuid4()), (uuid4(), record.user_id):
            with pytest.raises(NotFound, match="no model"):
                await ask(*asker)
    assert await store.page(uuid4(), record.algorithm_id, 0, 10) == ([], 0)


async def test_a_model_of_an_algorithm_that_is_not_there_is_not_kept(house: House, store: ModelStore):
    record = await fitted(house)
    with pytest.raises(NotFound, match="no algorithm"):
        await store.keep(replace(record, algorithm_id=uuid4()), CONTENT)


async def test_models_are_listed_newest_first_by_the_page(house: House, store: ModelStore):
    first = await fitted(house)
    records = [
        replace(
            first,
            id=uuid4(),
            content_hash=hash_of_content(bytes([at])),
            size_bytes=1,
            created_at=NOON + timedelta(minutes=at),
        )
        for at in range(5)
    ]
    for at, record in enumerate(records):
        await store.keep(record, bytes([at]))
    assert await store.page(first.user_id, first.algorithm_id, 1, 2) == ([records[3], records[2]], 5)


async def test_what_is_deleted_is_gone_and_may_be_stored_again(house: House, store: ModelStore):
    record = await fitted(house)
    await store.keep(record, CONTENT)
    await store.delete(record.id, record.user_id)
    with pytest.raises(NotFound):
        await store.content(record.id, record.user_id)
    assert await store.keep(record, CONTENT) == record


async def test_a_model_goes_with_its_algorithm(house: House, store: ModelStore):
    record = await fitted(house)
    await store.keep(record, CONTENT)
    await house.algorithms.delete(record.algorithm_id, record.user_id)
    with pytest.raises(NotFound):
        await store.get(record.id, record.user_id)
    assert await store.page(record.user_id, record.algorithm_id, 0, 10) == ([], 0)


async def test_a_run_remembers_its_model(house: House, store: ModelStore):
    record = await fitted(house)
    await store.keep(record, CONTENT)
    run = await house.queued(
        user_id=record.user_id, algorithm_id=record.algorithm_id, spec=replace(SPEC, model=record.id)
    )
    await store.delete(record.id, record.user_id)
    assert (await house.backtests.get(run.id, run.user_id)).spec.model == record.id


async def test_a_deployment_holds_on_to_its_model_until_it_is_stopped(house: House, store: ModelStore):
    record = await fitted(house)
    await store.keep(record, CONTENT)
    wanted = replace(await house.wanted(record.user_id), algorithm_id=record.algorithm_id, model=record.id)
    deployed = await house.deployments.create(wanted)
    assert (await house.deployments.get(deployed.id)).model == record.id
    with pytest.raises(Conflict, match="not stopped"):
        await store.delete(record.id, record.user_id)
    await house.deployments.set_status(deployed.id, DeploymentStatus.STOPPED, "enough")
    await store.delete(record.id, record.user_id)
    with pytest.raises(NotFound):
        await store.get(record.id, record.user_id)


@pytest.mark.postgres
async def test_a_deployment_of_a_model_that_is_not_there_is_not_made(database: Database):
    from tests.omc.adapters.postgres.house import in_postgres

    house = in_postgres(database)
    record = await fitted(house)
    wanted = replace(await house.wanted(record.user_id), algorithm_id=record.algorithm_id, model=record.id)
    with pytest.raises(NotFound, match="no model"):
        await house.deployments.create(wanted)


@pytest.mark.postgres
async def test_two_at_once_store_one(database: Database):
    import asyncio

    from tests.omc.adapters.postgres.house import in_postgres

    house, store = in_postgres(database), PostgresModels(database)
    record = await fitted(house)
    kept = await asyncio.gather(*(store.keep(replace(record, id=uuid4()), CONTENT) for _ in range(8)))
    assert len({each.id for each in kept}) == 1
    assert (await store.page(record.user_id, record.algorithm_id, 0, 10))[1] == 1


@pytest.mark.postgres
async def test_a_name_that_is_taken_is_refused(database: Database):
    from tests.omc.adapters.postgres.house import in_postgres

    house, store = in_postgres(database), PostgresModels(database)
    record = await fitted(house)
    await store.keep(record, CONTENT)
    with pytest.raises(Conflict):
        await store.keep(replace(record, content_hash="0" * 64), b"1")


async def test_somebody_has_as_many_models_and_bytes_of_them_as_allowed(house: House, store: ModelStore):
    first = await fitted(house)
    assert await store.held_by(first.user_id) == (0, 0)
    await store.keep(first, CONTENT, 1, len(CONTENT))
    again = replace(first, id=uuid4())
    assert await store.keep(again, CONTENT, 1, len(CONTENT)) == first
    mine = {"user_id": first.user_id, "algorithm_id": first.algorithm_id}
    second = await fitted(house, b"other", **mine)
    with pytest.raises(RateLimited, match="you have 1 models of the 1"):
        await store.keep(second, b"other", 1)
    with pytest.raises(PayloadTooLarge, match="the model has 5 bytes, and your others have 1,280 of the 1,284"):
        await store.keep(second, b"other", 2, len(CONTENT) + 4)
    assert await store.held_by(first.user_id) == (1, len(CONTENT))
    await store.keep(second, b"other", 2, len(CONTENT) + 5)
    assert await store.held_by(first.user_id) == (2, len(CONTENT) + 5)
    theirs = await fitted(house)
    await store.keep(theirs, CONTENT, 1, len(CONTENT))
