"""Sealed keys are kept one for each keyhole of a user, and what a venue says of one reaches whatever trades by it."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text

from omc.access.credential import COINSPOT, Access, Credential, Keyhole, Use, seal_of, sealed
from omc.access.vault import MemoryVault, Vault
from omc.errors import Conflict, NotFound
from omc.trading.deployment import DeploymentStatus, Mode
from omc.trading.order import UNSETTLED, OrderStatus
from tests.omc.adapters.postgres.house import NOON, House, fill, in_postgres, intent

KRAKEN, OPENAI = Keyhole(Use.EXCHANGE, "kraken"), Keyhole(Use.LLM, "openai")
TO = {each: (each,) for each in UNSETTLED} | {
    OrderStatus.SUBMITTED: (),
    OrderStatus.UNRESOLVED: (OrderStatus.UNKNOWN, OrderStatus.UNRESOLVED),
    OrderStatus.CANCELLING: (OrderStatus.ACCEPTED, OrderStatus.CANCELLING),
    OrderStatus.REPLACING: (OrderStatus.ACCEPTED, OrderStatus.REPLACING),
}
"""How an order that was sent comes to be what it is."""
KEY, SECRET = "abcd0123456789wxyz", "s3cret-of-the-exchange"
FIELDS = {COINSPOT: ("api_key", "api_secret"), KRAKEN: ("api_key", "api_secret", "passphrase"), OPENAI: ("api_key",)}


@pytest.fixture
def vault() -> Vault:
    return MemoryVault()


def key(vault: Vault, user_id, keyhole: Keyhole = COINSPOT, **changes) -> Credential:
    secrets = {"api_key": KEY, "api_secret": SECRET, "passphrase": "open sesame"}
    mine = {name: secrets[name] for name in FIELDS[keyhole]}
    return sealed(keyhole, user_id, mine | changes, vault, at=NOON)


async def kinds(house: House, user_id) -> list[tuple[str, str]]:
    entries, _ = await house.blotter.journal(user_id, None, ("credentials",), 0, 50)
    return [(entry.data["event"], entry.data["name"]) for entry in reversed(entries)]


@pytest.mark.parametrize("keyhole", FIELDS, ids=lambda each: each.name)
async def test_a_key_comes_back_as_it_was_sealed_and_opens(house: House, vault, keyhole):
    user_id = await house.user()
    stored = await house.credentials.add(key(vault, user_id, keyhole))
    found = await house.credentials.get(user_id, keyhole)
    assert found == stored
    assert found.hint == "abcd…wxyz"
    assert (found.access, found.validated, found.withdrawals_disabled) == (None, False, False)
    assert found.opened(vault)["api_key"] == KEY
    assert set(found.opened(vault)) == set(FIELDS[keyhole])
    assert KEY not in repr(found)
    assert await kinds(house, user_id) == [("stored", keyhole.name)]


async def test_there_is_one_key_for_each_keyhole_of_each_user(house: House, vault):
    mine, theirs = await house.user(), await house.user()
    for keyhole in FIELDS:
        await house.credentials.add(key(vault, mine, keyhole))
        with pytest.raises(Conflict, match="already"):
            await house.credentials.add(key(vault, mine, keyhole))
        with pytest.raises(NotFound):
            await house.credentials.get(theirs, keyhole)
    await house.credentials.add(key(vault, theirs))
    assert [each.keyhole for each in await house.credentials.of(mine)] == [COINSPOT, KRAKEN, OPENAI]
    assert [each.keyhole for each in await house.credentials.of(theirs)] == [COINSPOT]


async def test_a_key_that_replaces_another_has_been_checked_by_nobody(house: House, vault):
    user_id = await house.user()
    first = await house.credentials.add(key(vault, user_id))
    await house.credentials.examined(first, Access.FULL, None)
    second = await house.credentials.replace(key(vault, user_id, api_key="another-key-of-mine"))
    assert (second.validated, second.checked_at, second.hint) == (False, None, "anot…mine")
    assert second.id != first.id
    with pytest.raises(NotFound):
        await house.credentials.examined(first, Access.FULL, None)
    assert not (await house.credentials.get(user_id, COINSPOT)).validated
    with pytest.raises(NotFound):
        await house.credentials.replace(key(vault, user_id, KRAKEN))


async def test_what_the_venue_said_is_kept_with_its_time(house: House, vault):
    user_id = await house.user()
    stored = await house.credentials.add(key(vault, user_id, KRAKEN))
    for access, validated in ((Access.FULL, True), (Access.READ_ONLY, True), (Access.REFUSED, False)):
        told = await house.credentials.examined(stored, access, f"it is {access}")
        assert told == await house.credentials.get(user_id, KRAKEN)
        assert (told.access, told.validated, told.message) == (access, validated, f"it is {access}")
        assert told.checked_at is not None
    assert [event for event, _ in await kinds(house, user_id)] == ["stored", "examined", "examined", "examined"]


async def test_an_owners_promise_is_kept(house: House, vault):
    user_id = await house.user()
    with pytest.raises(NotFound):
        await house.credentials.promise(user_id, COINSPOT)
    await house.credentials.add(key(vault, user_id))
    assert (await house.credentials.promise(user_id, COINSPOT)).withdrawals_disabled
    assert (await house.credentials.get(user_id, COINSPOT)).withdrawals_disabled
    replaced = await house.credentials.replace(key(vault, user_id))
    assert not replaced.withdrawals_disabled


@pytest.mark.parametrize("access", [Access.REFUSED, Access.READ_ONLY])
async def test_a_key_that_cannot_trade_any_more_pauses_what_trades_by_it_and_nothing_else(house: House, vault, access):
    user_id, stranger = await house.user(), await house.user()
    live = await house.deployed(user_id, name="live", mode=Mode.LIVE)
    paper = await house.deployed(user_id, name="paper")
    elsewhere = await house.deployed(user_id, name="elsewhere", mode=Mode.LIVE, venue="kraken")
    theirs = await house.deployed(stranger, mode=Mode.LIVE)
    stored = await house.credentials.add(key(vault, user_id))
    await house.credentials.examined(stored, Access.FULL, None)
    assert (await house.deployments.get(live.id)).status is DeploymentStatus.ACTIVE
    await house.credentials.examined(stored, access, "invalid key")
    paused = await house.deployments.get(live.id)
    assert paused.status is DeploymentStatus.PAUSED
    assert paused.last_error == "coinspot does not let its key trade: invalid key"
    for each in (paper, elsewhere, theirs):
        assert (await house.deployments.get(each.id)).status is DeploymentStatus.ACTIVE
    entries, _ = await house.blotter.journal(user_id, live.id, ("deployment",), 0, 9)
    assert entries[0].data == {"status": "paused", "reason": paused.last_error}
    (told, *_), _ = await house.blotter.journal(user_id, None, ("credentials",), 0, 9)
    assert told.data["paused"] == [str(live.id)]


async def test_a_key_is_not_deleted_while_a_live_deployment_trades_by_it(house: House, vault):
    user_id = await house.user()
    await house.deployed(user_id, name="paper")
    live = await house.deployed(user_id, name="real money", mode=Mode.LIVE)
    await house.credentials.add(key(vault, user_id))
    await house.credentials.add(key(vault, user_id, KRAKEN))
    with pytest.raises(Conflict, match="real money trades live"):
        await house.credentials.delete(user_id, COINSPOT)
    await house.credentials.delete(user_id, KRAKEN)
    await house.deployments.set_status(live.id, DeploymentStatus.PAUSED, "a test")
    await house.credentials.delete(user_id, COINSPOT)
    assert await house.credentials.of(user_id) == []
    with pytest.raises(NotFound):
        await house.credentials.delete(user_id, COINSPOT)
    assert (await kinds(house, user_id))[-1] == ("deleted", "coinspot")


@pytest.mark.parametrize("status", sorted(UNSETTLED))
async def test_a_key_stays_while_an_order_that_was_sent_with_it_is_under_way(house: House, vault, status):
    user_id = await house.user()
    live = await house.deployed(user_id, name="real money", mode=Mode.LIVE)
    stored = await house.credentials.add(key(vault, user_id))
    await house.credentials.examined(stored, Access.FULL, None)
    order = await house.sent(live)
    for each in TO[status]:
        order = await house.blotter.settle(order.become(each))
    await house.deployments.set_status(live.id, DeploymentStatus.PAUSED, "a test")
    with pytest.raises(Conflict, match=f"real money has order {order.intent.client_order_id} under way at coinspot"):
        await house.credentials.replace(key(vault, user_id))
    with pytest.raises(Conflict, match="under way at coinspot"):
        await house.credentials.delete(user_id, COINSPOT)
    assert (await house.credentials.get(user_id, COINSPOT)).id == stored.id
    # One that the venue takes no more executes nothing, whatever is still on its way.
    await house.credentials.examined(stored, Access.REFUSED, "invalid key")
    replaced = await house.credentials.replace(key(vault, user_id))
    assert replaced.id != stored.id


async def test_a_key_is_replaced_once_its_orders_have_ended_and_whatever_others_are_under_way(house: House, vault):
    user_id, stranger = await house.user(), await house.user()
    live = await house.deployed(user_id, name="live", mode=Mode.LIVE)
    await house.filled(live, fill())
    await house.sent(await house.deployed(user_id, name="paper"))
    await house.sent(await house.deployed(user_id, name="elsewhere", mode=Mode.LIVE, venue="kraken"))
    await house.sent(await house.deployed(stranger, mode=Mode.LIVE))
    await house.credentials.add(key(vault, user_id))
    await house.credentials.add(key(vault, user_id, OPENAI))
    await house.credentials.replace(key(vault, user_id, OPENAI))
    await house.credentials.replace(key(vault, user_id))
    await house.deployments.set_status(live.id, DeploymentStatus.PAUSED, "a test")
    await house.credentials.delete(user_id, COINSPOT)


@pytest.mark.postgres
async def test_of_an_order_and_another_key_at_once_the_second_sees_the_first(database, vault):
    house = in_postgres(database)
    user_id = await house.user()
    live = await house.deployed(user_id, mode=Mode.LIVE)
    await house.credentials.add(key(vault, user_id))
    order, (trader, risk) = await house.blotter.begin(intent(live)), await house.taken(live)
    async with database.transaction() as connection:
        # As the replacement of a key does, which is not over yet.
        await connection.execute(
            text("SELECT FROM deployed_algorithms WHERE id = :id FOR NO KEY UPDATE"), {"id": live.id}
        )
        sending = asyncio.create_task(house.blotter.submitting(order, trader, risk))
        assert not (await asyncio.wait((sending,), timeout=0.1))[0]
    assert (await sending).status is OrderStatus.SUBMITTED
    await house.blotter.settle((await sending).become(OrderStatus.REJECTED))
    async with database.transaction() as connection:
        # As an order that is being written ahead.
        await connection.execute(text("SELECT FROM deployed_algorithms WHERE id = :id FOR SHARE"), {"id": live.id})
        await connection.execute(text("UPDATE orders SET status = 'submitted' WHERE user_id = :id"), {"id": user_id})
        replacing = asyncio.create_task(house.credentials.replace(key(vault, user_id)))
        assert not (await asyncio.wait((replacing,), timeout=0.1))[0]
    with pytest.raises(Conflict, match="under way"):
        await replacing


async def test_what_cannot_trade_is_paused_with_the_reason_though_there_is_no_key(house: House):
    user_id = await house.user()
    live = await house.deployed(user_id, name="live", mode=Mode.LIVE)
    paper = await house.deployed(user_id, name="paper")
    assert await house.credentials.hold(user_id, COINSPOT, "there is no key for coinspot") == [live.id]
    assert await house.credentials.hold(user_id, COINSPOT, "there is no key for coinspot") == []
    stored = await house.deployments.get(live.id)
    assert (stored.status, stored.last_error) == (DeploymentStatus.PAUSED, "there is no key for coinspot")
    assert (await house.deployments.get(paper.id)).status is DeploymentStatus.ACTIVE
    entries, total = await house.blotter.journal(user_id, live.id, ("deployment",), 0, 9)
    assert (entries[0].data, total) == ({"status": "paused", "reason": stored.last_error}, 2)


async def test_the_keys_of_the_vault_that_anything_needs_are_known(fresh_house: House, vault):
    assert await fresh_house.credentials.vault_keys() == frozenset()
    user_id = await fresh_house.user()
    await fresh_house.credentials.add(key(vault, user_id))
    assert await fresh_house.credentials.vault_keys() == {"memory"}
    other = key(vault, user_id, KRAKEN)
    await fresh_house.credentials.add(replace(other, sealed={**other.sealed, "passphrase": "v1.older.AAAA"}))
    assert await fresh_house.credentials.vault_keys() == {"memory", "older"}


async def test_what_an_older_key_of_the_vault_has_sealed_is_sealed_anew(fresh_house: House, vault):
    store, user_id = fresh_house.credentials, await fresh_house.user()
    older = [await store.add(key(vault, user_id, keyhole)) for keyhole in FIELDS]
    await store.examined(older[0], Access.FULL, None)
    vault.sealing = "newer"
    await store.replace(key(vault, user_id, OPENAI))
    assert {each.keyhole for each in await store.sealed_otherwise("newer")} == {COINSPOT, KRAKEN}
    half = older[1].sealed | {"api_key": vault.seal(KEY, seal_of(older[1], "api_key"))}
    assert await store.reseal(replace(older[1], sealed=half))
    assert await store.vault_keys() == {"memory", "newer"}
    for each in await store.sealed_otherwise("newer"):
        anew = {name: vault.seal(secret, seal_of(each, name)) for name, secret in each.opened(vault).items()}
        assert await store.reseal(replace(each, sealed=anew))
        found = await store.get(user_id, each.keyhole)
        assert found.sealed == anew
        assert found.opened(vault)["api_key"] == KEY
        assert replace(found, sealed={}) == replace(each, sealed={})
    assert await store.sealed_otherwise("newer") == []
    assert await store.vault_keys() == {"newer"}
    assert (await store.get(user_id, COINSPOT)).access is Access.FULL
    # What was replaced, or deleted, while it was being opened stays as it is.
    assert not await store.reseal(older[2])
    await store.delete(user_id, KRAKEN)
    assert not await store.reseal(older[1])
    assert (await store.get(user_id, OPENAI)).sealed_under("newer")
    assert [event for event, _ in await kinds(fresh_house, user_id)].count("resealed") == 3


@pytest.mark.postgres
async def test_a_key_needs_somebody_whose_it_is(database, vault):
    house = in_postgres(database)
    with pytest.raises(NotFound):
        await house.credentials.add(key(vault, (await house.wanted()).id))
