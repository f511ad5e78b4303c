from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.market.money import CENT, ZERO
from omc.portfolio.lots import Disposal, Lots, share
from omc.trading.fill import Fill, Side
from omc.trading.settlement import settle

START = datetime(2025, 1, 1, tzinfo=UTC)
SYDNEY = ZoneInfo("Australia/Sydney")


def fill(name: str, side: Side, quantity: str, total: str, fee: str = "0", *, hours: int = 0) -> Fill:
    at = START + timedelta(hours=hours)
    return Fill(name, "BTC", side, Decimal(quantity), Decimal(total), Decimal(fee), at)


@st.composite
def histories(draw: st.DrawFn) -> list[Fill]:
    held, fills = ZERO, list[Fill]()
    for number in range(draw(st.integers(1, 25))):
        side = draw(st.sampled_from(Side)) if held else Side.BUY
        most = Decimal(100) if side is Side.BUY else held
        part = st.decimals("0.00000001", most, places=8)
        quantity = draw(st.just(most) | part if side is Side.SELL else part)
        settled = settle(side, quantity, draw(st.decimals("0.01", "100", places=8)), 100)
        held += quantity if side is Side.BUY else -quantity
        at = START + timedelta(hours=number)
        fills.append(Fill(str(number), "BTC", side, quantity, settled.total_aud, settled.fee_aud, at))
    return fills


def test_the_first_bought_is_the_first_sold_with_fees_inside_the_cost_base() -> None:
    lots = Lots("BTC")
    lots.apply(fill("b1", Side.BUY, "1", "101.00", "1.00"))
    lots.apply(fill("b2", Side.BUY, "1", "202.00", "2.00", hours=1))
    first, second = lots.apply(fill("s", Side.SELL, "1.5", "445.50", "4.50", hours=2))
    assert (first.bought_by, first.quantity, first.cost_base_aud, first.proceeds_aud) == ("b1", 1, 101, 297)
    assert (second.bought_by, second.quantity, second.cost_base_aud) == ("b2", Decimal("0.5"), 101)
    assert (first.gain_aud, second.gain_aud) == (196, Decimal("47.50"))
    (left,) = lots.parcels
    assert (left.quantity, left.cost_base_aud, left.fee_aud, lots.cost_aud) == (Decimal("0.5"), 101, 1, 100)


@given(histories())
def test_parts_add_up_to_what_was_paid_and_what_came_in_exactly_and_in_cents(fills: list[Fill]) -> None:
    lots, sold = Lots("BTC"), list[Disposal]()
    for each in fills:
        sold += lots.apply(each)
    bought = [each for each in fills if each.side is Side.BUY]
    sales = [each for each in fills if each.side is Side.SELL]
    left = lots.parcels
    costs = [each.cost_base_aud for each in (*sold, *left)]
    assert sum(costs, ZERO) == sum((each.total_aud for each in bought), ZERO)
    assert sum((each.proceeds_aud for each in sold), ZERO) == sum((each.total_aud for each in sales), ZERO)
    assert all(amount % CENT == 0 for amount in (*costs, *(each.proceeds_aud for each in sold)))
    assert sum((each.bought_fee_aud for each in sold), ZERO) + sum((each.fee_aud for each in left), ZERO) == sum(
        (each.fee_aud for each in bought), ZERO
    )
    assert sum((each.sold_fee_aud for each in sold), ZERO) == sum((each.fee_aud for each in sales), ZERO)
    assert min((*costs, *(each.proceeds_aud for each in sold))) >= 0


@given(histories())
def test_no_coin_is_lost_or_sold_twice(fills: list[Fill]) -> None:
    lots, sold = Lots("BTC"), list[Disposal]()
    for each in fills:
        sold += lots.apply(each)
    by_parcel: dict[str, Decimal] = {}
    for fill_id, quantity in [
        *((each.bought_by, each.quantity) for each in sold),
        *((each.fill_id, each.quantity) for each in lots.parcels),
    ]:
        by_parcel[fill_id] = by_parcel.get(fill_id, ZERO) + quantity
    assert by_parcel == {each.fill_id: each.quantity for each in fills if each.side is Side.BUY}
    parcels = [each.acquired_at for each in sold]
    assert parcels == sorted(parcels)


def test_more_than_is_held_is_refused_and_changes_nothing() -> None:
    lots = Lots("BTC")
    lots.apply(fill("b", Side.BUY, "1", "100"))
    with pytest.raises(ValueError, match="cannot sell"):
        lots.apply(fill("s", Side.SELL, "1.00000001", "100"))
    assert lots.quantity == 1


@pytest.mark.parametrize(
    ("acquired", "disposed", "qualifies"),
    [
        ("2024-02-01T13:00Z", "2025-02-01T12:00Z", False),
        ("2024-02-01T13:00Z", "2025-02-02T12:59Z", False),
        ("2024-02-01T13:00Z", "2025-02-02T13:00Z", True),
        ("2024-02-28T13:00Z", "2025-02-27T13:00Z", False),
        ("2024-02-28T13:00Z", "2025-02-28T13:00Z", True),
        ("2023-02-27T13:00Z", "2024-02-28T12:00Z", False),
        ("2023-02-27T13:00Z", "2024-02-28T13:00Z", True),
    ],
    ids=[
        "a day less",
        "a year to the day, in Sydney",
        "the day after",
        "bought on a 29 February, sold on a 28th",
        "bought on a 29 February, sold on a 1 March",
        "bought on a 28 February, sold on the next",
        "bought on a 28 February, sold on a 29th",
    ],
)
def test_twelve_months_are_whole_without_the_days_at_both_ends(acquired, disposed, qualifies) -> None:
    lots = Lots("BTC")
    lots.apply(Fill("b", "BTC", Side.BUY, Decimal(1), Decimal(1), Decimal(0), datetime.fromisoformat(acquired)))
    (sold,) = lots.apply(
        Fill("s", "BTC", Side.SELL, Decimal(1), Decimal(1), Decimal(0), datetime.fromisoformat(disposed))
    )
    assert sold.over_twelve_months(SYDNEY) is qualifies
    assert sold.held_days(SYDNEY) > 363


def test_an_amount_of_more_than_cents_is_shared_to_eight_decimals() -> None:
    assert share(Decimal("1.00"), Decimal(1), Decimal(3)) == Decimal("0.33")
    assert share(Decimal("1.001"), Decimal(1), Decimal(3)) == Decimal("0.33366667")
