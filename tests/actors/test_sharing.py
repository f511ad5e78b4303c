"""An account that several deployments trade is read at once, however many they are."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from actors.sharing import books_of, sharing
from omc.trading.deployment import Mode
from tests.actors.mortal import deployment
from tests.actors.reconciling.accounts import ONE, PAPER, TWO, Floor


class Counted:
    """A port that counts what it is asked."""

    def __init__(self, port: Any, asked: Counter[str]) -> None:
        self._port, self._asked = port, asked

    def __getattr__(self, name: str) -> Any:
        self._asked[name] += 1
        return getattr(self._port, name)


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    house = Floor()
    await house.begin()
    yield house
    for desk in house.desks:
        for task in (desk._task, *desk._settling):
            task.cancel()
    await house.close()


async def test_who_shares_an_account_has_its_books_read_together(floor: Floor) -> None:
    together = await sharing(floor.deployments, ONE)
    assert {each.id for each in together} == {ONE.id, TWO.id}
    assert await books_of(floor.blotter, together) == {
        each.id: await floor.blotter.account(each.id) for each in (ONE, TWO)
    }
    (alone,) = await sharing(floor.deployments, PAPER)
    assert await books_of(floor.blotter, [alone]) == {PAPER.id: await floor.blotter.account(PAPER.id)}
    assert await books_of(floor.blotter, []) == {}


async def test_a_look_at_an_account_asks_no_more_often_for_more_deployments(floor: Floor) -> None:
    counts = []
    for more in (0, 5):
        for number in range(more):
            made = deployment(100 + number, mode=Mode.LIVE, cash_aud=Decimal(1))
            await floor.deployments.create(replace(made, id=UUID(int=100 + number)))
        asked: Counter[str] = Counter()
        desk = await floor.up(blotter=Counted(floor.blotter, asked))
        assert len(await sharing(floor.deployments, ONE)) == 2 + more
        asked.clear()
        await desk.reconcile(ONE.id)
        counts.append({name: asked[name] for name in ("account", "accounts", "fill_ids")})
    assert counts[0] == counts[1]
    assert counts[0]["accounts"] > 0
