"""The trader actor and its supervisor, constructed without Ray."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from omc.backtest.run import BacktestSpec
from omc.backtest.study import study
from omc.backtest.tuned import Tuned
from omc.errors import InvalidInput, Unavailable
from omc.feature.frame import FloatArray, Frame
from omc.ledger.collector import board_of
from omc.ledger.exchange import BAR
from omc.market.tape import Tape
from omc.market.terms import OrderKind
from omc.risk.verdict import DenialReason, denial
from omc.strategy import registry
from omc.trading.blotter import Rebalance, TraderMemory
from omc.trading.deployment import DeploymentStatus, trader_name
from omc.trading.exits import Exits
from omc.trading.fill import Side
from omc.trading.order import OrderIntent, OrderStatus, Turn, client_order_id
from omc.trading.tuning import Tuning
from tests.actors.mortal import TERMS, USER, House, Written, deployment, market

TAPE, WEIGHTS = market(12, gaps=0.0)
OURS = deployment()
NAME = trader_name(OURS)


def written(weights: FloatArray = WEIGHTS) -> Written:
    return Written(dict(zip(TAPE.frame.times, weights, strict=True)))


class Breaks:
    memory_bars = 1
    exits = Exits()

    def predict(self, frame: Frame) -> FloatArray:
        raise ZeroDivisionError("a mean of nothing")

    def close(self) -> None:
        pass


def refused(*_: Any) -> Any:
    raise InvalidInput("there is no algorithm type 'x'")


@pytest.fixture
async def house() -> AsyncIterator[House]:
    it = House(TAPE, lambda *_: written())
    yield it
    await it.close()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(120):
        while not await holds():  # noqa: ASYNC110 - stores tell nobody
            await asyncio.sleep(0.002)


def is_status(house: House, status: DeploymentStatus) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return (await house.deployments.get(OURS.id)).status is status

    return holds


def bad_weights(*_: Any) -> Written:
    weights = WEIGHTS.copy()
    weights[3, 0] = 1.5
    return written(weights)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda *_: Breaks(), "the algorithm failed: ZeroDivisionError: a mean of nothing"),
        (bad_weights, "2025-01-01T00:15:00+00:00: a weight lies outside 0 to 1"),
        (refused, "there is no algorithm type 'x'"),
    ],
    ids=["breaks", "weights", "unknown"],
)
async def test_what_cannot_trade_is_paused_with_the_reason(make: Callable[..., Any], reason: str) -> None:
    house = House(TAPE, make)
    try:
        playing = asyncio.create_task(house.play(OURS))
        await asyncio.sleep(0)
        await until(is_status(house, DeploymentStatus.PAUSED))
        assert reason in ((await house.deployments.get(OURS.id)).last_error or "")
        (entry,), _ = await house.blotter.journal(USER, OURS.id, ("deployment",), 0, 1)
        assert reason in entry.data["reason"]

        async def gone() -> bool:
            return not await house.crew.running() and not house.collector()._consumers.done_until

        await until(gone)
        playing.cancel()
    finally:
        await house.close()


async def test_the_kill_switch_pauses_the_trader_that_meets_it(house: House) -> None:
    await house.kill_switch.trip(USER, "enough")
    playing = asyncio.create_task(house.play(OURS))
    await asyncio.sleep(0)
    await until(is_status(house, DeploymentStatus.PAUSED))
    playing.cancel()
    assert not house.fills(OURS)


async def test_a_trader_says_how_it_does(house: House) -> None:
    await house.play(OURS)
    trader = house.crew.traders[NAME]
    assert repr(trader) == NAME
    assert trader.ping() == f"{NAME} running"
    assert (trader.state().state, trader.state().restarts, trader.state().last_error) == ("running", 0, None)
    stats = await trader.stats()
    assert stats.orders == len(stats.order_ms) == len(house.fills(OURS))
    assert stats.bars == 12
    kept = await house.deployments.get(OURS.id)
    assert kept.execution_count >= 12
    assert kept.heartbeat_at is not None


async def test_a_restarted_trader_knows_what_its_predecessor_measured(house: House) -> None:
    await house.play(OURS)
    before = (await house.crew.traders[NAME].stats()).order_ms
    await house.crew.stop(NAME)

    async def back() -> bool:
        trader = house.crew.traders.get(NAME)
        return trader is not None and trader.state().restarts == 1

    await until(back)
    assert (await house.crew.traders[NAME].stats()).order_ms == before


async def test_decisions_are_journaled_with_why_and_how_long(house: House) -> None:
    await house.play(OURS)
    entries, total = await house.blotter.journal(USER, OURS.id, ("decision",), 0, 100)
    assert total > 5
    assert set(entries[0].data["why"]) == set(OURS.coins)
    assert sum(len(entry.data["order_ms"]) for entry in entries) == len(house.fills(OURS))


async def test_what_a_bar_begins_with_is_journaled_in_the_step_of_its_first_order(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered: list[bool] = []
    remember = type(house.blotter).remember

    async def counted(self: Any, *given: Any, **named: Any) -> None:
        # By itself when a trader is named; together with an intent otherwise.
        remembered.append("trader" in named)
        await remember(self, *given, **named)

    monkeypatch.setattr(type(house.blotter), "remember", counted)
    await house.play(OURS)
    entries, _ = await house.blotter.journal(USER, OURS.id, ("rebalance", "intent", "decision"), 0, 1000)
    kinds = [entry.kind for entry in reversed(entries)]
    traded = remembered.count(False)
    assert traded > 5
    assert len(remembered) - traded == len(TAPE.frame)
    assert sum(pair == ("rebalance", "intent") for pair in pairwise(kinds)) == traded


async def test_a_trader_that_was_replaced_stops_for_good(house: House) -> None:
    await house.deployments.create(OURS)
    await house.crew.start(OURS)
    trader = house.crew.traders[NAME]
    await until(lambda: _is(trader.state().state == "running"))
    await house.leases.take(NAME, "its successor")
    await asyncio.wait([trader._task], timeout=120)
    assert trader.state().state == "stopped"


async def _is(holds: bool) -> bool:
    return holds


async def test_a_fault_is_told_and_tried_again() -> None:
    tries = []

    def fails_first(*_: Any) -> Written:
        tries.append(1)
        if len(tries) < 3:
            raise Unavailable("not yet")
        return written()

    house = House(TAPE, fails_first)
    try:
        await house.play(OURS)
        assert len(tries) == 3
        assert (await house.deployments.get(OURS.id)).last_error is None
    finally:
        await house.close()


async def test_other_parameters_replace_the_trader(house: House) -> None:
    await house.play(OURS)
    assert house.supervisor is not None
    first = house.crew.traders[NAME]
    await house.blotter.set_parameters(OURS.id, {"fast_bars": 3}, before=OURS.parameters)
    await house.supervisor.nudge()

    async def another() -> bool:
        return house.crew.traders.get(NAME, first) is not first

    await until(another)
    assert [state.name for state in await house.supervisor.traders()] == [NAME]


async def test_each_bar_is_decided_by_the_parameters_that_held_then_as_its_backtest_says() -> None:
    tape, _ = market(120, gaps=0.0)
    kind, changes = "moving_average_crossover", [{"fast_bars": 5, "slow_bars": 30}, {"fast_bars": 1, "slow_bars": 4}]
    house = House(tape, lambda _, parameters: registry.make(kind, parameters))
    ours = replace(OURS, parameters={"fast_bars": 2, "slow_bars": 6}, rebalance_band=0.0)
    playing = asyncio.create_task(house.play(ours))
    try:
        for row, parameters in zip((40, 80), changes, strict=True):
            await until(lambda row=row: finished(house, row, tape))  # type: ignore[misc]
            before = (await house.deployments.get(ours.id)).parameters
            await house.blotter.set_parameters(ours.id, parameters, before=before)
        await playing
        entries, _ = await house.blotter.journal(USER, ours.id, ("deployment",), 0, 10)
        told = [each for each in (Tuning.told_in(entry.data) for entry in reversed(entries)) if each]
        assert [each.parameters for each in told] == changes
        assert all(each.last_bar and each.last_bar < tape.frame.time(len(tape.frame) - 2) for each in told)
        spec = BacktestSpec(
            kind,
            ours.parameters,
            ours.coins,
            tape.frame.time(0),
            tape.frame.time(len(tape.frame) - 1),
            ours.cash_aud,
            0.0,
        )
        tuned = [Tuned(each.last_bar, each.parameters) for each in told if each.last_bar]
        done = study(spec, tape.frame, TERMS, lived=True, changes=tuned)
        floor = [(fill.executed_at, fill.coin, fill.side, fill.quantity) for fill, _ in house.fills(ours)]
        assert floor == [(fill.executed_at, fill.coin, fill.side, fill.quantity) for fill in done.fills]
        assert sum(told[0].last_bar < time <= told[1].last_bar for time, *_ in floor) > 0  # type: ignore[operator]
    finally:
        playing.cancel()
        await house.close()


async def test_a_paused_deployment_is_dismissed_and_quotes_do_not_wait_for_it(house: House) -> None:
    await house.play(OURS)
    assert house.supervisor is not None
    await house.deployments.set_status(OURS.id, DeploymentStatus.PAUSED, "a pause")
    await house.supervisor.nudge()

    async def gone() -> bool:
        return not house.crew.traders and not house.collector()._consumers.done_until

    await until(gone)
    assert await house.supervisor.traders() == []


async def paused_over_some_bars(house: House) -> int:
    """Play with a companion; ours is paused after a few bars and activated again at the row that is returned."""
    companion = deployment(2)
    playing = asyncio.create_task(house.play(OURS, companion))
    try:
        await until(lambda: finished(house, 3))
        await house.deployments.set_status(OURS.id, DeploymentStatus.PAUSED, "a pause")
        await until(lambda: _is(house.exchange.position >= 8))
        await house.deployments.set_status(OURS.id, DeploymentStatus.ACTIVE, "again")
        row = house.exchange.position
        await playing
        return row
    finally:
        playing.cancel()


async def finished(house: House, row: int, tape: Tape = TAPE) -> bool:
    done_until = (await house.blotter.recall(OURS.id)).done_until
    return done_until is not None and done_until >= tape.frame.time(row)


async def test_what_was_decided_before_bars_were_missed_is_not_traded_after_them() -> None:
    tape, weights = market(60, gaps=0.0)
    house = House(tape, lambda *_: Written(dict(zip(tape.frame.times, weights, strict=True))))
    try:
        row = await paused_over_some_bars(house)
        orders = [each.order.intent for each in house.blotter._rows_of(OURS.id)]
        after = [intent for intent in orders if intent.quoted_at >= tape.frame.time(row)]
        assert after
        assert all(intent.quoted_at - intent.decided_at == BAR for intent in after)
    finally:
        await house.close()


async def test_a_position_grows_old_in_bars_that_were_missed() -> None:
    tape, _ = market(60, gaps=0.0)
    house = House(tape, lambda *_: Written(dict.fromkeys(tape.frame.times, np.array([0.5, 0.0, 0.0]))))
    try:
        await paused_over_some_bars(house)
        assert (await house.blotter.recall(OURS.id)).ages == (58, None, None)
    finally:
        await house.close()


async def test_an_intent_whose_bar_has_passed_is_denied_not_sent(house: House) -> None:
    """Journaled, and then everybody died for longer than a bar."""
    await house.deployments.create(OURS)
    at = TAPE.frame.time(0)
    quote = house.exchange.paper.quote("ETH")
    intent = OrderIntent(
        client_order_id(OURS.id, at, "ETH", Turn.PURCHASE),
        OURS.id,
        USER,
        "ETH",
        Side.BUY,
        Decimal(10),
        OrderKind.MARKET,
        quote.ask_aud,
        at,
        at,
        "a test's",
    )
    await house.blotter.begin(intent)
    memory = TraderMemory(at - BAR, at - BAR, (0.0, 0.0, 1.0), (False,) * 3, Rebalance(at, 10_000.0, (0.0, 0.0, 1.0)))
    await house.blotter.remember(OURS.id, memory)
    for row in range(3):
        await house.archive.append(board_of(TAPE.frame, row))
    house.exchange.position = 3
    house.exchange.paper.show(board_of(TAPE.frame, 3))
    house.deployments.kept.clear()
    await house.play(OURS)
    order = await house.blotter.order(intent.client_order_id)
    assert order is not None
    assert order.status is OrderStatus.DENIED
    assert denial(order).reason is DenialReason.TOO_LATE


async def test_limits_deny_and_the_trader_goes_on(house: House) -> None:
    small = replace(OURS, limits=replace(OURS.limits, order_notional_aud=Decimal("0.01")))
    await house.play(small)
    assert not house.fills(OURS)
    entries, total = await house.blotter.journal(USER, OURS.id, ("denied",), 0, 100)
    assert total > 5
    assert entries[0].data["reason"] == "order_too_large"


def test_the_weights_of_these_tests_trade() -> None:
    assert np.isfinite(WEIGHTS).all()
