from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from omc.portfolio.counted import in_order
from omc.portfolio.disposals import disposals
from omc.trading.fill import Fill, Side

START = datetime(2025, 1, 1, tzinfo=UTC)
ONE, TWO = UUID(int=1), UUID(int=2)


def fill(name: str, side: Side, quantity: int = 1, *, hours: int = 0) -> Fill:
    return Fill(
        name, "BTC", side, Decimal(quantity), Decimal(quantity * 10), Decimal(0), START + hours * timedelta(hours=1)
    )


def names(owned) -> list[str]:
    return [each.fill_id for _, each in owned]


def test_in_one_instant_a_coin_is_bought_before_it_is_sold() -> None:
    assert names(in_order([(ONE, fill("s", Side.SELL)), (ONE, fill("b", Side.BUY))])) == ["b", "s"]


def test_a_fill_that_is_read_twice_counts_once_and_for_each_deployment_that_has_it() -> None:
    read = [(ONE, fill("b", Side.BUY)), (ONE, fill("b", Side.BUY)), (TWO, fill("b", Side.BUY))]
    assert [owner for owner, _ in in_order(read)] == [ONE, TWO]


def test_a_sale_whose_purchase_bears_a_later_time_waits_for_it() -> None:
    early = [(ONE, fill("s", Side.SELL, 2)), (ONE, fill("b1", Side.BUY, hours=1)), (ONE, fill("b2", Side.BUY, hours=2))]
    assert names(in_order(early)) == ["b1", "b2", "s"]


def test_what_nothing_covers_is_kept() -> None:
    assert names(in_order([(ONE, fill("s", Side.SELL))])) == ["s"]


def test_a_deployment_sells_what_it_bought_itself_unless_all_are_one_pool() -> None:
    read = [(ONE, fill("old", Side.BUY)), (TWO, fill("new", Side.BUY, hours=1)), (TWO, fill("s", Side.SELL, hours=2))]
    assert [(owner, sold.bought_by) for owner, sold in disposals(read)] == [(TWO, "new")]
    assert [(owner, sold.bought_by) for owner, sold in disposals(read, pooled=True)] == [(TWO, "old")]
