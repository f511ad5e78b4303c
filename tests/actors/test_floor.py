"""The whole floor in one process: it makes the kernel's trades, whoever dies and whenever."""

import asyncio
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from omc.backtest.cost import Costs
from omc.backtest.kernel import BUY, simulate
from omc.backtest.market import Market
from omc.feature.frame import FloatArray
from omc.market.money import from_grid
from omc.market.tape import Tape
from omc.trading.exits import Exits, Reason
from omc.trading.fill import Side
from tests.actors.mortal import COINS, TERMS, Fuse, House, Written, deployment, market

ROWS = 25
STOP = Exits(stop_loss=0.05)
EVERY_EXIT = Exits(
    stop_loss=0.03,
    trailing=0.05,
    trailing_tight=0.01,
    trailing_offset=0.02,
    take_profit=((0, 0.05), (3, 0.02)),
    time_stop_bars=5,
    reentry=True,
)


async def played(tape: Tape, weights: FloatArray, exits: Exits = STOP, **fuses: Fuse) -> House:
    written = dict(zip(tape.frame.times, weights, strict=True))
    house = House(tape, lambda _type, _parameters: Written(written, exits=exits), **fuses)
    try:
        await house.play(deployment())
        return house
    finally:
        await house.close()


def kernel_trades(tape: Tape, weights: FloatArray, exits: Exits = STOP) -> list[tuple[object, ...]]:
    costs = Costs.of(TERMS, COINS, 0.0)
    twin = simulate(Market.quoted(tape.frame), weights, costs, cash_aud=10_000.0, exits=exits)
    return [
        (
            tape.frame.time(int(trade["row"])),
            COINS[trade["coin"]],
            Side.BUY if trade["side"] == BUY else Side.SELL,
            from_grid(float(trade["quantity"])),
            from_grid(float(trade["price_aud"])),
            Decimal(str(trade["total_aud"])).quantize(Decimal("0.01")),
        )
        for trade in twin.trades
    ]


def floor_trades(house: House) -> list[tuple[object, ...]]:
    return [
        (fill.executed_at, fill.coin, fill.side, fill.quantity, price, fill.total_aud)
        for fill, price in house.fills(deployment())
    ]


@pytest.mark.parametrize("exits", [STOP, EVERY_EXIT], ids=["stop", "every exit"])
async def test_the_floor_makes_the_trades_of_the_kernel_and_its_books_are_the_venues(exits: Exits) -> None:
    tape, weights = market(120)
    written = dict(zip(tape.frame.times, weights, strict=True))
    house = House(tape, lambda *_: Written(written, exits=exits))
    try:
        await house.play(deployment())
        assert floor_trades(house) == kernel_trades(tape, weights, exits)
        assert len(floor_trades(house)) > 100
        assert (await house.reconcile(deployment().id)).differences == ()
        assert (await house.collector().status()).state == "ended"
    finally:
        await house.close()


async def test_two_traders_share_a_tape_in_lock_step() -> None:
    tape, weights = market(40)
    written = dict(zip(tape.frame.times, weights, strict=True))
    house = House(tape, lambda *_: Written(written))
    one, other = deployment(1), deployment(2)
    try:
        await house.play(one, other)
    finally:
        await house.close()
    assert len(house.fills(one)) == len(house.fills(other)) > 20


counted = st.integers(1, 400)
deaths = st.lists(st.tuples(counted, st.sampled_from([-1, 1])), max_size=6)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 1000), st.sampled_from([STOP, EVERY_EXIT]), deaths, deaths, deaths)
def test_deaths_at_any_call_change_no_trade(
    seed: int,
    exits: Exits,
    risk: list[tuple[int, int]],
    trader: list[tuple[int, int]],
    collector: list[tuple[int, int]],
) -> None:
    tape, weights = market(ROWS, seed)
    fuses = {
        f"{name}_fuse": Fuse([number * sign for number, sign in at])
        for name, at in (("risk", risk), ("trader", trader), ("collector", collector))
    }
    house = asyncio.run(played(tape, weights, exits, **fuses))
    assert floor_trades(house) == kernel_trades(tape, weights, exits)
    account = house.exchange.paper.wallet(str(deployment().id))
    assert len(account.executions) == len(floor_trades(house))
    assert len({row.order.venue_order_id for row in house.blotter._rows.values()} - {None}) <= len(account.executions)


@pytest.mark.parametrize("sign", [-1, 1], ids=["before", "after"])
@pytest.mark.parametrize("who", ["risk", "trader"])
@pytest.mark.parametrize("exits", [STOP, EVERY_EXIT], ids=["stop", "every exit"])
def test_a_death_at_every_single_call_changes_no_trade(exits: Exits, who: str, sign: int) -> None:
    tape, weights = market(6, seed=3, gaps=0.0)
    expected = kernel_trades(tape, weights, exits)
    undisturbed = asyncio.run(played(tape, weights, exits))
    calls = getattr(undisturbed, f"{who}_fuse").calls
    assert floor_trades(undisturbed) == expected
    assert calls > 30
    for number in range(1, min(calls, 120) + 1):
        house = asyncio.run(played(tape, weights, exits, **{f"{who}_fuse": Fuse([sign * number])}))
        assert floor_trades(house) == expected, f"died at call {number}"
        # The last call waits for more at the end of the tape: nobody waits for its death.
        assert house.deaths == 1 or number >= calls - 1


def test_the_market_of_these_tests_has_gaps_and_stops() -> None:
    tape, weights = market(120)
    assert np.isnan(tape.frame.bid).any()
    assert (weights == 0).any()
    costs = Costs.of(TERMS, COINS, 0.0)
    twin = simulate(Market.quoted(tape.frame), weights, costs, cash_aud=10_000.0, exits=EVERY_EXIT)
    assert set(twin.trades["reason"]) == {reason for reason in Reason if reason < Reason.END}
    few, weights = market(6, seed=3, gaps=0.0)
    twin = simulate(Market.quoted(few.frame), weights, costs, cash_aud=10_000.0, exits=EVERY_EXIT)
    assert set(twin.trades["reason"]) > {Reason.SIGNAL}
