"""Trades of floor and backtest find each other, and what lies between them has a size and a price."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.backtest.pairing import Leg, Pair, kind_of, kind_of_order, legs, paired
from omc.market.money import ZERO
from omc.market.quote import Quote
from omc.market.terms import OrderKind, Terms
from omc.portfolio.position import Position
from omc.trading.fill import Fill, Side
from omc.trading.order import OrderIntent
from omc.trading.outcome import liquidation
from omc.trading.reconciliation.acceptance import SYNTHETIC, Adjustment
from omc.trading.settlement import settle
from tests.actors.mortal import deployment

OURS = UUID(int=5)
START = datetime(2025, 1, 1, tzinfo=UTC)


def fill(bar: int, coin: str = "BTC", side: Side = Side.BUY, quantity: str = "0.5", price: str = "100") -> Fill:
    settled = settle(side, Decimal(quantity), Decimal(price), 10)
    when = START + timedelta(minutes=5 * bar)
    return Fill(f"{bar}:{coin}:{side}", coin, side, Decimal(quantity), settled.total_aud, settled.fee_aud, when)


def leg(bar: int = 1, side: Side = Side.BUY, value: str = "100", fee: str = "0.10", **changes) -> Leg:
    when = START + timedelta(minutes=5 * bar)
    made = Leg(when, "BTC", side, Decimal(1), Decimal(value), Decimal(fee), when)
    return replace(made, **changes)


LEGS = st.lists(
    st.builds(
        leg,
        bar=st.integers(1, 6),
        side=st.sampled_from(Side),
        value=st.decimals(1, 10_000, places=2).map(str),
        fee=st.decimals(0, 10, places=2).map(str),
        coin=st.sampled_from(["BTC", "ETH"]),
        quantity=st.decimals("0.00000001", 100, places=8),
    ),
    max_size=8,
).map(lambda made: sorted(made, key=lambda each: each.at))


@pytest.mark.parametrize(
    ("side", "value", "bps"),
    [(Side.BUY, "101", 100.0), (Side.BUY, "99.5", -50.0), (Side.SELL, "99", 100.0), (Side.SELL, "100.25", -25.0)],
    ids=["bought dearer", "bought cheaper", "sold cheaper", "sold dearer"],
)
def test_a_worse_price_costs_whichever_side_it_is_on(side, value, bps):
    pair = Pair(leg(side=side), leg(side=side, value=value))
    assert pair.price_bps == pytest.approx(bps)
    assert pair.cost_aud == abs(Decimal(value) - 100) * (1 if bps > 0 else -1)
    (said,) = pair.differences()
    assert said.endswith(f", {bps:+.2f} bps of cost")


def test_a_dearer_fee_costs_by_itself():
    pair = Pair(leg(), leg(fee="0.35"))
    assert (pair.price_bps, pair.cost_aud) == (0.0, Decimal("0.25"))


def test_a_smaller_trade_is_compared_by_what_it_traded():
    pair = Pair(leg(), leg(value="50.5", fee="0.05", quantity=Decimal("0.5")))
    assert pair.price_bps == pytest.approx(100.0)
    assert pair.cost_aud == Decimal("0.50")
    assert [each.split(": ")[1].split()[0] for each in pair.differences()] == ["quantity", "price", "fee"]


def test_a_later_trade_says_how_much_later():
    when = START + timedelta(minutes=5)
    pair = Pair(leg(), leg(executed_at=when + timedelta(seconds=2.5)))
    assert pair.later_s == 2.5
    (said,) = pair.differences()
    assert said.endswith(", +2.500 s")


def test_fills_of_one_order_are_one_trade():
    parts = [fill(1, quantity="0.2"), replace(fill(1, quantity="0.3", price="102"), executed_at=START)]
    whole = Leg.of(parts, START + timedelta(minutes=5), "signal")
    assert (whole.quantity, whole.reason) == (Decimal("0.5"), "signal")
    assert whole.value_aud == sum(part.value_aud for part in parts)
    assert whole.executed_at == parts[0].executed_at
    assert float(whole.price_aud) == pytest.approx(101.2, abs=0.01)


def test_a_trade_for_another_reason_is_another_trade_though_it_looks_the_same():
    ours, theirs = legs([fill(1)], ["signal"]), legs([fill(1)], ["stop_loss at 99, opened at 110"])
    (said,) = paired(ours, theirs).differences()
    assert said.endswith("reason is signal in the backtest and stop_loss on the floor")
    assert paired(ours, legs([fill(1)])).differences() == []


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("from 0.00 to 0.10", "signal"),
        ("take_profit at 5, opened at 4; the rest of it", "take_profit"),
        ("time_stop", "time_stop"),
        ("", "signal"),
        ("emergency stop: sell out", "signal"),
    ],
    # Only its name tells that the house itself made a sale: see below.
)
def test_a_reason_is_known_by_its_first_word(reason, kind):
    assert kind_of(reason) == kind


@given(made=LEGS)
def test_a_life_costs_nothing_beside_itself(made):
    told = paired(made, made)
    assert (told.differences(), told.cost_aud, told.only_kernel, told.only_floor) == ([], ZERO, 0, 0)
    assert len(told.both) == len(made)
    assert told.cost_bps in (0.0, None)


@given(kernel=LEGS, floor=LEGS)
def test_every_trade_is_in_exactly_one_pair(kernel, floor):
    told = paired(kernel, floor)
    assert [pair.kernel for pair in told.pairs if pair.kernel] == kernel
    assert [pair.floor for pair in told.pairs if pair.floor] == floor
    assert len(told.both) + told.only_kernel == len(kernel)
    assert len(told.both) + told.only_floor == len(floor)
    for pair in told.both:
        assert (pair.kernel.coin, pair.kernel.side) == (pair.floor.coin, pair.floor.side)


@given(kernel=LEGS, floor=LEGS)
def test_what_one_side_gained_the_other_lost(kernel, floor):
    there, back = paired(kernel, floor), paired(floor, kernel)
    if all(pair.kernel.quantity == pair.floor.quantity for pair in there.both) and len(there.both) == len(back.both):
        assert there.cost_aud == -back.cost_aud


@given(made=LEGS, worse=st.decimals("0.01", 5, places=2))
def test_the_cost_of_a_life_is_what_its_cash_is_short_of(made, worse):
    floor = [replace(each, value_aud=each.value_aud + (worse if each.side is Side.BUY else -worse)) for each in made]
    told = paired(made, floor)
    assert told.cost_aud == worse * len(made)
    assert len(told.different) == len(made)


def order(**changes) -> OrderIntent:
    return replace(
        OrderIntent(
            client_order_id=f"{OURS}:20250101T000000Z:BTC:sell",
            deployment_id=OURS,
            user_id=OURS,
            coin="BTC",
            side=Side.SELL,
            quantity=Decimal(1),
            kind=OrderKind.MARKET,
            quote_price_aud=Decimal(100),
            quoted_at=START,
            decided_at=START,
            reason="stop_loss at 99",
        ),
        **changes,
    )


def sold_by_the_house(forced: int | None) -> OrderIntent:
    position = Position("BTC").apply(fill(1), Decimal(100))
    quote = Quote("BTC", Decimal(99), Decimal(101), Decimal(100))
    return liquidation(deployment(), position, quote, at=START, terms=Terms(), forced=forced)


def made_up() -> OrderIntent:
    """What a person has accepted, who calls it what he likes."""
    nobodys = replace(fill(1, side=Side.SELL), fill_id=f"{SYNTHETIC}:1")
    (made,) = Adjustment(OURS, ((nobodys, Decimal(100)),)).orders(OURS, "stop_loss: I sold it myself")
    return made.intent


@pytest.mark.parametrize(
    ("intent", "kind"),
    [
        (order(), "stop_loss"),
        (order(reason="from 0.10 to 0.00"), "signal"),
        (sold_by_the_house(None), "emergency_stop"),
        (sold_by_the_house(3), "forced_exit"),
        (made_up(), "synthetic"),
    ],
    ids=["an exit's", "the algorithm's", "to get out", "its owner's", "nobody's"],
)
def test_whoever_wanted_an_order_is_known_by_its_name(intent, kind):
    assert kind_of_order(intent) == kind


def test_a_sale_to_get_out_on_a_bar_on_which_the_backtest_sells_is_told_apart():
    (ours,) = legs([fill(1, side=Side.SELL)], ["signal"])
    theirs = Leg.of([fill(1, side=Side.SELL)], reason=kind_of_order(sold_by_the_house(None)))
    (said,) = paired([ours], [theirs]).differences()
    assert said.endswith("reason is signal in the backtest and emergency_stop on the floor")


def test_a_trade_that_the_floor_was_denied_says_why():
    """A backtest knows no limits of losses, no halts and no venue that says no."""
    wanted, made = legs([fill(1), fill(2), fill(3)]), legs([fill(1)])
    noes = {(START + timedelta(minutes=10), "BTC", Side.BUY): "its order was denied: daily_loss: 60.00 AUD are lost"}
    told = paired(wanted, made).told(noes)
    assert [pair.said for pair in told.pairs] == [None, next(iter(noes.values())), None]
    assert [each.partition("Z: ")[2] or each.split(": ", 1)[1] for each in told.differences()] == [
        "the floor has no such trade, its order was denied: daily_loss: 60.00 AUD are lost",
        "the floor has no such trade",
    ]
    assert (told.only_kernel, told.only_floor, len(told.both)) == (2, 0, 1)


def test_a_no_to_what_was_made_all_the_same_is_no_difference():
    both = legs([fill(1)])
    noes = {(both[0].at, "BTC", Side.BUY): "its order was rejected: busy"}
    assert paired(both, both).told(noes).differences() == []
    alone = paired([], both).told(noes)
    assert alone.pairs[0].said is None
