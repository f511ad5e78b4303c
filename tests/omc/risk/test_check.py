from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.portfolio.account import Account
from omc.portfolio.position import Position
from omc.risk.book import RiskBook
from omc.risk.check import CHECKS, Check
from omc.risk.exposure import Exposure, Figures, Level, Market, Reserved
from omc.risk.kill_switch import Halt, HaltLevel
from omc.risk.limits import Bounds, Limits
from omc.risk.losses import TRIPPING
from omc.risk.standing import Streak
from omc.risk.verdict import Approved, Breach, DenialReason, Denied
from omc.trading.deployment import DeploymentStatus
from omc.trading.fill import Side
from omc.trading.order import OrderIntent
from tests.actors.mortal import START, USER
from tests.omc.trading.test_order import INTENT

BUY = replace(INTENT, user_id=USER, quantity=Decimal(10), quote_price_aud=Decimal(10), quoted_at=START)
SELL = replace(BUY, side=Side.SELL)
HELD = Account(Decimal(1000), Decimal(1000), {"BTC": Position("BTC", quantity=Decimal(10), cost_aud=Decimal(100))})
LIMITS = Limits(Decimal(100), Decimal(200), Decimal(50))
OWN = Figures(Level.DEPLOYMENT, LIMITS, Decimal(1100), held=Decimal(10), gross_aud=Decimal(100))
QUOTED = Market(START, Decimal("9.9"), Decimal(10))
FINE = Exposure(HELD, DeploymentStatus.ACTIVE, (OWN,), market=QUOTED)
HALT = Halt(USER, START, "enough")
SOON, LATER = START + timedelta(seconds=1), START + timedelta(seconds=61)
R = DenialReason


def at(level: Level = Level.ACCOUNT, bounds: dict[str, Any] | None = None, **figures: Any) -> dict[str, Any]:
    """An exposure that a wider level limits too."""
    limits = Bounds(**{name: Decimal(value) for name, value in (bounds or {}).items()})
    return {"levels": (OWN, replace(OWN, level=level, bounds=limits, **figures))}


def own(**figures: Any) -> dict[str, Any]:
    return {"levels": (replace(OWN, **figures),)}


def streak(losses: int, until: Any = None) -> Streak:
    return Streak(losses, until)


def denied(intent: OrderIntent, **changes: Any) -> Denied | None:
    verdict = RiskBook().assess(intent, replace(FINE, **changes))
    return verdict if isinstance(verdict, Denied) else None


def reason(intent: OrderIntent, **changes: Any) -> DenialReason | None:
    no = denied(intent, **changes)
    return no.reason if no else None


CASES: dict[str, tuple[OrderIntent, dict[str, Any], DenialReason | None]] = {
    "a buy within limits": (BUY, {}, None),
    "a sale within limits": (SELL, {}, None),
    "halted": (BUY, {"halt": HALT}, R.KILL_SWITCH),
    "halted, and a sale": (SELL, {"halt": HALT}, R.KILL_SWITCH),
    "halted, and sold out": (SELL, {"halt": HALT, "liquidating": True}, None),
    "somebody else is halted": (BUY, {"halt": replace(HALT, user_id=UUID(int=8))}, None),
    "adding is halted": (BUY, {"halt": replace(HALT, level=HaltLevel.ADDING)}, R.ADDING_HALTED),
    "adding is halted, and a sale": (SELL, {"halt": replace(HALT, level=HaltLevel.ADDING)}, None),
    "paused": (BUY, {"status": DeploymentStatus.PAUSED}, R.NOT_ACTIVE),
    "paused, and a sale": (SELL, {"status": DeploymentStatus.PAUSED}, R.NOT_ACTIVE),
    "paused, and sold out": (SELL, {"status": DeploymentStatus.PAUSED, "liquidating": True}, None),
    "nothing is quoted, and nobody minds": (BUY, {"market": Market()}, None),
    "nothing is quoted": (BUY, at(bounds={"quote_age_s": 60}) | {"market": Market()}, R.VENUE_CLOSED),
    "the coin is not quoted": (BUY, at(bounds={"quote_age_s": 60}) | {"market": Market(START)}, R.VENUE_CLOSED),
    "nothing is quoted, and a sale": (SELL, at(bounds={"quote_age_s": 60}) | {"market": Market()}, None),
    "a fresh quote": (BUY, at(bounds={"quote_age_s": 60}) | {"market": replace(QUOTED, time=SOON)}, None),
    "an old quote": (BUY, at(bounds={"quote_age_s": 60}) | {"market": replace(QUOTED, time=LATER)}, R.STALE_QUOTES),
    "a cent too large": (replace(BUY, quantity=Decimal("10.001")), {}, R.ORDER_TOO_LARGE),
    "too large for the account": (BUY, at(bounds={"order_notional_aud": "99.99"}), R.ORDER_TOO_LARGE),
    "as large as the account allows": (BUY, at(bounds={"order_notional_aud": 100}), None),
    "a large sale": (SELL, own(bounds=Limits(Decimal(1), Decimal(1), Decimal(1))), None),
    "a position too large": (
        BUY,
        own(bounds=Limits(Decimal(100), Decimal("199.99"), Decimal(50))),
        R.POSITION_TOO_LARGE,
    ),
    "a position too large for all": (
        BUY,
        at(held=Decimal(91), bounds={"position_notional_aud": 1000}),
        R.POSITION_TOO_LARGE,
    ),
    "a position just right for all": (BUY, at(held=Decimal(90), bounds={"position_notional_aud": 1000}), None),
    "too much in one coin": (BUY, at(bounds={"concentration": "0.18"}), R.CONCENTRATED),
    "not too much in one coin": (BUY, at(bounds={"concentration": "0.182"}), None),
    "anything of nothing is too much": (BUY, at(bounds={"concentration": 1}, equity_aud=Decimal(0)), R.CONCENTRATED),
    "too much in all": (BUY, at(bounds={"gross_notional_aud": "199.99"}), R.GROSS_TOO_LARGE),
    "not too much in all": (BUY, at(bounds={"gross_notional_aud": 200}), None),
    "too long": (BUY, at(Level.PLATFORM, {"net_notional_aud": "199.99"}), R.NET_TOO_LARGE),
    "not too long": (BUY, at(Level.PLATFORM, {"net_notional_aud": 200}), None),
    "on credit": (BUY, {"account": replace(HELD, cash_aud=Decimal("-0.01"))}, R.LEVERAGE),
    "a sale that pays back": (SELL, {"account": replace(HELD, cash_aud=Decimal("-0.01"))}, None),
    "the fee is missing": (BUY, {"account": replace(HELD, cash_aud=Decimal("100.09"))}, R.NOT_ENOUGH_CASH),
    "to the last cent": (BUY, {"account": replace(HELD, cash_aud=Decimal("100.10"))}, None),
    "an open order has the cash": (BUY, {"reserved": Reserved(Decimal("899.91"))}, R.NOT_ENOUGH_CASH),
    "an open order leaves the cash": (BUY, {"reserved": Reserved(Decimal("899.90"))}, None),
    "more than is held": (replace(SELL, quantity=Decimal("10.00000001")), {}, R.NOT_HELD),
    "an open order sells it already": (SELL, {"reserved": Reserved(coins=Decimal("0.1"))}, R.NOT_HELD),
    "far above the market": (
        BUY,
        at(bounds={"price_band_bps": 100}) | {"market": Market(START, Decimal(9), Decimal("9.9"))},
        R.OUT_OF_BAND,
    ),
    "a little above the market": (
        BUY,
        at(bounds={"price_band_bps": 102}) | {"market": Market(START, Decimal(9), Decimal("9.9"))},
        None,
    ),
    "far below the market, and bought": (
        BUY,
        at(bounds={"price_band_bps": 1}) | {"market": Market(START, Decimal(20), Decimal(20))},
        None,
    ),
    "far below the market": (
        SELL,
        at(bounds={"price_band_bps": 100}) | {"market": Market(START, Decimal("10.2"), Decimal(11))},
        R.OUT_OF_BAND,
    ),
    "a little below the market": (
        SELL,
        at(bounds={"price_band_bps": 200}) | {"market": Market(START, Decimal("10.2"), Decimal(11))},
        None,
    ),
    "far below the market, and sold out": (
        SELL,
        at(bounds={"price_band_bps": 1}) | {"market": Market(START, Decimal(11), Decimal(11)), "liquidating": True},
        None,
    ),
    "too many orders": (BUY, at(bounds={"orders_a_minute": 3}, orders=3), R.TOO_MANY_ORDERS),
    "not too many orders": (BUY, at(bounds={"orders_a_minute": 3}, orders=2), None),
    "too many orders, and a sale": (SELL, at(bounds={"orders_a_minute": 3}, orders=3), None),
    "again of the same quote": (BUY, {"repeats": timedelta(0)}, R.DUPLICATE),
    "again of the next quote": (BUY, {"repeats": timedelta(minutes=5)}, None),
    "again within the time": (BUY, at(bounds={"duplicate_s": 300}) | {"repeats": timedelta(minutes=5)}, R.DUPLICATE),
    "again after the time": (BUY, at(bounds={"duplicate_s": 299}) | {"repeats": timedelta(minutes=5)}, None),
    "slices are alike": (replace(BUY, slice_of="parent"), {"repeats": timedelta(0)}, None),
    "sold again": (SELL, {"repeats": timedelta(0)}, None),
    "at the daily loss": (BUY, own(day_result_aud=Decimal(-50)), R.DAILY_LOSS),
    "just above the daily loss": (BUY, own(day_result_aud=Decimal("-49.99")), None),
    "a sale at the daily loss": (SELL, own(day_result_aud=Decimal(-5000)), None),
    "all have lost too much": (
        BUY,
        at(Level.PLATFORM, {"daily_loss_aud": 7}, day_result_aud=Decimal(-7)),
        R.DAILY_LOSS,
    ),
    "at the drawdown": (BUY, at(bounds={"drawdown": "0.2"}, drawdown=Decimal("0.2")), R.DRAWDOWN),
    "just above the drawdown": (BUY, at(bounds={"drawdown": "0.2"}, drawdown=Decimal("0.1999")), None),
    "a sale at the drawdown": (SELL, at(bounds={"drawdown": "0.2"}, drawdown=Decimal(1)), None),
    "losses in a row": (BUY, at(bounds={"losses_in_a_row": 3}, streak=streak(3, SOON)), R.LOSING_STREAK),
    "losses in a row, and their day is over": (BUY, at(bounds={"losses_in_a_row": 3}, streak=streak(3, START)), None),
    "losses in a row, and a sale": (SELL, at(bounds={"losses_in_a_row": 3}, streak=streak(3, SOON)), None),
    "cooling": (BUY, at(bounds={"cool_down_s": 60}, streak=streak(1, SOON)), R.COOLING),
    "cooled down": (BUY, at(bounds={"cool_down_s": 60}, streak=streak(1, START)), None),
    "everything at once": (
        replace(BUY, quantity=Decimal(1000)),
        {"halt": HALT, "status": DeploymentStatus.STOPPED, **own(day_result_aud=Decimal(-5000))},
        R.KILL_SWITCH,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_book_says(case: tuple[OrderIntent, dict[str, Any], DenialReason | None]) -> None:
    intent, changes, expected = case
    assert reason(intent, **changes) is expected


def test_the_checks_are_made_in_their_stated_order() -> None:
    assert [check.__name__ for check in CHECKS] == [
        "kill_switch",
        "deployment_active",
        "venue_open",
        "order_size",
        "position_size",
        "concentration",
        "gross",
        "net",
        "leverage",
        "cash",
        "held",
        "price_band",
        "order_rate",
        "duplicate",
        "daily_loss",
        "drawdown",
        "consecutive_losses",
        "cool_down",
    ]


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_has_a_case_on_either_side(check: Check) -> None:
    answers = {check(intent, replace(FINE, **changes)) is None for intent, changes, _ in CASES.values()}
    assert answers == {True, False}


def test_an_approval_carries_the_intent_and_a_denial_its_figures() -> None:
    assert RiskBook().assess(BUY, FINE) == Approved(BUY)
    no = denied(replace(BUY, quantity=Decimal(11)))
    assert no is not None
    assert no.message == "the order is worth 110.00 AUD, the limit is 100"
    assert no.breach == Breach("deployment", "order_notional_aud", Decimal("110.00"), Decimal(100))


def test_whose_limit_it_is_is_said() -> None:
    no = denied(BUY, **at(Level.PLATFORM, {"gross_notional_aud": 150}))
    assert no is not None
    assert no.message == "all positions would be worth 200.00 AUD, the platform's limit is 150"
    assert no.breach is not None
    assert no.breach.level == "platform"


def test_the_nearest_level_is_named_first() -> None:
    wider = at(Level.ACCOUNT, {"order_notional_aud": 1})
    no = denied(replace(BUY, quantity=Decimal(11)), **wider)
    assert no is not None
    assert no.breach is not None
    assert no.breach.level == "deployment"


AMOUNTS = st.decimals("0.01", 10_000, places=2)
BOUNDS = st.fixed_dictionaries(
    {},
    optional={
        "order_notional_aud": AMOUNTS,
        "position_notional_aud": AMOUNTS,
        "daily_loss_aud": AMOUNTS,
        "concentration": st.decimals("0.01", 1, places=2),
        "gross_notional_aud": AMOUNTS,
        "net_notional_aud": AMOUNTS,
        "orders_a_minute": st.integers(1, 5).map(Decimal),
        "duplicate_s": AMOUNTS,
        "drawdown": st.decimals("0.01", 1, places=2),
        "losses_in_a_row": st.integers(1, 5).map(Decimal),
        "cool_down_s": AMOUNTS,
        "quote_age_s": AMOUNTS,
    },
).map(lambda set_: Bounds(**set_))
LEVELS = st.lists(
    st.builds(
        Figures,
        st.sampled_from(Level),
        BOUNDS,
        st.decimals(-10_000, 10_000, places=2),
        day_result_aud=st.decimals(-10_000, 10_000, places=2),
        drawdown=st.decimals(0, 2, places=2),
        held=st.decimals(0, 1_000, places=8),
        gross_aud=st.decimals(0, 10_000, places=2),
        orders=st.integers(0, 10),
        streak=st.builds(Streak, st.integers(0, 9), st.sampled_from([None, START, SOON, LATER])),
    ),
    max_size=3,
).map(tuple)
MARKETS = st.builds(
    Market,
    st.sampled_from([None, START, SOON, LATER]),
    st.one_of(st.none(), st.decimals("0.01", 100, places=2)),
    st.one_of(st.none(), st.decimals("0.01", 100, places=2)),
)


@given(
    st.decimals("0.00000001", 10, places=8),
    LEVELS,
    MARKETS,
    st.one_of(st.none(), st.timedeltas(timedelta(0), timedelta(hours=1))),
    st.sampled_from([None, replace(HALT, level=HaltLevel.ADDING), replace(HALT, user_id=None, level=HaltLevel.ADDING)]),
)
def test_no_limit_that_only_adding_can_break_keeps_from_reducing(
    quantity: Decimal, levels: tuple[Figures, ...], market: Market, repeats: timedelta | None, halt: Halt | None
) -> None:
    sale = replace(SELL, quantity=quantity)
    assert reason(sale, levels=levels, market=market, repeats=repeats, halt=halt) is None


@given(LEVELS, st.decimals("0.01", 1_000, places=2), st.decimals("0.01", 100, places=2))
def test_what_is_approved_exceeds_no_limit(levels: tuple[Figures, ...], quantity: Decimal, price: Decimal) -> None:
    intent = replace(BUY, quantity=quantity, quote_price_aud=price)
    if reason(intent, levels=levels) is not None:
        return
    for each in levels:
        bounds, worth = each.bounds, each.held * price + intent.notional_aud
        assert intent.notional_aud <= (bounds.order_notional_aud or intent.notional_aud)
        assert worth <= (bounds.position_notional_aud or worth)
        assert bounds.concentration is None or worth <= bounds.concentration * each.equity_aud
        assert each.gross_aud + intent.notional_aud <= (bounds.gross_notional_aud or Decimal(10**9))
        assert each.orders < (bounds.orders_a_minute or 10**9)
        assert not any(asked(each) for asked in TRIPPING)
