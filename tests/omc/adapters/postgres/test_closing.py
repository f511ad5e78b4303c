"""Accounts are shut out, let in and deleted, each in one step."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest

from omc.access.closing import NO_PASSWORD, StillTrading
from omc.access.credential import COINSPOT, sealed
from omc.access.token import RefreshGrant
from omc.access.vault import MemoryVault
from omc.adapters.postgres.closing import PostgresClosing
from omc.adapters.postgres.refresh import PostgresRefreshTokens
from omc.adapters.postgres.users import PostgresUsers
from omc.errors import Conflict, NotFound, Unauthenticated
from omc.trading.deployment import DeploymentStatus, Mode
from omc.trading.order import OrderStatus
from tests.omc.adapters.postgres.house import NOON, fill, in_postgres

pytestmark = pytest.mark.postgres


@pytest.fixture
def house(database):
    return in_postgres(database)


@pytest.fixture
def closing(database):
    return PostgresClosing(database)


@pytest.fixture
def users(database):
    return PostgresUsers(database)


async def reasons(closing, user_id, **how) -> list[tuple[str, ...]]:
    told = await closing.delete(user_id, NOON, **how)
    return [each.reasons for each in told.hindrances] if isinstance(told, StillTrading) else []


async def test_who_is_shut_out_trades_nothing_and_holds_no_session(house, closing, users, database):
    user_id = await house.user()
    running = await house.deployed(user_id)
    tokens = PostgresRefreshTokens(database)
    grant = RefreshGrant(uuid4().hex, uuid4(), user_id, NOON + timedelta(days=1))
    await tokens.issue(grant)
    closed = await closing.shut_out(user_id, NOON)
    assert not closed.is_active
    assert await closing.shut_out(user_id, NOON + timedelta(hours=1)) == closed
    assert (await house.deployments.get(running.id)).status is DeploymentStatus.PAUSED
    with pytest.raises(Unauthenticated):
        await tokens.rotate(grant.digest, replace(grant, digest=uuid4().hex), NOON)
    assert (await closing.let_in(user_id)).is_active
    assert (await house.deployments.get(running.id)).status is DeploymentStatus.PAUSED


async def test_a_login_that_was_under_way_begins_no_session(house, closing, users, database):
    user = await users.get(await house.user())
    grant = RefreshGrant(uuid4().hex, uuid4(), user.id, NOON, user.tokens_valid_from)
    await users.set_password(user.id, "new", NOON)
    with pytest.raises(Unauthenticated):
        await PostgresRefreshTokens(database).issue(grant)


async def test_a_deleted_account_keeps_its_books_and_nothing_of_its_owner(house, closing, users):
    user = await users.get(await house.user())
    paper = await house.deployed(user.id)
    await house.filled(paper, fill())
    await house.credentials.add(
        sealed(COINSPOT, user.id, {"api_key": "k" * 20, "api_secret": "s"}, MemoryVault(), at=NOON)
    )
    deleted = await closing.delete(user.id, NOON)
    assert await closing.delete(user.id, NOON + timedelta(days=1)) == deleted
    assert (deleted.full_name, deleted.is_active, deleted.deleted_at) == (None, False, NOON)
    assert await users.credentials(user.email) is None
    assert await users.credentials(deleted.email) == (deleted, NO_PASSWORD)
    assert await house.credentials.of(user.id) == []
    assert (await house.deployments.get(paper.id)).status is DeploymentStatus.STOPPED
    assert (await house.blotter.account(paper.id)).positions["BTC"].quantity == Decimal("0.00100000")
    kinds = [entry.kind for entry in (await house.blotter.journal(user.id, None, [], 0, 50))[0]]
    assert kinds[0] == "account"
    assert "filled" in kinds
    assert (await users.create(user.email, "hash", None)).id != user.id
    with pytest.raises(Conflict):
        await closing.let_in(user.id)
    with pytest.raises(NotFound):
        await users.update(user.id, email=f"{uuid4().hex}@example.com", full_name="late")


async def test_whatever_is_under_way_gives_a_deleted_account_nothing_new(house, closing, database):
    user_id = await house.user()
    wanted = await house.wanted(user_id)
    await closing.delete(user_id, NOON)
    with pytest.raises(NotFound):
        await house.deployments.create(wanted)
    with pytest.raises(NotFound):
        await house.credentials.add(sealed(COINSPOT, user_id, {"api_key": "k" * 20}, MemoryVault(), at=NOON))


async def test_live_deployments_are_in_the_way(house, closing):
    user_id = await house.user()
    live = await house.deployed(user_id, mode=Mode.LIVE)
    assert await reasons(closing, user_id) == [("it is not deactivated",)]
    order = await house.sent(live)
    assert await reasons(closing, user_id) == [("it is not deactivated", "it has an order under way")]
    await house.blotter.settle(order.become(OrderStatus.FILLED).filled_by((fill(),)))
    await house.deployments.set_status(live.id, DeploymentStatus.STOPPED, "enough")
    assert await reasons(closing, user_id) == [("it holds coins",)]
    assert await reasons(closing, user_id, leaving_coins=True) == []


async def test_an_unknown_account_cannot_be_closed(closing):
    for each in (closing.shut_out(uuid4(), NOON), closing.let_in(uuid4()), closing.delete(uuid4(), NOON)):
        with pytest.raises(NotFound):
            await each
