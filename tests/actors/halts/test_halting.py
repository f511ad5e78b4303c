"""Halts, however they are made known, and whatever is down: nothing that they stop leaves the desk, and what rests at
the venue is cancelled."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from actors.risk import RiskActor
from omc.errors import InvalidInput, Unavailable
from omc.risk.halt_files import ResetAsked
from omc.risk.kill_switch import Halt, HaltLevel, MemoryKillSwitch
from omc.risk.verdict import DenialReason, Denied
from omc.trading.deployment import DeploymentStatus, trader_name
from omc.trading.fill import Side
from omc.trading.order import Order, OrderIntent, OrderStatus
from tests.actors.mortal import START, USER, deployment
from tests.actors.test_risk import OURS, Floor, submitted, up

HALT = Halt(USER, START, "enough")
EVERYBODY = Halt(None, START, "maintenance")


class Stored:
    """A port whose database may be away, or hang."""

    def __init__(self, port: Any, floor: "Cut") -> None:
        self._port, self._floor = port, floor

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not asyncio.iscoroutinefunction(method):
            return method

        async def called(*args: Any, **kwargs: Any) -> Any:
            if self._floor.cut:
                raise Unavailable("the database cannot be reached")
            await self._floor.answers.wait()
            return await method(*args, **kwargs)

        return called


class Cut(Floor):
    """A floor whose database may be away, or hang."""

    cut = False

    def __init__(self) -> None:
        super().__init__()
        self.answers = asyncio.Event()
        self.answers.set()

    def desk(self) -> RiskActor:
        ports = replace(self.risk_ports(), venues=self)
        for name in ("blotter", "deployments", "leases", "kill_switch", "risk", "venue_book"):
            ports = replace(ports, **{name: Stored(getattr(ports, name), self)})
        return RiskActor(ports, retire=lambda: None)


@pytest.fixture
async def floor() -> AsyncIterator[Cut]:
    house = Cut()
    await house.begin()
    yield house
    await house.close()


async def until(holds: Callable[[], Any]) -> None:
    """Return when it holds."""
    async with asyncio.timeout(10):
        while True:
            answer = holds()
            if await answer if isinstance(answer, Awaitable) else answer:
                return
            await asyncio.sleep(0.002)


def resting(floor: Cut, price: str = "0.01") -> None:
    """Something on the venue's book that is not ours to send again."""
    floor.exchange.paper.place(str(OURS.id), Side.BUY, "ETH", quantity=Decimal(500), price_aud=Decimal(price))


def on_the_book(floor: Cut) -> int:
    return len(floor.exchange.paper.wallet(str(OURS.id)).orders)


async def test_a_desk_that_is_told_sends_nothing_more(floor: Cut) -> None:
    desk = floor.desk()
    await up(desk)
    desk.trip(HALT)
    denied = await submitted(desk, floor.intent(), floor.lease)
    assert isinstance(denied, Denied)
    assert denied.reason is DenialReason.KILL_SWITCH
    assert floor.sent() == 0


async def test_a_halt_between_writing_ahead_and_the_wire_lets_nothing_out(floor: Cut) -> None:
    """The order ends without a look at the venue, where it never was."""
    desk = floor.desk()
    await up(desk)
    place = floor.venue.place

    async def tripped_first(*args: Any) -> Any:
        desk.trip(HALT)
        return await place(*args)

    floor.venue.place = tripped_first  # type: ignore[method-assign]
    floor.venue.before["find"] = [AssertionError("nobody looks for what was not sent")]
    order = await submitted(desk, floor.intent(), floor.lease)
    assert isinstance(order, Order)
    assert (order.status, floor.sent()) == (OrderStatus.REJECTED, 0)
    assert "trading is halted since" in (order.message or "")
    kinds = [entry.kind for entry in (await floor.blotter.journal(USER, OURS.id, (), 0, 50))[0]]
    assert kinds[::-1][1:] == ["intent", "submitted", "rejected"]


async def test_a_file_between_writing_ahead_and_the_wire_lets_nothing_out(floor: Cut) -> None:
    desk = floor.desk()
    await up(desk)
    place = floor.venue.place

    async def touched_first(*args: Any) -> Any:
        floor.halt_files.kept[None, None] = EVERYBODY
        return await place(*args)

    floor.venue.place = touched_first  # type: ignore[method-assign]
    order = await submitted(desk, floor.intent(), floor.lease)
    assert isinstance(order, Order)
    assert (order.status, floor.sent()) == (OrderStatus.REJECTED, 0)


async def test_a_halt_of_what_adds_lets_sales_out(floor: Cut) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    desk.trip(replace(HALT, level=HaltLevel.ADDING))
    denied = await submitted(desk, floor.intent(row=1), floor.lease)
    assert isinstance(denied, Denied)
    assert denied.reason is DenialReason.ADDING_HALTED
    sold = await submitted(desk, floor.intent(Side.SELL, row=1), floor.lease)
    assert isinstance(sold, Order)
    assert sold.status is OrderStatus.FILLED


async def test_a_file_that_appears_is_carried_out(floor: Cut) -> None:
    """Open orders are cancelled, deployments paused, and the database knows of it."""
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    resting(floor)
    floor.halt_files.kept[None, None] = EVERYBODY
    await until(lambda: on_the_book(floor) == 0)
    await until(lambda: floor.kill_switch.halted(USER))
    stored = await floor.kill_switch.halted(USER)
    assert stored == EVERYBODY
    await until(lambda: not any(each.status is DeploymentStatus.ACTIVE for each in floor.deployments.kept.values()))
    denied = await submitted(desk, floor.intent(Side.SELL), floor.lease)
    assert isinstance(denied, Denied)
    assert denied.reason is DenialReason.KILL_SWITCH


async def test_a_file_that_vanishes_is_no_reset(floor: Cut) -> None:
    desk = floor.desk()
    await up(desk)
    floor.halt_files.kept[USER, None] = HALT
    await until(lambda: floor.kill_switch.halted(USER))
    floor.halt_files.kept.clear()
    denied = await submitted(desk, floor.intent(), floor.lease)
    assert isinstance(denied, Denied)
    denied = await submitted(floor.desk(), floor.intent(row=1), floor.lease)
    assert isinstance(denied, Denied)


async def test_a_file_from_before_the_desk_holds_from_its_first_moment(floor: Cut) -> None:
    floor.halt_files.kept[USER, None] = HALT
    denied = await submitted(floor.desk(), floor.intent(), floor.lease)
    assert isinstance(denied, Denied)
    assert await floor.kill_switch.halted(USER) == HALT


async def test_a_row_from_before_the_desk_holds_without_the_database(floor: Cut) -> None:
    await floor.kill_switch.trip(USER, "enough")
    desk = floor.desk()
    await up(desk)
    gate = desk._senders.exposures.halts.gate(floor.intent(), liquidating=False)
    assert gate is not None
    floor.cut = True
    with pytest.raises(Exception, match="trading is halted"):
        gate()


async def test_without_the_database_open_orders_are_cancelled_and_the_rest_is_told(floor: Cut) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    resting(floor)
    floor.cut = True
    desk.trip(HALT)
    report = await desk.halt(USER, True)
    assert (on_the_book(floor), report.cancelled_orders) == (0, 1)
    # The other account may be known by then, for it is compared.
    assert tuple(each for each in report.problems if not each.startswith("test 2")) == (
        "accounts that were not traded since the risk desk started were not looked at: the database cannot be reached",
        "test 1: not sold out: the database cannot be reached",
    )


async def test_what_the_database_missed_is_written_when_it_is_back(floor: Cut) -> None:
    desk = floor.desk()
    await up(desk)
    floor.cut = True
    desk.trip(HALT)
    await asyncio.sleep(0.02)
    assert await floor.kill_switch.halted(USER) is None
    floor.cut = False
    await until(lambda: floor.kill_switch.halted(USER))
    stored = await floor.kill_switch.halted(USER)
    assert stored == HALT
    await until(lambda: not any(each.status is DeploymentStatus.ACTIVE for each in floor.deployments.kept.values()))


async def test_a_database_that_hangs_keeps_no_file_from_being_carried_out(floor: Cut) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    forever = asyncio.Event()

    class Hangs:
        def __getattr__(self, name: str) -> Any:
            return self.hang

        async def hang(self, *_: Any, **__: Any) -> Any:
            await forever.wait()

    desk._halting._watch._flag = replace(desk._halting._watch._flag, rows=Hangs())  # type: ignore[arg-type]
    floor.halt_files.kept[USER, None] = HALT
    await until(lambda: desk._halting._watch._working)
    resting(floor)
    floor.halt_files.kept[None, None] = EVERYBODY
    await until(lambda: on_the_book(floor) == 0)


async def test_a_sale_waits_for_a_database_that_hangs_and_its_answer_does_not(
    floor: Cut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.halts.emergency._STORE_S", 0.05)
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    await floor.kill_switch.trip(USER, "enough")
    held = floor.exchange.paper.wallet(str(OURS.id)).coins
    assert held["ETH"] == 100
    floor.answers.clear()
    desk.trip(HALT)
    report = await desk.halt(USER, True)
    assert report.sold == ()
    assert f"{OURS.name}: it is being sold still" in report.problems
    assert held["ETH"] == 100
    floor.answers.set()
    await until(lambda: not held.get("ETH"))


async def test_a_restart_between_the_file_and_the_cancelling_cancels(floor: Cut) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    resting(floor)
    for task in (desk._task, *desk._settling):
        task.cancel()
    await floor.halt_files.trip(HALT)
    await up(floor.desk())
    await until(lambda: on_the_book(floor) == 0)


async def test_one_account_that_hangs_keeps_no_other_from_being_stopped(floor: Cut) -> None:
    desk, other = floor.desk(), deployment(2)
    lease = await floor.leases.take(trader_name(other), "test")
    theirs = replace(floor.intent(), deployment_id=other.id, client_order_id="another's")
    await submitted(desk, theirs, lease)
    forever = asyncio.Event()

    async def hangs(*_: Any) -> Any:
        await forever.wait()

    floor.venue.place = hangs  # type: ignore[method-assign]
    stuck = asyncio.create_task(submitted(desk, floor.intent(), floor.lease))
    await until(lambda: floor.blotter.unsettled())
    floor.exchange.paper.place(str(other.id), Side.BUY, "ETH", quantity=Decimal(500), price_aud=Decimal("0.01"))
    resting(floor)
    desk.trip(HALT)
    report = await asyncio.wait_for(desk.halt(USER, False), 5)
    assert report.cancelled_orders == 2
    assert on_the_book(floor) == 0
    denied = await submitted(desk, replace(theirs, client_order_id="another"), lease)
    assert isinstance(denied, Denied)
    forever.set()
    stuck.cancel()


async def test_one_deployment_is_halted_and_its_neighbor_trades_on(floor: Cut) -> None:
    desk, other = floor.desk(), deployment(2)
    lease = await floor.leases.take(trader_name(other), "test")
    theirs = replace(floor.intent(), deployment_id=other.id, client_order_id="another's")
    await submitted(desk, theirs, lease)
    await floor.kill_switch.trip(USER, "its own", deployment_id=OURS.id)
    desk.trip(replace(HALT, deployment_id=OURS.id))
    assert isinstance(await submitted(desk, floor.intent(), floor.lease), Denied)
    traded = await submitted(desk, replace(theirs, client_order_id="b", coin="BTC", quantity=Decimal("0.01")), lease)
    assert isinstance(traded, Order)


async def test_a_reset_lets_the_desk_send_again(floor: Cut) -> None:
    desk = floor.desk()
    await up(desk)
    await floor.kill_switch.trip(USER, "enough")
    desk.trip(HALT)
    assert isinstance(await submitted(desk, floor.intent(), floor.lease), Denied)
    # A desk sees to it that what it has heard is stored, and stores it again where it is not yet.
    await until(lambda: floor.deployments.kept[OURS.id].status is DeploymentStatus.PAUSED)
    await floor.kill_switch.reset(USER)
    assert isinstance(await submitted(desk, floor.intent(row=1), floor.lease), Denied)
    await desk.release(USER)
    await floor.deployments.set_status(OURS.id, DeploymentStatus.ACTIVE, None)
    assert isinstance(await submitted(desk, floor.intent(row=2), floor.lease), Order)


async def test_the_platform_is_reset_by_who_may_write_to_its_home(floor: Cut) -> None:
    desk = floor.desk()
    await up(desk)
    await floor.halt_files.trip(EVERYBODY)
    await until(lambda: floor.kill_switch.halted(USER))
    floor.cut = True
    floor.halt_files.asked = asked(floor)
    await asyncio.sleep(0.02)
    assert floor.halt_files.on() == [EVERYBODY]
    floor.cut = False
    await until(lambda: floor.halt_files.asked is None)
    assert (floor.halt_files.on(), await floor.kill_switch.on()) == ([], [])
    traded = floor.intent(row=1)
    for each in floor.deployments.kept.values():
        await floor.deployments.set_status(each.id, DeploymentStatus.ACTIVE, "again")
    assert isinstance(await submitted(desk, traded, floor.lease), Order)


def asked(floor: Cut) -> ResetAsked:
    return ResetAsked("root on earth", "it is over", START + timedelta(hours=1), floor.halt_files.mark((None, None)))


@pytest.mark.parametrize("desk_runs", [True, False])
async def test_a_halt_that_is_made_after_a_reset_was_asked_for_is_not_meant(floor: Cut, desk_runs: bool) -> None:
    if desk_runs:
        await up(floor.desk())
    await floor.halt_files.trip(EVERYBODY)
    if desk_runs:
        await until(lambda: floor.kill_switch.halted(USER))
    floor.cut = True
    floor.halt_files.asked = asked(floor)
    await floor.halt_files.trip(EVERYBODY)
    floor.cut = False
    desk = floor.desk()
    await until(lambda: floor.halt_files.asked is None)
    assert floor.halt_files.on() == [EVERYBODY]
    assert "maintenance" in floor.halt_files.still
    await until(lambda: floor.kill_switch.halted(USER))
    assert isinstance(await submitted(desk, floor.intent(), floor.lease), Denied)


async def test_a_loss_of_the_platforms_that_trips_after_a_reset_was_asked_for_is_not_meant(floor: Cut) -> None:
    """It is a row and no file."""
    await floor.kill_switch.trip(None, "lost much", level=HaltLevel.ADDING, since=START + timedelta(hours=2))
    floor.halt_files.asked = asked(floor)
    desk = floor.desk()
    await until(lambda: floor.halt_files.asked is None)
    assert [each.reason for each in await floor.kill_switch.on()] == ["lost much"]
    assert "lost much" in floor.halt_files.still
    denied = await submitted(desk, floor.intent(), floor.lease)
    assert isinstance(denied, Denied)
    assert denied.reason is DenialReason.ADDING_HALTED


async def test_a_reset_that_was_cut_short_is_finished(floor: Cut) -> None:
    """The file was gone already when the desk died."""
    await floor.halt_files.trip(EVERYBODY)
    await floor.kill_switch.trip(None, "maintenance", since=START)
    floor.halt_files.asked = asked(floor)
    floor.halt_files.kept.clear()
    floor.desk()
    await until(lambda: floor.halt_files.asked is None)
    assert (await floor.kill_switch.on(), floor.halt_files.still) == ([], "")


async def test_a_halt_that_cannot_be_stored_keeps_no_other_from_being_stored(floor: Cut) -> None:
    other = deployment(9, user_id=UUID(int=99))
    await floor.deployments.create(other)

    class Choosy(MemoryKillSwitch):
        async def trip(self, user_id: Any, reason: str, **said: Any) -> Halt:
            if reason == "nonsense":
                raise InvalidInput("no text")
            return await super().trip(user_id, reason, **said)

    floor.kill_switch = Choosy(START)
    desk = floor.desk()
    await up(desk)
    desk.trip(replace(HALT, reason="nonsense"))
    desk.trip(Halt(other.user_id, START, "enough"))
    await until(lambda: floor.kill_switch.halted(other.user_id))
    await until(lambda: floor.deployments.kept[other.id].status is DeploymentStatus.PAUSED)
    assert isinstance(await submitted(desk, floor.intent(), floor.lease), Denied)


async def test_what_is_stored_late_halts_nobody_who_was_reset_meanwhile(floor: Cut) -> None:
    class Slow(MemoryKillSwitch):
        """Its rows can be written again, and the risk desk's own writing is the last to be."""

        async def catch_up(self, halt: Halt) -> Halt | None:
            begun.set()
            await go_on.wait()
            found.append(await super().catch_up(halt))
            return found[-1]

    begun, go_on, found = asyncio.Event(), asyncio.Event(), list[Halt | None]()
    floor.kill_switch = Slow(START)
    desk = floor.desk()
    await up(desk)
    desk.trip(HALT)
    await asyncio.wait_for(begun.wait(), 30)
    await floor.kill_switch.trip(USER, HALT.reason, since=HALT.since)
    await floor.kill_switch.reset(USER)
    await desk.release(USER, None)
    go_on.set()
    await until(lambda: found)
    assert (found, await floor.kill_switch.on()) == ([None], [])
    assert floor.deployments.kept[OURS.id].status is DeploymentStatus.ACTIVE


async def test_a_halt_that_is_tripped_while_another_is_reset_holds(floor: Cut) -> None:
    """Whichever comes first, what was tripped last is not lost."""
    await floor.halt_files.trip(HALT)
    mark = floor.halt_files.mark((USER, None))
    assert mark is not None
    await floor.halt_files.trip(replace(HALT, reason="again"))
    assert await floor.halt_files.reset((USER, None), mark) is False
    assert isinstance(await submitted(floor.desk(), floor.intent(), floor.lease), Denied)


async def test_a_sale_that_gets_out_goes_below_the_bid_within_bounds_and_again(floor: Cut) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    sold: list[OrderIntent] = []
    place = floor.venue.place

    async def refuses_first(approved: Any) -> Any:
        sold.append(approved.intent)
        if len(sold) < 3:
            raise Unavailable("busy")
        return await place(approved)

    floor.venue.place = refuses_first  # type: ignore[method-assign]
    bid = floor.exchange.paper.quote("ETH").bid_aud
    await floor.kill_switch.trip(USER, "enough")
    desk.trip(HALT)
    report = await desk.halt(USER, True)
    assert (report.problems, [order.filled_quantity for order in report.sold]) == ((), [100])
    assert all(bid * Decimal("0.98") - Decimal("0.00000001") < each.quote_price_aud <= bid for each in sold)
    assert (await floor.blotter.account(OURS.id)).position("ETH").quantity == 0
    assert set(await floor.venue.balances()) == {"AUD"}


async def test_every_try_to_sell_is_an_intent_of_its_own(floor: Cut) -> None:
    """What the first did not sell the next does, under another name: never two orders for one intent."""
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    floor.exchange.paper.wallet(str(OURS.id)).coins["ETH"] = Decimal(0)
    selling = asyncio.create_task(desk.halt(USER, True))
    await until(lambda: floor.sent() > 2)
    floor.exchange.paper.wallet(str(OURS.id)).coins["ETH"] = Decimal(100)
    report = await selling
    assert [order.intent.coin for order in report.sold] == ["ETH"]
    names = [intent.client_order_id for intent in floor.venue.account.placed]
    assert len(names) == len(set(names))
    assert all(intent.quantity == 100 for intent in floor.venue.account.placed)


async def test_what_is_left_when_patience_ends_is_told(floor: Cut) -> None:
    desk = floor.desk()
    await submitted(desk, floor.intent(), floor.lease)
    floor.exchange.paper.wallet(str(OURS.id)).coins["ETH"] = Decimal(0)
    report = await desk.halt(USER, True)
    assert report.sold == ()
    assert report.problems == ("test 1: 100 ETH remain: Insufficient ETH funds",)


async def test_no_file_and_no_row_halts_nobody(floor: Cut) -> None:
    desk = floor.desk()
    order = await submitted(desk, floor.intent(), floor.lease)
    assert isinstance(order, Order)
    await asyncio.sleep(0.02)
    assert await floor.kill_switch.on() == []
    assert order.fills[0].executed_at - START < timedelta(minutes=5)
