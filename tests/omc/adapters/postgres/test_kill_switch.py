"""The kill switch keeps its first moment, and forgets it only when it is reset."""

import pytest

from omc.errors import NotFound
from tests.omc.adapters.postgres.floor import Floor, in_postgres


async def test_tripping_again_keeps_the_first_halt(floor: Floor):
    user_id = await floor.user()
    assert await floor.kill_switch.halted(user_id) is None
    first = await floor.kill_switch.trip(user_id, "first")
    assert await floor.kill_switch.trip(user_id, "second") == first
    assert await floor.kill_switch.halted(user_id) == first
    assert first.reason == "first"


async def test_a_reset_lets_one_account_trade_again(floor: Floor):
    mine, theirs = await floor.user(), await floor.user()
    await floor.kill_switch.trip(mine, "both")
    await floor.kill_switch.trip(theirs, "both")
    await floor.kill_switch.reset(mine)
    await floor.kill_switch.reset(mine)
    assert await floor.kill_switch.halted(mine) is None
    assert await floor.kill_switch.halted(theirs) is not None


@pytest.mark.postgres
async def test_halts_and_resets_are_journaled(database):
    floor = in_postgres(database)
    user_id = await floor.user()
    await floor.kill_switch.trip(user_id, "too hot")
    await floor.kill_switch.reset(user_id)
    entries, _ = await floor.blotter.journal(user_id, None, (), 0, 9)
    assert [entry.kind for entry in entries] == ["reset", "halt"]
    assert entries[1].data["reason"] == "too hot"


@pytest.mark.postgres
async def test_an_account_that_does_not_exist_cannot_be_halted(database):
    floor = in_postgres(database)
    with pytest.raises(NotFound):
        await floor.kill_switch.trip((await floor.wanted()).id, "nobody")
