"""What goes wrong on the floor has a name, and whoever looks at the deployment, or at its decisions, finds it there."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from actors.supervisor import Supervisor
from omc.errors import KeyRefused
from omc.feature.frame import FloatArray
from omc.market.tape import Tape
from omc.risk.limits import Limits
from omc.trading.deployment import Deployment, DeploymentStatus, Mode
from omc.trading.order import OrderStatus
from tests.actors.mortal import COINS, LIMITS, House, Written, deployment, market

D = Decimal
ETH = COINS.index("ETH")


@dataclass
class Shown:
    """What is left to look at when everything is over."""

    deployment: Deployment
    whys: list[dict[str, str]]
    """Of each decision, by coin."""
    noes: list[str]
    """Messages of orders that came to nothing."""

    def says(self, words: str, coin: str = "ETH") -> bool:
        return any(words in why.get(coin, "") for why in self.whys)


Spoil = Callable[[House], None]


def wants(tape: Tape, weights: FloatArray) -> Callable[..., Any]:
    written = dict(zip(tape.frame.times, weights, strict=True))
    return lambda *_: Written(written)


async def shown(house: House, *deployments: Deployment, halts: bool = False) -> Shown:
    """Trade to the end of the tape, or until it is paused."""
    ours = deployments[0]
    try:
        if halts:
            await house.deployments.create(ours)
            house.supervisor = Supervisor(house.deployments, house.crew, house, every_s=0.002)
            async with asyncio.timeout(60):
                while (await house.deployments.get(ours.id)).status is DeploymentStatus.ACTIVE:  # noqa: ASYNC110
                    await asyncio.sleep(0.002)
        else:
            await house.play(*deployments)
        entries, _ = await house.blotter.journal(ours.user_id, ours.id, ("decision",), 0, 100)
        rows, _ = await house.blotter.orders(ours.user_id, ours.id, 0, 100)
        noes = [row.order for row in rows if row.order.status in (OrderStatus.DENIED, OrderStatus.REJECTED)]
        return Shown(
            await house.deployments.get(ours.id),
            [dict(entry.data["why"]) for entry in entries],
            [order.message or "" for order in noes],
        )
    finally:
        await house.close()


def quiet(rows: int, coins: dict[str, float] | None = None) -> tuple[Tape, FloatArray]:
    """A tape without gaps, and the same weights on every bar."""
    tape, weights = market(rows, seed=3, gaps=0.0)
    wanted = {"ETH": 0.3, "XYZ": 0.3} if coins is None else coins
    weights[:] = [wanted.get(coin, 0.0) for coin in COINS]
    return tape, weights


class Spoiled:
    """An exchange one of whose calls goes another way."""

    def __init__(self, exchange: Any, place: Callable[[Any, Any], Any]) -> None:
        self._exchange, self._place = exchange, place

    def __getattr__(self, name: str) -> Any:
        return getattr(self._exchange, name)

    async def open(self, of: Any) -> Any:
        account, place = await self._exchange.open(of), self._place

        class Account:
            def __getattr__(self, name: str) -> Any:
                return getattr(account, name)

            async def place(self, approved: Any) -> Any:
                return await place(account, approved)

        return Account()


async def test_credentials_that_are_refused_pause_the_deployment_by_that_name() -> None:
    house = House(*_house(*quiet(6)))

    async def refuses(*_: Any) -> Any:
        raise KeyRefused("my/buy: invalid key")

    house.exchange = Spoiled(house.exchange, refuses)  # type: ignore[assignment]
    seen = await shown(house, deployment(), halts=True)
    assert seen.deployment.status is DeploymentStatus.PAUSED
    assert "credentials_refused: my/buy: invalid key" in (seen.deployment.last_error or "")
    assert seen.noes == ["my/buy: invalid key"]


@pytest.mark.parametrize("asks", [100.0, np.inf, np.nan, -0.5], ids=["10,000 %", "all there is", "nonsense", "debt"])
async def test_an_algorithm_that_asks_for_what_nobody_has_is_paused_and_sends_nothing(asks: float) -> None:
    tape, weights = quiet(6)
    weights[2:, ETH] = asks
    house = House(*_house(tape, weights))
    seen = await shown(house, deployment(), halts=True)
    assert seen.deployment.status is DeploymentStatus.PAUSED
    told = seen.deployment.last_error or ""
    assert tape.frame.time(2).isoformat() in told
    assert told.startswith("unusable_weights: ")
    assert [each for each in seen.whys if each["ETH"] == told] == seen.whys[:1]
    times = {fill.executed_at for fill, _ in house.fills(deployment())}
    assert max(times) <= tape.frame.time(2)


async def test_cash_that_is_not_at_the_venue_is_told_in_status_and_decisions() -> None:
    tape, weights = quiet(6)
    house = House(*_house(tape, weights))

    async def gone(account: Any, approved: Any) -> Any:
        # Somebody took it out of the account.
        house.exchange.paper.wallet(approved.intent.deployment_id.__str__()).cash_aud = D(1)
        return await account.place(approved)

    house.exchange = Spoiled(house.exchange, gone)  # type: ignore[assignment]
    seen = await shown(house, deployment())
    assert "not_enough_funds" in (seen.deployment.last_error or "")
    assert seen.says("not_enough_funds")
    assert seen.deployment.status is DeploymentStatus.ACTIVE


async def test_a_limit_that_binds_is_told_in_decisions() -> None:
    tape, weights = quiet(4)
    tight = Limits(LIMITS.order_notional_aud, D(1_000), LIMITS.daily_loss_aud)
    seen = await shown(House(*_house(tape, weights)), deployment(limits=tight))
    assert seen.says("position_too_large")
    assert any(no.startswith("position_too_large") for no in seen.noes)


async def test_a_coin_that_is_delisted_while_it_is_held_is_told_and_the_others_are_traded() -> None:
    tape, weights = quiet(8)
    weights[3:, ETH] = 0.0
    weights[3:, COINS.index("XYZ")] = 0.5
    house = House(*_house(tape, weights))
    held = False

    async def delists(account: Any, approved: Any) -> Any:
        nonlocal held
        if held and approved.intent.coin == "ETH":
            terms = house.exchange.paper.terms
            house.exchange.paper.terms = replace(terms, market_coins=terms.market_coins - {"ETH"})
        held = held or approved.intent.coin == "ETH"
        return await account.place(approved)

    house.exchange = Spoiled(house.exchange, delists)  # type: ignore[assignment]
    seen = await shown(house, deployment())
    assert seen.says("coin_not_listed")
    assert seen.noes
    assert set(seen.noes) == {"Invalid market"}
    assert (await house.blotter.account(seen.deployment.id)).position("ETH").quantity > 0
    assert {fill.coin for fill, _ in house.fills(deployment())} == {"ETH", "XYZ"}
    late = tape.frame.time(4)
    assert any(fill.coin == "XYZ" and fill.executed_at >= late for fill, _ in house.fills(deployment()))


async def test_an_order_below_the_minimum_is_told_where_the_venue_asks_for_more_than_we_know() -> None:
    house = House(*_house(*quiet(6, {"ETH": 0.3})))
    house.exchange.paper.terms = replace(house.exchange.paper.terms, min_order_aud=D(1_000_000))
    seen = await shown(house, deployment())
    assert seen.says("below_the_minimum")
    assert "below_the_minimum" in (seen.deployment.last_error or "")
    assert house.fills(deployment()) == []


async def test_two_deployments_that_fight_over_one_coin_each_sell_their_own() -> None:
    """They share an account, and both want it, and want it gone, on the same bars."""
    tape, weights = quiet(8, {"ETH": 0.4})
    weights[1::2] = 0.0
    first = deployment(1, mode=Mode.LIVE)
    second = deployment(2, mode=Mode.LIVE, name="test 2")
    house = House(*_house(tape, weights))
    house.exchange.paper.open_account(first.account, 2 * first.cash_aud)
    seen = await shown(house, first, second)
    accounts = [await house.blotter.account(each.id) for each in (first, second)]
    wallet = house.exchange.paper.wallet(first.account)
    assert sum(each.position("ETH").quantity for each in accounts) == wallet.balance("ETH")
    assert sum(each.cash_aud for each in accounts) == wallet.cash_aud
    assert min(each.position("ETH").quantity for each in accounts) >= 0
    assert seen.deployment.status is DeploymentStatus.ACTIVE


def _house(tape: Tape, weights: FloatArray) -> tuple[Tape, Callable[..., Any]]:
    return tape, wants(tape, weights)
