"""An algorithm that is asked on some bars only: the floor asks on those that a backtest asks on, and trades as it does,
whoever dies in between."""

from dataclasses import replace
from datetime import time, timedelta
from decimal import Decimal

import numpy as np
import pytest

from actors.trader import TraderPorts
from omc.backtest.cost import Costs
from omc.backtest.kernel import BUY, simulate
from omc.backtest.market import Market
from omc.feature.frame import FloatArray
from omc.ledger.catalyst import Catalyst, MemoryCatalysts
from omc.market.money import from_grid
from omc.market.tape import Tape
from omc.strategy.trigger import Crossing, Daily, Direction, Every, Happening, Strayed, Triggers, fired, held
from omc.trading.fill import Side
from tests.actors.mortal import COINS, START, TERMS, Fuse, Fused, House, Written, deployment, market
from tests.actors.test_floor import STOP, floor_trades

TRIGGERS: dict[str, Triggers] = {
    "a price that is crossed": (Crossing("BTC", 90_000.0, Direction.EITHER), Crossing("XYZ", 0.4, Direction.UP)),
    "a schedule": (Every(900),),
    "a time of day": (Daily(time(1), "UTC"),),
    "a price that strays": (Strayed("BTC", 2.0, 3), Strayed("XYZ", 3.0, 1, Direction.DOWN)),
    "catalysts": (Happening("listing", "BTC"), Happening(priority="high")),
    "either": (Daily(time(11, 30), "Australia/Sydney"), Crossing("ETH", 3.0)),
}
ROWS = 40


def known(minutes: float, type_: str = "news", coin: str = "BTC", **changes) -> Catalyst:
    at = START + minutes * timedelta(minutes=1)
    return Catalyst(type_, f"{type_} at {minutes}", (coin,), "wire", f"{type_}:{minutes}", at, at, **changes)


EVENTS = (
    known(-3, "listing"),
    known(20, "listing"),
    known(31, "listing", "ETH"),
    known(47, "listing"),
    known(48, "listing"),
    known(62, priority="critical"),
    known(63),
    known(150, "listing"),
)
"""Among others on a bar's very moment, between two, before the first, and two between the same."""


def kernel_trades(tape: Tape, weights: FloatArray, triggers: Triggers) -> list[tuple[object, ...]]:
    wanted = held(weights, fired(triggers, tape.frame, EVENTS))
    twin = simulate(Market.quoted(tape.frame), wanted, Costs.of(TERMS, COINS, 0.0), cash_aud=10_000.0, exits=STOP)
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


class Listening(House):
    """Its traders hear of catalysts."""

    def __init__(self, *args, **named) -> None:
        super().__init__(*args, **named)
        self.catalysts = MemoryCatalysts()

    def trader_ports(self) -> TraderPorts:
        return replace(super().trader_ports(), catalysts=Fused(self.catalysts, self.trader_fuse))


class Asked(Written):
    """It says when it was asked."""

    def __init__(self, *args, times: set, **named) -> None:
        super().__init__(*args, **named)
        self.times = times

    def predict(self, frame):
        self.times.add(frame.times[-1])
        return super().predict(frame)


@pytest.mark.parametrize("fuse", [(), (30,), (-55, 90)], ids=["nobody dies", "the trader dies", "it dies twice"])
@pytest.mark.parametrize("name", TRIGGERS)
async def test_the_floor_asks_and_trades_as_the_backtest_does(name: str, fuse: tuple[int, ...]) -> None:
    triggers, asked = TRIGGERS[name], set()
    tape, weights = market(ROWS, seed=5, gaps=0.0)
    written = dict(zip(tape.frame.times, weights, strict=True))
    house = Listening(tape, lambda *_: Asked(written, STOP, times=asked), trader_fuse=Fuse(fuse))
    await house.catalysts.record(EVENTS)
    ours = deployment(triggers=triggers)
    try:
        await house.play(ours)
    finally:
        await house.close()
    expected = kernel_trades(tape, weights, triggers)
    assert len(expected) > 3
    assert floor_trades(house) == expected
    rows = fired(triggers, tape.frame, EVENTS)
    assert asked == set(tape.frame.times[rows])
    entries, _ = await house.blotter.journal(ours.user_id, ours.id, ["decision"], 0, 200)
    told = {
        np.datetime64(each.data["decided_at"].replace(tzinfo=None), "us") for each in entries if each.data["trigger"]
    }
    assert told == set(tape.frame.times[rows])
    if name == "catalysts":
        assert any("listing at 47; listing at 48" in each.data["trigger"] for each in entries)
