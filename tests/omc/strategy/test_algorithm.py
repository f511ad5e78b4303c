"""The store of algorithms that lives in memory keeps the rules of the durable one."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from omc.clock import ManualClock
from omc.errors import Conflict, NotFound
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus, MemoryAlgorithmStore

NOW = datetime(2025, 3, 1, tzinfo=UTC)
USER = UUID(int=2)
RECORD = AlgorithmRecord(
    id=UUID(int=1),
    user_id=USER,
    name="trend",
    description=None,
    algorithm_type="moving_average_crossover",
    code=None,
    parameters={"fast_bars": 5},
    status=AlgorithmStatus.DRAFT,
    version=1,
    created_at=NOW,
    updated_at=NOW,
)


async def test_a_change_of_parameters_is_a_new_version_and_a_draft_again():
    store = MemoryAlgorithmStore(ManualClock(NOW))
    await store.create(RECORD)
    validated = await store.set_status(RECORD.id, USER, AlgorithmStatus.VALIDATED)
    renamed = await store.update(replace(validated, name="trend 2"))
    assert (renamed.name, renamed.version, renamed.status) == ("trend 2", 1, AlgorithmStatus.VALIDATED)
    changed = await store.update(replace(renamed, parameters={"fast_bars": 6}))
    assert (changed.version, changed.status) == (2, AlgorithmStatus.DRAFT)
    versions = await store.versions(RECORD.id, USER)
    assert [each.parameters for each in versions] == [{"fast_bars": 5}, {"fast_bars": 6}]
    assert len({each.content_hash for each in versions}) == 2


async def test_an_algorithm_on_the_floor_is_not_deleted():
    deployed = {RECORD.id}
    store = MemoryAlgorithmStore(ManualClock(NOW), deployed.__contains__)
    await store.create(RECORD)
    with pytest.raises(Conflict):
        await store.delete(RECORD.id, USER)
    deployed.clear()
    await store.delete(RECORD.id, USER)
    with pytest.raises(NotFound):
        await store.get(RECORD.id, USER)


async def test_pages_are_of_the_owner_and_of_the_statuses_asked_for():
    store = MemoryAlgorithmStore(ManualClock(NOW))
    await store.create(RECORD)
    assert (await store.page(USER, 0, 10))[1] == 1
    assert (await store.page(UUID(int=9), 0, 10))[1] == 0
    assert (await store.page(USER, 0, 10, [AlgorithmStatus.DEPLOYABLE]))[1] == 0
    with pytest.raises(NotFound):
        await store.get(RECORD.id, UUID(int=9))
