"""What a verdict depends on at the risk desk: limits of account and platform, losses of the day, and what others send
at the same time."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.limits.rounds import Rounds
from actors.risk import RiskActor
from omc.clock import ManualClock
from omc.errors import Unavailable
from omc.market.quote import Quote, QuoteBoard
from omc.market.terms import OrderKind
from omc.risk.kill_switch import HaltLevel, HaltScope
from omc.risk.limits import AccountLimits, Bounds
from omc.risk.store import MemoryRiskStore, Place
from omc.risk.verdict import DenialReason, Denied
from omc.trading.blotter import MemoryBlotter
from omc.trading.deployment import Deployment, Mode, trader_name
from omc.trading.fill import Side
from omc.trading.lease import Lease
from omc.trading.order import Order, OrderIntent, Turn, client_order_id
from tests.actors.mortal import LIMITS, START, USER, House, deployment, market
from tests.actors.test_risk import submitted, up

PRICES = {"BTC": Decimal(100_000), "ETH": Decimal(10), "XYZ": Decimal(1)}
R = DenialReason


class Quoted(House):
    """A floor whose market shows what a test wants, and whose deployments all have a trader's lease."""

    def __init__(self, *deployments: Deployment, platform: Bounds | None = None) -> None:
        tape, _ = market(3, gaps=0.0)
        super().__init__(tape, lambda *_: None)
        self._deployments = deployments or (deployment(),)
        self._platform = platform or Bounds()
        self._leases: dict[Any, Lease] = {}
        self.bars = 0
        self.show()

    async def begin(self) -> None:
        for each in self._deployments:
            await self.deployments.create(each)
            self._leases[each.id] = await self.leases.take(trader_name(each), "test")

    def show(self, after: timedelta = timedelta(0), **prices: Any) -> None:
        """The market, some time after the last."""
        shown = {**PRICES, **{coin: Decimal(price) for coin, price in prices.items()}}
        quotes = {coin: Quote(coin, price, price, price) for coin, price in shown.items()}
        time = self.exchange.paper.board.time if self.bars else START
        self.bars += 1
        self.board = QuoteBoard(time + after, quotes)
        self.exchange.paper.show(self.board)

    async def newest(self) -> Any:
        return self.board

    def desk(self) -> RiskActor:
        ports = replace(self.risk_ports(), platform=self._platform, venues=self.exchange)
        return RiskActor(ports, retire=lambda: None)

    def intent(self, of: Deployment, worth: Any, coin: str = "ETH", side: Side = Side.BUY) -> OrderIntent:
        """An order of that worth at the newest quote, with a name that no other has."""
        self.bars += 1
        price = self.board.quotes[coin].ask_aud
        name = client_order_id(of.id, self.board.time, coin, Turn.SALE if side is Side.SELL else Turn.PURCHASE)
        return OrderIntent(
            f"{name}:{self.bars}",
            of.id,
            of.user_id,
            coin,
            side,
            (Decimal(worth) / price).quantize(Decimal("0.00000001")),
            OrderKind.INSTANT if coin == "XYZ" else OrderKind.MARKET,
            price,
            self.board.time,
            self.board.time,
            "a test's",
        )

    async def trade(self, desk: RiskActor, of: Deployment, worth: Any, *words: Any) -> Order | DenialReason:
        answer = await submitted(desk, self.intent(of, worth, *words), self._leases[of.id])
        return answer.reason if isinstance(answer, Denied) else answer

    async def limit(self, time_zone: str = "UTC", **bounds: Any) -> None:
        limits = Bounds(**{name: Decimal(str(value)) for name, value in bounds.items()})
        await self.risk_store.set_limits(USER, AccountLimits(limits, time_zone))

    async def events(self, kind: str) -> list[dict[str, Any]]:
        entries, _ = await self.blotter.journal(USER, None, [kind], 0, 100)
        return [dict(each.data) for each in reversed(entries)]


ONE, OTHER = deployment(1), deployment(2)


@pytest.fixture
async def floor() -> AsyncIterator[Quoted]:
    house = Quoted(ONE, OTHER)
    await house.begin()
    yield house
    await house.close()


@pytest.mark.parametrize(
    ("bounds", "first", "second", "reason"),
    [
        ({"order_notional_aud": 100}, 100, "100.01", R.ORDER_TOO_LARGE),
        ({"position_notional_aud": 150}, 100, "50.01", R.POSITION_TOO_LARGE),
        ({"gross_notional_aud": 150}, 100, "50.01", R.GROSS_TOO_LARGE),
        ({"net_notional_aud": 150}, 100, "50.01", R.NET_TOO_LARGE),
        ({"concentration": "0.01"}, 100, 101, R.CONCENTRATED),
        ({"orders_a_minute": 1}, 100, 1, R.TOO_MANY_ORDERS),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
async def test_an_accounts_limit_counts_what_all_its_deployments_do(
    floor: Quoted, bounds: Any, first: Any, second: Any, reason: DenialReason
) -> None:
    desk = floor.desk()
    await floor.limit(**bounds)
    assert isinstance(await floor.trade(desk, ONE, first), Order)
    assert await floor.trade(desk, OTHER, second) is reason
    (told,) = await floor.events("breach")
    assert (told["level"], told["limit"]) == ("account", next(iter(bounds)))
    assert await floor.trade(desk, OTHER, second) is reason
    assert len(await floor.events("breach")) == 1
    await floor.limit()
    assert isinstance(await floor.trade(desk, OTHER, second), Order)


async def test_what_is_held_may_always_be_sold(floor: Quoted) -> None:
    desk = floor.desk()
    await floor.trade(desk, ONE, 100)
    await floor.limit(
        order_notional_aud=1, gross_notional_aud=1, orders_a_minute=1, drawdown="0.0001", daily_loss_aud=1
    )
    floor.show(ETH=5)
    assert await floor.trade(desk, ONE, 1) in (R.GROSS_TOO_LARGE, R.ADDING_HALTED)
    sold = await floor.trade(desk, ONE, 50, "ETH", Side.SELL)
    assert isinstance(sold, Order)


async def test_the_platforms_limits_count_everybodys(floor: Quoted) -> None:
    house = Quoted(ONE, replace(OTHER, user_id=START_USER), platform=Bounds(gross_notional_aud=Decimal(150)))
    await house.begin()
    desk = house.desk()
    assert isinstance(await house.trade(desk, ONE, 100), Order)
    assert await house.trade(desk, replace(OTHER, user_id=START_USER), "50.01") is R.GROSS_TOO_LARGE
    await house.close()


START_USER = type(USER)(int=8)


async def test_paper_counts_apart_from_real_money(floor: Quoted) -> None:
    live = replace(deployment(3), mode=Mode.LIVE, name="live")
    desk = floor.desk()
    await up(desk)
    await floor.deployments.create(live)
    await floor.limit(gross_notional_aud=150)
    assert isinstance(await floor.trade(desk, ONE, 100), Order)
    exposure = await desk._senders.exposures.of(floor.intent(live, 100), live, liquidating=False)
    assert [figures.gross_aud for figures in exposure.levels] == [0, 0]


async def test_two_that_ask_at_the_same_time_share_what_is_left(floor: Quoted) -> None:
    """Neither is settled when the other is approved: what was promised counts."""
    desk = floor.desk()
    await up(desk)
    await floor.limit(gross_notional_aud=150)
    answers = await asyncio.gather(*(floor.trade(desk, each, 100) for each in (ONE, OTHER)))
    assert sorted(isinstance(each, Order) for each in answers) == [False, True]


async def test_what_was_promised_to_an_order_that_was_never_sent_is_free_again(floor: Quoted) -> None:
    await floor.limit(gross_notional_aud=150)
    away = True

    class Stumbles(MemoryBlotter):
        async def submitting(self, *args: Any) -> Any:
            if away:
                raise Unavailable("the database went away")
            return await super().submitting(*args)

    floor.blotter = Stumbles(floor.deployments, floor.leases, floor.kill_switch)
    floor.risk_store.blotter = floor.blotter
    desk = floor.desk()
    await up(desk)
    with pytest.raises(Unavailable):
        await desk.submit(floor.intent(ONE, 100), floor._leases[ONE.id])
    away = False
    assert isinstance(await floor.trade(desk, OTHER, 150), Order)


async def test_a_slice_takes_its_part_of_what_its_parent_was_promised(floor: Quoted) -> None:
    desk = floor.desk()
    await up(desk)
    await floor.limit(gross_notional_aud=9_100)
    exposures, parent = desk._senders.exposures, floor.intent(ONE, 9_000)
    assert not isinstance(await exposures.assess(parent, ONE, liquidating=False), Denied)
    for number, worth in enumerate((4_000, 4_000, 1_000)):
        part = floor.intent(ONE, worth)
        part = replace(part, client_order_id=f"slice {number}", slice_of=parent.client_order_id)
        assert not isinstance(await exposures.assess(part, ONE, liquidating=False), Denied)
        assert await floor.trade(desk, OTHER, 101) is R.GROSS_TOO_LARGE
        floor.show(timedelta(minutes=1))
    assert isinstance(await floor.trade(desk, OTHER, 100), Order)


async def test_the_same_order_of_the_same_quote_is_a_mistake(floor: Quoted) -> None:
    desk = floor.desk()
    assert isinstance(await floor.trade(desk, ONE, 100), Order)
    assert await floor.trade(desk, ONE, 100) is R.DUPLICATE
    assert isinstance(await floor.trade(desk, ONE, 101), Order)
    assert isinstance(await floor.trade(desk, OTHER, 100), Order)
    floor.show(timedelta(minutes=5))
    assert isinstance(await floor.trade(desk, ONE, 100), Order)


async def test_a_days_loss_trips_the_switch_until_somebody_resets_it(floor: Quoted) -> None:
    desk = floor.desk()
    await floor.deployments.set_limits(ONE.id, replace(LIMITS, daily_loss_aud=Decimal(50)))
    await floor.trade(desk, ONE, 100)
    floor.show(timedelta(minutes=5), ETH=6)
    assert isinstance(await floor.trade(desk, ONE, 10), Order)
    floor.show(timedelta(minutes=5), ETH=4)
    assert await floor.trade(desk, ONE, 10) is R.DAILY_LOSS
    (halt,) = await floor.kill_switch.on()
    assert (halt.scope, halt.level, halt.deployment_id) == (HaltScope.DEPLOYMENT, HaltLevel.ADDING, ONE.id)
    assert "are lost today, the limit is 50" in halt.reason
    assert await floor.trade(desk, ONE, 10) is R.ADDING_HALTED
    assert isinstance(await floor.trade(desk, OTHER, 10), Order)
    assert isinstance(await floor.trade(desk, ONE, 4, "ETH", Side.SELL), Order)
    floor.show(timedelta(days=1), ETH=4)
    desk = floor.desk()
    assert await floor.trade(desk, ONE, 10) is R.ADDING_HALTED
    await floor.kill_switch.reset(USER, deployment_id=ONE.id)
    await desk.release(USER, ONE.id)
    assert isinstance(await floor.trade(desk, ONE, 10), Order)


async def test_gains_not_realized_make_up_for_losses_of_the_day(floor: Quoted) -> None:
    """A day's result is equity now less equity when it began."""
    desk = floor.desk()
    await floor.limit(daily_loss_aud=50)
    await floor.trade(desk, ONE, 100)
    await floor.trade(desk, OTHER, 100, "XYZ")
    floor.show(timedelta(minutes=5), ETH=4, XYZ=2)
    assert isinstance(await floor.trade(desk, ONE, 10), Order)
    floor.show(timedelta(minutes=5), ETH=4, XYZ="0.9")
    assert await floor.trade(desk, ONE, 10) is R.DAILY_LOSS
    (halt,) = await floor.kill_switch.on()
    assert (halt.scope, halt.user_id) == (HaltScope.ACCOUNT, USER)


async def test_a_day_begins_at_the_owners_midnight_by_the_markets_clock(floor: Quoted) -> None:
    """Ten hours after the market's clock said midnight UTC it is the next day's midnight in Brisbane, 14 after."""
    desk = floor.desk()
    await floor.limit("Australia/Brisbane", daily_loss_aud=50)
    await floor.trade(desk, ONE, 100)
    floor.show(timedelta(hours=13, minutes=55), ETH="5.5")
    assert isinstance(await floor.trade(desk, ONE, 10), Order)
    floor.show(timedelta(minutes=5), ETH="5.5")
    assert isinstance(await floor.trade(desk, ONE, 10), Order)
    floor.show(timedelta(minutes=5), ETH=3)
    assert isinstance(await floor.trade(desk, ONE, 10), Order)
    floor.show(timedelta(minutes=5), ETH="0.5")
    assert await floor.trade(desk, ONE, 10) is R.DAILY_LOSS


async def test_the_peak_and_the_days_beginning_survive_the_desk(floor: Quoted) -> None:
    desk = floor.desk()
    await floor.limit(drawdown="0.01")
    await floor.trade(desk, ONE, 5_000)
    floor.show(timedelta(minutes=5), ETH=20)
    await Rounds(desk._ports, desk._office, desk._senders.exposures).once()
    successor = floor.desk()
    floor.show(timedelta(minutes=5), ETH="19.9")
    assert isinstance(await floor.trade(successor, ONE, 10), Order)
    floor.show(timedelta(minutes=5), ETH=19)
    assert await floor.trade(floor.desk(), ONE, 10) is R.DRAWDOWN


async def test_a_new_deployments_cash_is_no_gain_and_no_loss(floor: Quoted) -> None:
    desk = floor.desk()
    await floor.limit(drawdown="0.01", daily_loss_aud=100)
    await floor.trade(desk, ONE, 1_000)
    await floor.deployments.create(deployment(3))
    assert isinstance(await floor.trade(desk, ONE, 10), Order)
    (account,) = (await floor.risk_store.standings([Place(Mode.PAPER, USER)])).values()
    assert account.capital_aud == 30_000
    floor.show(timedelta(minutes=5), ETH="8.9")
    assert await floor.trade(desk, ONE, 10) is R.DAILY_LOSS


async def test_losses_in_a_row_rest_until_they_have_cooled_down(floor: Quoted) -> None:
    desk = floor.desk()
    await floor.limit(losses_in_a_row=2, cool_down_s=600)
    for _ in range(2):
        await floor.trade(desk, ONE, 100)
        floor.show(timedelta(minutes=5), ETH=9)
        assert isinstance(await floor.trade(desk, ONE, 90, "ETH", Side.SELL), Order)
        floor.show(timedelta(minutes=1))
    assert await floor.trade(desk, OTHER, 10) is R.COOLING
    desk = floor.desk()
    assert await floor.trade(desk, ONE, 10) is R.COOLING
    floor.show(timedelta(minutes=10))
    assert isinstance(await floor.trade(desk, ONE, 10), Order)


async def test_a_round_trips_what_nobody_asks_about(floor: Quoted) -> None:
    """A drawdown trips its switch though no order is wanted."""
    desk = floor.desk()
    await floor.limit(drawdown="0.1")
    await floor.trade(desk, ONE, 9_000)
    rounds = Rounds(desk._ports, desk._office, desk._senders.exposures)
    await rounds.once()
    assert await floor.kill_switch.on() == []
    floor.show(timedelta(minutes=5), ETH=7)
    await rounds.once()
    (halt,) = await floor.kill_switch.on()
    assert (halt.scope, halt.level) == (HaltScope.ACCOUNT, HaltLevel.ADDING)
    (told,) = await floor.events("breach")
    assert (told["limit"], told["level"]) == ("drawdown", "account")
    floor.show(timedelta(minutes=5), ETH=6)
    await rounds.once()
    assert len(await floor.events("breach")) == 1
    assert await floor.trade(desk, OTHER, 10) is R.ADDING_HALTED


async def test_a_round_writes_once_a_bar(floor: Quoted) -> None:
    desk = floor.desk()
    await floor.trade(desk, ONE, 100)
    written = 0

    class Counted(MemoryRiskStore):
        async def remember(self, *args: Any) -> None:
            nonlocal written
            written += 1
            await super().remember(*args)

    floor.risk_store = Counted(floor.deployments, floor.blotter)
    desk = floor.desk()
    await floor.trade(desk, ONE, 101)
    written = 0
    rounds = Rounds(desk._ports, desk._office, desk._senders.exposures)
    for row in range(4):
        floor.show(timedelta(minutes=5), ETH=11 + row)
        for _ in range(3):
            await rounds.once()
            await floor.trade(desk, ONE, 10)
    # And once for the other deployment, where its first day begins.
    assert written == 4 + 1


class Missing(Quoted):
    """A floor on whose boards a coin is missing now and then, as thin ones are."""

    def without(self, coin: str, after: timedelta = timedelta(minutes=5)) -> None:
        self.show(after)
        self.board = QuoteBoard(
            self.board.time, {name: each for name, each in self.board.quotes.items() if name != coin}
        )

    async def rounds(self, desk: RiskActor) -> None:
        await Rounds(desk._ports, desk._office, desk._senders.exposures).once()


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize(
    ("cost", "bounds"), [(10, {"daily_loss_aud": 500}), (30, {"drawdown": "0.05"})], ids=["gains", "losses"]
)
async def test_a_coin_that_a_board_lacks_is_worth_what_it_last_fetched(
    cost: int, bounds: dict[str, Any], restarted: bool
) -> None:
    """Nothing is lost because nobody quotes it for a bar, and nothing is won."""
    floor = Missing(ONE)
    await floor.begin()
    try:
        desk = floor.desk()
        floor.show(ETH=cost)
        await floor.trade(desk, ONE, 100 * cost)
        floor.show(timedelta(days=1), ETH=20)
        await floor.limit(**bounds)
        await floor.rounds(desk)
        await floor.archive.append(floor.board)
        if restarted:
            desk = RiskActor(replace(desk._ports, archive=floor.archive), retire=lambda: None)
            await up(desk)
        floor.without("ETH")
        await floor.rounds(desk)
        (before,) = (await floor.risk_store.standings([Place(Mode.PAPER, USER)])).values()
        assert before.peak_aud == before.opening_aud == 10_000 + 100 * (20 - cost) - Decimal(cost) / 10
        assert isinstance(await floor.trade(desk, ONE, 10, "BTC"), Order)
        floor.show(timedelta(minutes=5), ETH=20)
        await floor.rounds(desk)
        assert await floor.kill_switch.on() == []
        floor.show(timedelta(minutes=5), ETH=8)
        await floor.rounds(desk)
        assert len(await floor.kill_switch.on()) == 1
    finally:
        await floor.close()


async def test_a_coin_that_was_never_quoted_counts_at_what_it_cost(floor: Quoted) -> None:
    desk = floor.desk()
    await up(desk)
    marks = desk._senders.exposures.marks
    assert await marks.of(["NEW"], floor.board, floor.board.time) == {}
    assert await marks.of(["ETH"], None, floor.board.time) == {"ETH": 10}


async def test_quotes_that_do_not_move_on_add_nothing_and_sell(floor: Quoted) -> None:
    """Whoever collects them may have died, or the venue be closed: no order's quote is older than they are."""
    live = replace(deployment(3), mode=Mode.LIVE, name="live")
    await floor.deployments.create(live)
    desk = floor.desk()
    await up(desk)
    book, exposures = desk._senders.exposures._book, desk._senders.exposures
    wanted, sold = floor.intent(live, 100), floor.intent(live, 100, "ETH", Side.SELL)

    async def verdict(intent: OrderIntent, ports: Any) -> Any:
        exposures._ports = ports
        return book.assess(intent, await exposures.of(intent, live, liquidating=False))

    at = floor.board.time
    assert not isinstance(await verdict(wanted, replace(desk._ports, clock=ManualClock(at))), Denied)
    late = replace(desk._ports, clock=ManualClock(at + timedelta(seconds=61)))
    denied = await verdict(wanted, late)
    assert (denied.reason, denied.message) == (R.STALE_QUOTES, "the newest quotes are 61 s old, the limit is 60 s")
    assert (await verdict(sold, late)).reason is R.NOT_HELD
    assert not isinstance(await verdict(wanted, replace(late, tape=Played())), Denied)
    behind = replace(desk._ports, clock=ManualClock(at - timedelta(hours=3)))
    assert not isinstance(await verdict(wanted, behind), Denied)


class Played:
    """The hand on a tape: that there is one is enough."""


async def test_real_money_is_not_traded_on_old_quotes(floor: Quoted) -> None:
    live = replace(deployment(3), mode=Mode.LIVE, name="live")
    await floor.deployments.create(live)
    desk = floor.desk()
    await up(desk)
    old = floor.intent(live, 100)
    floor.show(timedelta(seconds=61))
    book, exposures = desk._senders.exposures._book, desk._senders.exposures
    denied = book.assess(old, await exposures.of(old, live, liquidating=False))
    assert isinstance(denied, Denied)
    assert denied.reason is R.STALE_QUOTES
    on_paper = replace(old, deployment_id=ONE.id)
    assert not isinstance(book.assess(on_paper, await exposures.of(on_paper, ONE, liquidating=False)), Denied)


ORDERS = st.lists(
    st.tuples(
        st.sampled_from([ONE, OTHER]),
        st.sampled_from(["BTC", "ETH", "XYZ"]),
        st.sampled_from([Side.BUY, Side.BUY, Side.SELL]),
        st.integers(1, 400),
        st.integers(-3, 3),
    ),
    max_size=25,
)
LIMITED = st.fixed_dictionaries(
    {},
    optional={
        "order_notional_aud": st.integers(50, 300),
        "position_notional_aud": st.integers(100, 600),
        "gross_notional_aud": st.integers(100, 900),
        "concentration": st.sampled_from(["0.005", "0.02"]),
        "drawdown": st.sampled_from(["0.001", "0.01"]),
        "daily_loss_aud": st.integers(5, 50),
    },
)


@given(ORDERS, LIMITED, st.booleans())
@settings(max_examples=40)
def test_no_orders_take_an_account_beyond_its_limits(orders: Any, bounds: Any, at_once: bool) -> None:
    """Whatever is asked for, in turn or at once: at the quotes that it was approved on, nothing is exceeded; and
    whatever is held is sold when that is asked for."""
    asyncio.run(_exceeds_nothing(orders, bounds, at_once))


async def _exceeds_nothing(orders: Any, bounds: Any, at_once: bool) -> None:
    floor = Quoted(ONE, OTHER)
    await floor.begin()
    desk = floor.desk()
    await up(desk)
    await floor.limit(**bounds)
    place = Place(Mode.PAPER, USER)
    try:
        for at in range(0, len(orders), 5):
            moves = [move for *_, move in orders[at : at + 5]]
            floor.show(timedelta(minutes=5), ETH=10 + moves[0])
            asked = [_asked(floor, *each[:4]) for each in orders[at : at + 5]]
            before = await floor.risk_store.holdings(place)
            held = {each.id: await floor.blotter.account(each.id) for each in (ONE, OTHER)}
            work = [floor.trade(desk, of, worth, coin, side) for of, worth, coin, side in asked]
            answers = await asyncio.gather(*work) if at_once else [await each for each in work]
            after = await floor.risk_store.holdings(place)
            bids = {coin: quote.bid_aud for coin, quote in floor.board.quotes.items()}
            for (of, worth, coin, side), answer in zip(asked, answers, strict=True):
                if isinstance(answer, Order):
                    assert worth <= bounds.get("order_notional_aud", worth) or side is Side.SELL
                elif side is Side.SELL:
                    assert answer is R.NOT_HELD
                    assert at_once or held[of.id].position(coin).quantity * bids[coin] >= 0
            bought = any(isinstance(a, Order) and s is Side.BUY for (*_, s), a in zip(asked, answers, strict=True))
            if bought and after.worth_aud(bids) > before.worth_aud(bids):
                assert after.worth_aud(bids) <= bounds.get("gross_notional_aud", 10**9) + 1
                for coin in bids:
                    if after.held(coin) > before.held(coin):
                        worth = after.held(coin) * bids[coin]
                        assert worth <= bounds.get("position_notional_aud", 10**9) + 1
    finally:
        for task in (desk._task, *desk._settling):
            task.cancel()
        await floor.close()


def _asked(floor: Quoted, of: Deployment, coin: str, side: Side, worth: int) -> tuple[Any, ...]:
    return of, Decimal(worth), coin, side
