"""The kill switch keeps its first moment, and forgets it only when it is reset."""

import pytest

from omc.errors import NotFound
from tests.omc.adapters.postgres.house import House, in_postgres


async def test_tripping_again_keeps_the_first_halt(house: House):
    user_id = await house.user()
    assert await house.kill_switch.halted(user_id) is None
    first = await house.kill_switch.trip(user_id, "first")
    assert await house.kill_switch.trip(user_id, "second") == first
    assert await house.kill_switch.halted(user_id) == first
    assert first.reason == "first"


async def test_a_reset_lets_one_account_trade_again(house: House):
    mine, theirs = await house.user(), await house.user()
    await house.kill_switch.trip(mine, "both")
    await house.kill_switch.trip(theirs, "both")
    await house.kill_switch.reset(mine)
    await house.kill_switch.reset(mine)
    assert await house.kill_switch.halted(mine) is None
    assert await house.kill_switch.halted(theirs) is not None


@pytest.mark.postgres
async def test_halts_and_resets_are_journaled(database):
    house = in_postgres(database)
    user_id = await house.user()
    await house.kill_switch.trip(user_id, "too hot")
    await house.kill_switch.reset(user_id)
    entries, _ = await house.blotter.journal(user_id, None, (), 0, 9)
    assert [entry.kind for entry in entries] == ["reset", "halt"]
    assert entries[1].data["reason"] == "too hot"


@pytest.mark.postgres
async def test_an_account_that_does_not_exist_cannot_be_halted(database):
    house = in_postgres(database)
    with pytest.raises(NotFound):
        await house.kill_switch.trip((await house.wanted()).id, "nobody")
