"""Algorithms: a change of what runs makes a new version, and nobody sees another's."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest

from omc.adapters.postgres.database import Database
from omc.errors import Conflict, InvalidInput, NotFound
from omc.strategy.algorithm import AlgorithmStatus, AlgorithmStore, content_hash
from omc.trading.deployment import DeploymentStatus
from tests.omc.adapters.postgres.house import House, algorithm, in_postgres


@pytest.fixture
def algorithms(house: House) -> AlgorithmStore:
    return house.algorithms


@pytest.fixture
async def user_id(house: House) -> UUID:
    return await house.user()


async def test_an_algorithm_comes_back_as_it_was_stored(algorithms: AlgorithmStore, user_id: UUID):
    record = algorithm(user_id, parameters={"threshold": 0.1 + 0.2, "tiny": 5e-324, "list": [1, None, "x"]})
    assert await algorithms.create(record) == record
    assert await algorithms.get(record.id, user_id) == record
    with pytest.raises(NotFound):
        await algorithms.get(record.id, uuid4())


async def test_only_a_change_of_what_runs_makes_a_version(algorithms: AlgorithmStore, user_id: UUID):
    record = await algorithms.create(algorithm(user_id))
    await algorithms.set_status(record.id, user_id, AlgorithmStatus.VALIDATED)
    renamed = await algorithms.update(replace(record, name="renamed"))
    assert (renamed.name, renamed.version, renamed.status) == ("renamed", 1, AlgorithmStatus.VALIDATED)
    tuned = await algorithms.update(replace(record, parameters={"fast_bars": 5}))
    assert (tuned.version, tuned.status) == (2, AlgorithmStatus.DRAFT)
    versions = await algorithms.versions(record.id, user_id)
    assert [(each.version, each.parameters) for each in versions] == [(1, record.parameters), (2, {"fast_bars": 5})]
    assert versions[1].content_hash == content_hash("moving_average", None, {"fast_bars": 5})


async def test_what_was_edited_meanwhile_is_neither_overwritten_nor_given_a_status(
    algorithms: AlgorithmStore, user_id: UUID
):
    seen = await algorithms.create(algorithm(user_id))
    for edit in ({"parameters": {"fast_bars": 7}}, {"name": "renamed"}):
        edited = await algorithms.update(replace(seen, **edit), seen=seen)
        with pytest.raises(Conflict, match="edited meanwhile"):
            await algorithms.update(replace(seen, parameters={"fast_bars": 9}), seen=seen)
        with pytest.raises(Conflict, match="edited meanwhile"):
            await algorithms.set_status(seen.id, user_id, AlgorithmStatus.VALIDATED, seen=seen)
        assert await algorithms.get(seen.id, user_id) == edited
        seen = edited
    judged = await algorithms.set_status(seen.id, user_id, AlgorithmStatus.VALIDATED, seen=seen)
    assert (judged.name, judged.version, judged.status) == ("renamed", 2, AlgorithmStatus.VALIDATED)


async def test_pages_are_filtered_by_status(algorithms: AlgorithmStore, user_id: UUID):
    draft, validated = await algorithms.create(algorithm(user_id)), await algorithms.create(algorithm(user_id))
    await algorithms.set_status(validated.id, user_id, AlgorithmStatus.VALIDATED)
    found, total = await algorithms.page(user_id, 0, 9, [AlgorithmStatus.VALIDATED, AlgorithmStatus.DEPLOYABLE])
    assert ([each.id for each in found], total) == ([validated.id], 1)
    found, total = await algorithms.page(user_id, 0, 1)
    assert (len(found), total) == (1, 2)
    assert {draft.id, validated.id} == {each.id for each in (await algorithms.page(user_id, 0, 9))[0]}


async def test_an_algorithm_that_trades_cannot_be_deleted(house: House, algorithms: AlgorithmStore):
    deployment = await house.deployed()
    with pytest.raises(Conflict, match="deactivate"):
        await algorithms.delete(deployment.algorithm_id, deployment.user_id)
    await house.deployments.set_status(deployment.id, DeploymentStatus.STOPPED, "done")
    await algorithms.delete(deployment.algorithm_id, deployment.user_id)
    for attempt in (algorithms.get, algorithms.delete, algorithms.versions):
        with pytest.raises(NotFound):
            await attempt(deployment.algorithm_id, deployment.user_id)
    assert (await house.deployments.get(deployment.id)).algorithm_id == deployment.algorithm_id


async def test_an_algorithm_that_never_traded_is_gone_when_deleted(algorithms: AlgorithmStore, user_id: UUID):
    record = await algorithms.create(algorithm(user_id))
    with pytest.raises(NotFound):
        await algorithms.delete(record.id, uuid4())
    await algorithms.delete(record.id, user_id)
    assert await algorithms.page(user_id, 0, 9) == ([], 0)
    await algorithms.create(record)


async def test_an_algorithm_is_created_once(algorithms: AlgorithmStore, user_id: UUID):
    record = await algorithms.create(algorithm(user_id))
    with pytest.raises(Conflict):
        await algorithms.create(record)


@pytest.mark.postgres
async def test_an_algorithm_needs_an_owner_and_finite_parameters(database: Database):
    house = in_postgres(database)
    with pytest.raises(NotFound, match="user"):
        await house.algorithms.create(algorithm(uuid4()))
    record = algorithm(await house.user())
    for attempt in (house.algorithms.create, house.algorithms.update):
        with pytest.raises(InvalidInput):
            await attempt(replace(record, parameters={"threshold": float("inf")}))
        if attempt == house.algorithms.create:
            await house.algorithms.create(record)
