from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.market.money import ZERO
from omc.portfolio.account import Account
from omc.portfolio.lots import Lots
from omc.portfolio.pnl import Method, ProfitAndLoss, by_coin, by_day, by_deployment, lines, total
from omc.portfolio.position import Position
from omc.trading.fill import Fill, Side
from omc.trading.settlement import settle

START = datetime(2025, 1, 1, tzinfo=UTC)
COINS = ("BTC", "ETH")
CASH = Decimal(1_000_000)


@st.composite
def histories(draw: st.DrawFn) -> list[Fill]:
    """Fills that sell no more than is held, one after the other: partial ones, dust, to zero and opened again."""
    held = dict.fromkeys(COINS, ZERO)
    fills: list[Fill] = []
    at = START
    for number in range(draw(st.integers(0, 25))):
        coin = draw(st.sampled_from(COINS))
        side = draw(st.sampled_from(Side)) if held[coin] else Side.BUY
        most = Decimal(100) if side is Side.BUY else held[coin]
        part = st.decimals(min_value="0.00000001", max_value=most, places=8)
        quantity = draw(st.just(most) | part if side is Side.SELL else part)
        price = draw(st.decimals("0.01", "100", places=8))
        settled = settle(side, quantity, price, 100)
        held[coin] += quantity if side is Side.BUY else -quantity
        at += timedelta(hours=draw(st.integers(1, 12)))
        fills.append(Fill(str(number), coin, side, quantity, settled.total_aud, settled.fee_aud, at))
    return fills


marks = st.fixed_dictionaries({coin: st.decimals("0.01", "100", places=8) for coin in COINS})


@given(histories(), marks)
def test_what_was_earned_is_equity_less_deposits(fills: list[Fill], marks_aud: dict[str, Decimal]) -> None:
    account = Account.opened_with(CASH)
    for fill in fills:
        account = account.apply(fill, fill.price_aud)
    earned = total(lines([(UUID(int=1), fill) for fill in fills], marks_aud))
    assert earned.net_aud == account.equity_aud(marks_aud) - CASH
    assert (earned.realized_aud, earned.fees_aud) == (account.realized_aud, account.fees_aud)
    assert earned.unrealized_aud == account.unrealized_aud(marks_aud)
    assert earned.fills == len(fills)


methods = st.sampled_from(Method)


@given(histories(), marks, methods)
def test_by_either_method_it_is_equity_less_deposits_to_the_last_decimal(fills, marks_aud, method) -> None:
    equity = CASH
    for fill in fills:
        equity += -fill.total_aud if fill.side is Side.BUY else fill.total_aud
    for coin in COINS:
        equity += marks_aud[coin] * sum(
            (fill.quantity if fill.side is Side.BUY else -fill.quantity for fill in fills if fill.coin == coin), ZERO
        )
    earned = total(lines([(UUID(int=1), fill) for fill in fills], marks_aud, method=method))
    assert earned.net_aud == equity - CASH
    assert earned.fees_aud == sum((fill.fee_aud for fill in fills), ZERO)


@given(histories(), marks, methods, st.randoms(use_true_random=False), st.data())
def test_neither_the_order_of_reading_nor_reading_twice_changes_anything(fills, marks_aud, method, random, data):
    owned = [(UUID(int=1), fill) for fill in fills]
    again = data.draw(st.lists(st.sampled_from(owned), max_size=5)) if owned else []
    read = [*owned, *again]
    random.shuffle(read)
    told = lines(read, marks_aud, method=method)
    assert by_coin(told) == by_coin(lines(owned, marks_aud, method=method))
    assert by_day(told) == by_day(lines(owned, marks_aud, method=method))
    assert total(told).fills == len(fills)


@given(histories(), methods)
def test_deployments_do_not_touch_each_others_books(fills, method) -> None:
    def of(number: int):
        return [(UUID(int=number), fill) for fill in fills]

    both = by_deployment(lines([*of(1), *of(2)], {}, method=method))
    alone = by_deployment(lines(of(1), {}, method=method))
    assert list(both.values()) == 2 * list(alone.values())


@given(histories())
def test_once_flat_both_methods_have_earned_the_same(fills: list[Fill]) -> None:
    lots = {coin: Lots(coin) for coin in COINS}
    for fill in fills:
        lots[fill.coin].apply(fill)
    at = START + timedelta(days=300)
    for coin, left in lots.items():
        if left.quantity:
            paid = settle(Side.SELL, left.quantity, Decimal(7), 100)
            fills = [*fills, Fill(f"last-{coin}", coin, Side.SELL, left.quantity, paid.total_aud, paid.fee_aud, at)]
    owned = [(UUID(int=1), fill) for fill in fills]
    average, fifo = (by_coin(lines(owned, {}, method=method)) for method in Method)
    assert average == fifo


@given(histories(), marks, methods)
def test_it_is_the_same_whichever_way_it_is_cut(fills, marks_aud, method) -> None:
    told = lines([(UUID(int=number), fill) for number, fill in enumerate(fills[:1])], marks_aud, method=method)
    told += lines([(UUID(int=9), fill) for fill in fills], marks_aud, method=method)
    for cut in (by_deployment(told), by_coin(told), by_day(told)):
        assert sum(cut.values(), ProfitAndLoss()) == total(told)


@given(histories(), st.integers(0, 200))
def test_two_spans_that_meet_tell_all(fills: list[Fill], hours: int) -> None:
    split = START + timedelta(hours=hours)
    given_fills = [(UUID(int=1), fill) for fill in fills]
    halves = total(lines(given_fills, {}, end=split)) + total(lines(given_fills, {}, start=split))
    assert halves == total(lines(given_fills, {}))


def test_a_day_is_a_day_of_the_zone_that_is_asked_for() -> None:
    late = datetime(2025, 1, 2, 20, tzinfo=UTC)
    fill = Fill("1", "BTC", Side.BUY, Decimal(1), Decimal("10.10"), Decimal("0.10"), late)
    told = lines([(UUID(int=1), fill)], {"BTC": Decimal(12)})
    assert by_day(told) == {
        date(2025, 1, 2): ProfitAndLoss(fees_aud=Decimal("0.10"), fills=1),
        None: ProfitAndLoss(unrealized_aud=Decimal(2)),
    }
    assert date(2025, 1, 3) in by_day(lines([(UUID(int=1), fill)], {}, zone=ZoneInfo("Australia/Sydney")))


@given(histories())
def test_a_position_is_its_fills(fills: list[Fill]) -> None:
    position = Position("BTC")
    for fill in fills:
        position = position.apply(fill, fill.price_aud) if fill.coin == "BTC" else position
    signed = [fill.quantity if fill.side is Side.BUY else -fill.quantity for fill in fills if fill.coin == "BTC"]
    assert position.quantity == sum(signed, ZERO)
    assert (position.opening_price_aud is None) == (not position.quantity)
    if not position.quantity:
        assert position.cost_aud == 0


def test_more_than_is_held_cannot_be_sold() -> None:
    fill = Fill("1", "BTC", Side.SELL, Decimal(1), Decimal(1), Decimal(0), START)
    with pytest.raises(ValueError, match="cannot sell"):
        Position("BTC").apply(fill, Decimal(1))


def test_a_stop_is_measured_from_the_price_that_opened_the_position() -> None:
    def bought(number: int) -> Fill:
        return Fill(str(number), "BTC", Side.BUY, Decimal(1), Decimal(10), Decimal(0), START)

    position = Position("BTC").apply(bought(1), Decimal(7)).apply(bought(2), Decimal(9))
    assert position.opening_price_aud == 7
    assert position.average_price_aud == 10
