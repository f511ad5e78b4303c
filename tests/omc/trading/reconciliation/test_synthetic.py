"""Fills that nobody made lead to what the venue holds, at its average, by the same names every time."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.trading.fill import Side
from omc.trading.reconciliation.synthetic import Held, Synthetic, bridging

NAME = "an account's BTC"
averages = st.decimals(Decimal("0.01"), Decimal(100_000), places=8)
quantities = st.decimals(Decimal(-1000), Decimal(1000), places=8)


def held(quantity: Decimal, average: Decimal) -> Held:
    return Held(quantity, average) if quantity else Held()


positions = st.builds(held, quantities, averages)


def after(ours: Held, made: tuple[Synthetic, ...]) -> Held:
    for each in made:
        ours = ours.after(each.side, each.quantity, each.price_aud)
    return ours


def position(quantity: str, average: str = "10") -> Held:
    return Held(Decimal(quantity), Decimal(average))


@pytest.mark.parametrize(
    ("ours", "venue", "fills"),
    [
        (position("100"), position("150", "11"), [(Side.BUY, "50", "13")]),
        (position("-100"), position("-150", "11"), [(Side.SELL, "50", "13")]),
        (position("150"), position("100"), [(Side.SELL, "50", "10")]),
        (position("-150"), position("-100"), [(Side.BUY, "50", "10")]),
        (position("100"), position("-50", "12"), [(Side.SELL, "100", "10"), (Side.SELL, "50", "12")]),
        (position("100"), Held(), [(Side.SELL, "100", "10")]),
        (Held(), position("7", "3"), [(Side.BUY, "7", "3")]),
        # No price of 50 more leads to an average of 2, and none of 50 less to one of 12.
        (position("100"), position("150", "2"), [(Side.SELL, "100", "10"), (Side.BUY, "150", "2")]),
        (position("150"), position("100", "12"), [(Side.SELL, "150", "10"), (Side.BUY, "100", "12")]),
        (position("100"), position("100", "12"), []),
    ],
)
def test_a_difference_is_bridged(ours: Held, venue: Held, fills: list[tuple[Side, str, str]]) -> None:
    made = bridging(NAME, ours, venue)
    assert [(each.side, each.quantity, each.price_aud) for each in made] == [
        (side, Decimal(quantity), Decimal(price)) for side, quantity, price in fills
    ]


@given(positions, positions)
def test_the_quantity_is_the_venues_and_the_average_within_a_ten_thousandth(ours: Held, venue: Held) -> None:
    made = bridging(NAME, ours, venue)
    reached = after(ours, made)
    assert reached.quantity == venue.quantity
    assert made == bridging(NAME, ours, venue)
    assert bridging(NAME, reached, venue) == ()
    assert len({each.synthetic_id for each in made}) == len(made)
    assert all(each.price_aud > 0 and each.quantity > 0 for each in made)
    if ours.quantity != venue.quantity:
        assert reached.is_like(venue)
        mark = Decimal("12.34")
        off = abs(reached.unrealized_aud(mark) - venue.unrealized_aud(mark))
        assert off <= abs(venue.quantity * venue.average_aud) / 10_000


def test_other_positions_and_other_accounts_have_other_names() -> None:
    ours, venue = position("100"), position("150", "11")
    names = {bridging(name, ours, venue)[0].synthetic_id for name in (NAME, "another's BTC")}
    names.add(bridging(NAME, ours, position("151", "11"))[0].synthetic_id)
    assert len(names) == 3
