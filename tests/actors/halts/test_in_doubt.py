"""An emergency stop says which orders may still work, though nobody can tell what they are at the venue."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from actors.halts import emergency
from actors.risk import RiskActor
from omc.errors import Unavailable
from omc.market.money import eight_places
from omc.risk.kill_switch import HaltLevel
from omc.trading.fill import Side
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.venue_book import HeldOrder
from tests.actors.mortal import USER
from tests.actors.reconciling.accounts import ONE, TIMEOUT, Floor, in_doubt, until


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    house = Floor()
    await house.begin()
    yield house
    for desk in house.desks:
        for task in (desk._task, *desk._settling):
            task.cancel()
    await house.close()


async def waiting(floor: Floor, desk: RiskActor) -> tuple[Order, list[str]]:
    """A limit of ours whose answer was lost, beside one of the owner's that is alike; and both ids."""
    await desk.reconcile(ONE.id)
    low = eight_places(floor.exchange.paper.quote("ETH").ask_aud / 2)
    floor.exchange.paper.place(ONE.account, Side.BUY, "ETH", quantity=Decimal(10), price_aud=low)
    floor.accounts[ONE.account].after["place"] = [TIMEOUT]
    intent = replace(floor.intent(ONE, quantity="10"), quote_price_aud=low, good_for_s=3600.0)
    order = await floor.sends(desk, intent)
    assert isinstance(order, Order)
    assert order.status is OrderStatus.UNRESOLVED

    async def held() -> list[HeldOrder]:
        return await floor.venue_book.held(user_id=USER)

    await until(held)
    return order, list(floor.exchange.paper.wallet(ONE.account).orders)


@pytest.mark.parametrize("level", list(HaltLevel))
async def test_a_stop_tells_of_every_order_that_may_still_be_on_the_book(floor: Floor, level: HaltLevel) -> None:
    desk = await floor.up()
    order, ids = await waiting(floor, desk)
    report = await desk.halt(USER, False, None, level)
    assert len(ids) == 2
    assert list(floor.exchange.paper.wallet(ONE.account).orders) == ids
    (problem,) = report.problems
    name = order.intent.client_order_id
    assert problem.startswith(f"test 1: order {name} waits for a person, and may still be on the book: it could be ")
    assert all(each in problem for each in ids)


async def test_it_tells_so_from_memory_while_the_database_is_away(floor: Floor) -> None:
    class Away:
        def __init__(self, port: Any) -> None:
            self._port = port

        def __getattr__(self, name: str) -> Any:
            method = getattr(self._port, name)
            if not asyncio.iscoroutinefunction(method):
                return method

            async def called(*args: Any, **kwargs: Any) -> Any:
                if away.is_set():
                    raise Unavailable("the database cannot be reached")
                return await method(*args, **kwargs)

            return called

    away = asyncio.Event()
    ports = floor.risk_ports()
    desk = await floor.up(
        **{name: Away(getattr(ports, name)) for name in ("blotter", "deployments", "kill_switch", "venue_book")}
    )
    order, _ = await waiting(floor, desk)
    away.set()
    report = await desk.halt(USER, False)
    assert any(f"{order.intent.client_order_id} waits for a person" in each for each in report.problems)


async def test_a_database_that_hangs_is_waited_for_once(floor: Floor, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hanging:
        def __init__(self, port: Any) -> None:
            self._port = port

        def __getattr__(self, name: str) -> Any:
            if not hanging.is_set():
                return getattr(self._port, name)

            async def asked(*args: Any, **kwargs: Any) -> Any:
                waited.append(name)
                await asyncio.Event().wait()

            return asked

    monkeypatch.setattr(emergency, "_STORE_S", 0.02)
    hanging, waited = asyncio.Event(), list[str]()
    ports = floor.risk_ports()
    desk = await floor.up(**{name: Hanging(getattr(ports, name)) for name in ("deployments", "venue_book")})
    order, _ = await waiting(floor, desk)
    hanging.set()
    report = await desk.halt(USER, False)
    hanging.clear()
    assert [name for name in waited if name in ("page", "held")] == ["page"]
    assert any("the database does not answer" in each for each in report.problems)
    assert any(f"{order.intent.client_order_id} waits for a person" in each for each in report.problems)


async def test_what_could_never_rest_is_not_told_of(floor: Floor) -> None:
    desk = await floor.up()
    await desk.reconcile(ONE.id)
    await in_doubt(floor, desk)
    assert (await desk.halt(USER, False)).problems == ()
