from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.market.money import ZERO
from omc.portfolio.account import Account
from omc.portfolio.pnl import ProfitAndLoss, by_coin, by_day, by_deployment, lines, total
from omc.portfolio.position import Position
from omc.trading.fill import Fill, Side
from omc.trading.settlement import settle

START = datetime(2025, 1, 1, tzinfo=UTC)
COINS = ("BTC", "ETH")
CASH = Decimal(1_000_000)


@st.composite
def histories(draw: st.DrawFn) -> list[Fill]:
    """Fills that sell no more than is held."""
    held = dict.fromkeys(COINS, ZERO)
    fills: list[Fill] = []
    for number in range(draw(st.integers(0, 25))):
        coin = draw(st.sampled_from(COINS))
        side = draw(st.sampled_from(Side)) if held[coin] else Side.BUY
        most = Decimal(100) if side is Side.BUY else held[coin]
        quantity = draw(st.decimals(min_value="0.00000001", max_value=most, places=8)) if most > 0 else most
        price = draw(st.decimals("0.01", "100", places=8))
        settled = settle(side, quantity, price, 100)
        held[coin] += quantity if side is Side.BUY else -quantity
        at = START + number * timedelta(hours=draw(st.integers(1, 12)))
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


@given(histories(), marks)
def test_it_is_the_same_whichever_way_it_is_cut(fills: list[Fill], marks_aud: dict[str, Decimal]) -> None:
    told = lines([(UUID(int=number % 1 + 1), fill) for number, fill in enumerate(fills)], marks_aud)
    for cut in (by_deployment(told), by_coin(told), by_day(told)):
        assert sum(cut.values(), ProfitAndLoss()) == total(told)


@given(histories(), st.integers(0, 200))
def test_two_spans_that_meet_tell_all(fills: list[Fill], hours: int) -> None:
    split = START + timedelta(hours=hours)
    given_fills = [(UUID(int=1), fill) for fill in fills]
    halves = total(lines(given_fills, {}, end=split)) + total(lines(given_fills, {}, start=split))
    assert halves == total(lines(given_fills, {}))


def test_a_day_is_a_day_in_utc() -> None:
    late = datetime(2025, 1, 2, 9, tzinfo=UTC).astimezone()
    fill = Fill("1", "BTC", Side.BUY, Decimal(1), Decimal("10.10"), Decimal("0.10"), late)
    told = lines([(UUID(int=1), fill)], {"BTC": Decimal(12)})
    assert by_day(told) == {
        date(2025, 1, 2): ProfitAndLoss(fees_aud=Decimal("0.10"), fills=1),
        None: ProfitAndLoss(unrealized_aud=Decimal(2)),
    }


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
