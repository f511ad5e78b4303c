"""Whatever an account shows, the steps lead our books to it, no fill counts twice, and nothing is left to do then."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.market.terms import OrderKind
from omc.trading.fill import Fill, Side
from omc.trading.floor import Choice
from omc.trading.listed import ListedFill, ListedOrder, VenueReport
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.alignment import steps
from omc.trading.reconciliation.books import moved, summed
from omc.trading.reconciliation.matching import Match
from omc.trading.reconciliation.our_side import Ours
from omc.trading.reconciliation.resolution import resolution_of
from omc.trading.reconciliation.steps import (
    AddFills,
    AdoptFill,
    AdoptMovement,
    AdoptOrder,
    Hold,
    LookAgain,
    Settle,
    Short,
    Step,
    Surplus,
    Warn,
)
from omc.trading.reconciliation.venue_book import HeldOrder
from omc.trading.settlement import settle
from tests.cases.reconciliation_starts import NOBODY, NOON, TERMS, applied, intent

CASH = Decimal(1_000_000)
COINS = ("BTC", "ETH", "XYZ")
PRICE = {"BTC": Decimal(100), "ETH": Decimal(10), "XYZ": Decimal("0.5")}


def fill_of(order: Order, number: int, quantity: Decimal, order_id: str | None) -> ListedFill:
    wanted = order.intent
    paid = settle(wanted.side, quantity, wanted.quote_price_aud, TERMS.fee_bps_of(wanted.kind))
    name = f"{order_id or wanted.client_order_id}-{number}"
    at = NOON + timedelta(seconds=number)
    fill = Fill(name, wanted.coin, wanted.side, quantity, paid.total_aud, paid.fee_aud, at)
    return ListedFill(fill, wanted.kind, order_id)


@dataclass
class Account:
    """A venue's truth of one account, and what we know of it."""

    owner_trades: bool
    orders: list[Order] = field(default_factory=list)
    listed: list[ListedFill] = field(default_factory=list)
    working: list[ListedOrder] = field(default_factory=list)
    external: list[ListedFill] = field(default_factory=list)
    deposited: Decimal = Decimal(0)

    def traded(self, number: int, side: Side, coin: str, parts: Sequence[Decimal], known: int, what: str) -> None:
        """An order of ours that the venue filled in `parts`, of which we counted the first `known`; `what` is where we
        left it: in doubt, working, or over."""
        quantity = sum(parts, Decimal(0))
        wanted = replace(
            intent(f"order-{number}", str(quantity + (1 if what == "cut short" else 0))),
            coin=coin,
            side=side,
            kind=OrderKind.MARKET,
            quote_price_aud=PRICE[coin],
            # One after the other: what is in doubt is looked for where it was sent.
            quoted_at=NOON,
        )
        order = Order(wanted)
        order_id = f"venue-{number}"
        fills = [fill_of(order, at + 1, part, order_id) for at, part in enumerate(parts)]
        self.listed += fills
        counted = tuple(each.fill for each in fills[:known])
        status = {
            "in doubt": OrderStatus.UNKNOWN,
            "working": OrderStatus.PARTIAL if counted else OrderStatus.ACCEPTED,
            "cut short": OrderStatus.PARTIAL if counted else OrderStatus.ACCEPTED,
            "over": OrderStatus.CANCELLED,
        }[what]
        named = None if what == "in doubt" else order_id
        self.orders.append(Order(wanted, status, named, () if what == "in doubt" else counted))

    def by_hand(self, number: int, side: Side, coin: str, quantity: Decimal) -> None:
        order = Order(replace(intent(), side=side, coin=coin, quote_price_aud=PRICE[coin], kind=OrderKind.INSTANT))
        row = fill_of(order, number, quantity, f"by-hand-{number}")
        self.external.append(row)

    def report(self, random: Random, *, repeated: bool) -> VenueReport:
        """Rows in any order, some of them twice."""
        rows = [*self.listed, *self.external]
        rows += random.sample(rows, len(rows) // 2) if repeated else []
        random.shuffle(rows)
        everything = [each.fill for each in (*self.listed, *self.external)]
        start = {"AUD": CASH, **dict.fromkeys(COINS, CASH)}
        held = summed(start, moved(everything), {"AUD": self.deposited})
        return VenueReport(NOON, held, tuple(self.working), tuple(rows))

    def ours(self) -> Ours:
        counted = moved(fill for order in self.orders for fill in order.fills)
        base = {"AUD": CASH / 2, **dict.fromkeys(COINS, CASH / 2)}
        return Ours("an account", self.owner_trades, tuple(self.orders), summed(base, counted), dict(base))


parts = st.lists(st.decimals(Decimal("0.001"), Decimal(50), places=8), min_size=1, max_size=3)
sides, coins = st.sampled_from(Side), st.sampled_from(COINS)
trades = st.lists(st.tuples(sides, coins, parts, st.integers(0, 3), st.sampled_from(["working", "cut short", "over"])))
strangers = st.lists(st.tuples(sides, coins, st.decimals(Decimal("0.001"), Decimal(50), places=8)), max_size=4)


@given(trades, strangers, st.booleans(), st.integers(0, 1000), st.randoms(use_true_random=False), st.booleans())
def test_after_any_mix_of_missed_fills_strangers_and_deposits_our_books_are_the_venues(
    ordered: list[tuple[Side, str, list[Decimal], int, str]],
    others: list[tuple[Side, str, Decimal]],
    doubted: bool,
    deposit: int,
    random: Random,
    repeated: bool,
) -> None:
    account = Account(owner_trades=True, deposited=Decimal(deposit))
    for number, (side, coin, filled, known, what) in enumerate(ordered):
        account.traded(number, side, coin, filled, known, what)
    if doubted:
        # Of a size that no other has.
        account.traded(999, Side.BUY, "BTC", [Decimal("77.77777777")], 0, "in doubt")
    for number, other in enumerate(others):
        account.by_hand(number, *other)
    ours, report = account.ours(), account.report(random, repeated=repeated)
    alone = frozenset(order.intent.client_order_id for order in account.orders)
    done = steps(ours, report, terms=TERMS, asked_alone=alone)
    after = applied(ours, done)
    assert summed(after.claims, after.own) == summed(report.balances)
    counted = [fill.fill_id for order in after.orders for fill in order.fills]
    assert sorted(counted) == sorted(each.fill.fill_id for each in account.listed)
    assert {each.fill.fill_id for each in account.external} <= after.external
    again = steps(after, account.report(random, repeated=repeated), terms=TERMS, asked_alone=alone)
    assert [step for step in again if not isinstance(step, Warn)] == []


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=6))
def test_fills_count_once_in_whatever_order_and_however_often_listed(order: list[int], more: list[int]) -> None:
    account = Account(owner_trades=False)
    account.traded(1, Side.BUY, "BTC", [Decimal(1)] * 6, 0, "working")
    rows = [account.listed[at] for at in (*order, *more)]
    base = account.report(Random(0), repeated=False)
    done = steps(account.ours(), replace(base, fills=tuple(rows)), terms=TERMS)
    (settled,) = [step for step in done if isinstance(step, Settle)]
    assert (settled.status, len(settled.fills)) == (OrderStatus.FILLED, 6)
    assert sum(isinstance(step, Warn) for step in done) == len(more)


def told(ours: Ours, report: VenueReport, *asked_alone: str) -> list[Step]:
    return list(steps(ours, report, terms=TERMS, asked_alone=frozenset(asked_alone)))


def plain(*orders: Order, owner_trades: bool = False, own: str = "0", **more: object) -> Ours:
    counted = moved(fill for order in orders for fill in order.fills)
    given = {"claims": summed({"AUD": CASH}, counted), "own": {"AUD": Decimal(own)}, **more}
    return Ours("an account", owner_trades, orders, **given)  # type: ignore[arg-type]


def shown(*fills: ListedFill, cash: str = "0", working: Sequence[ListedOrder] = (), **coins: str) -> VenueReport:
    amounts = {coin: Decimal(amount) for coin, amount in coins.items()}
    held = summed({"AUD": CASH + Decimal(cash)}, moved(each.fill for each in fills), amounts)
    return VenueReport(NOON, held, tuple(working), fills)


def test_two_that_could_be_it_are_held_and_neither_is_adopted() -> None:
    order = Order(intent(), OrderStatus.UNKNOWN)
    rows = [fill_of(order, 1, Decimal(2), name) for name in ("a", "b")]
    (hold,) = told(plain(order, own="1000"), shown(*rows, cash="1000"))
    assert isinstance(hold, Hold)
    assert {each.venue_order_id for each in hold.candidates} == {"a", "b"}
    held = replace(order, status=OrderStatus.UNRESOLVED)
    waiting = plain(held, own="1000", held={"order-1": hold.candidates})
    assert told(waiting, shown(*rows, cash="1000")) == []
    # That one of them is not listed now is no reason to take the other for it.
    assert told(waiting, shown(rows[0], cash="1000")) == []
    # Nor is it to be forgotten that one of them works no more, or works again.
    left = ListedOrder("a", "BTC", Side.BUY, Decimal(1), Decimal(100))
    part = fill_of(order, 1, Decimal(1), "a")
    (again,) = told(waiting, shown(part, rows[1], cash="1000", working=[left]))
    assert isinstance(again, Hold)
    assert {each.working for each in again.candidates} == {left, None}
    # But when the other is known to be somebody else's, it is.
    own = summed({"AUD": Decimal(1000)}, moved([rows[1].fill]))
    known = replace(waiting, external=frozenset({"b", "b-1"}), own=own)
    (settled,) = told(known, shown(*rows, cash="1000"))
    assert isinstance(settled, Settle)
    assert (settled.status, settled.venue_order_id) == (OrderStatus.FILLED, "a")


def test_nothing_of_a_coin_in_doubt_is_adopted_and_no_balance_speaks() -> None:
    order = Order(intent(quantity="3"), OrderStatus.SUBMITTED)
    stranger = fill_of(order, 1, Decimal(2), None)
    done = told(plain(order), shown(stranger, cash="-5"))
    assert [type(step) for step in done] == [LookAgain]


def test_an_order_that_the_venue_does_not_list_is_believed_gone_only_when_it_was_asked_for_alone() -> None:
    order = Order(intent(), OrderStatus.SUBMITTED)
    assert [type(step) for step in told(plain(order), shown())] == [LookAgain]
    assert told(plain(order), shown(), "order-1") == [Settle("order-1", OrderStatus.REJECTED)]


@pytest.mark.parametrize("status", [OrderStatus.CANCELLING, OrderStatus.REPLACING, OrderStatus.UNRESOLVED])
def test_what_it_was_asked_for_is_seen_by_what_the_account_holds(status: OrderStatus) -> None:
    order = Order(intent(), status, "v1")
    assert told(plain(order), shown(), "order-1") == [Settle("order-1", OrderStatus.CANCELLED, (), "v1")]
    unexplained = told(plain(order), shown(cash="-100"), "order-1")
    held = Hold("order-1", ())
    wanted = held if status is OrderStatus.UNRESOLVED else Settle("order-1", OrderStatus.UNRESOLVED, (), "v1")
    assert unexplained == [wanted]
    if status is OrderStatus.UNRESOLVED:
        assert told(plain(order, held={"order-1": ()}), shown(cash="-100"), "order-1") == []


def test_a_row_that_repeats_another_under_a_new_name_is_told_by_the_balances() -> None:
    order = Order(intent(), OrderStatus.FILLED, "v1", (fill_of(Order(intent()), 1, Decimal(2), "v1").fill,))
    counted = ListedFill(order.fills[0], OrderKind.MARKET, "v1")
    twin = replace(counted, fill=replace(counted.fill, fill_id="v1-1#2"))
    report = replace(shown(counted), fills=(counted, twin))
    assert [type(step) for step in told(plain(order), report)] == [Warn]
    alone = replace(twin, venue_order_id=None), replace(counted, venue_order_id=None)
    assert [type(step) for step in told(plain(order), replace(report, fills=alone))] == [Warn]


def test_what_the_venue_lacks_is_a_shortage_and_what_it_has_beyond_is_the_owners() -> None:
    assert told(plain(), shown(cash="-1")) == [Short("AUD", CASH, CASH - 1)]
    assert told(plain(), shown(cash="1", ETH="2")) == [Surplus("AUD", Decimal(1)), Surplus("ETH", Decimal(2))]
    theirs = plain(owner_trades=True, own="10")
    assert told(theirs, shown(cash="15")) == [AdoptMovement("AUD", Decimal(5))]
    assert told(theirs, shown(cash="3")) == [AdoptMovement("AUD", Decimal(-7))]
    assert told(theirs, shown(cash="-1")) == [Short("AUD", CASH, CASH - 1)]


def test_an_owner_who_sells_our_coins_leaves_a_shortage() -> None:
    bought = fill_of(Order(intent()), 1, Decimal(2), "v1").fill
    order = Order(intent(), OrderStatus.FILLED, "v1", (bought,))
    sold = fill_of(Order(replace(intent(), side=Side.SELL)), 1, Decimal("1.5"), "by hand")
    done = told(plain(order, owner_trades=True), shown(ListedFill(bought, None, "v1"), sold))
    assert [type(step) for step in done] == [Short, AdoptFill]
    assert str(done[0]) == "BTC: our books claim 2, the venue holds 0.5"


def test_a_fill_of_an_order_that_was_over_is_added_to_it() -> None:
    late = fill_of(Order(intent()), 1, Decimal(2), "v1")
    order = Order(intent(), OrderStatus.CANCELLED, "v1")
    assert told(plain(order), shown(late)) == [AddFills("order-1", (late.fill,))]


def test_somebody_elses_open_order_is_adopted_once_and_ours_is_not() -> None:
    theirs = ListedOrder("theirs", "BTC", Side.BUY, Decimal(1), Decimal(99))
    mine = ListedOrder("v1", "BTC", Side.BUY, Decimal(2), Decimal(100))
    order = Order(intent(), OrderStatus.ACCEPTED, "v1")
    assert told(plain(order), shown(working=[theirs, mine])) == [AdoptOrder(theirs)]
    assert told(plain(order, external=frozenset({"theirs"})), shown(working=[theirs, mine])) == []


def test_balances_speak_of_what_no_order_in_doubt_can_have_taken() -> None:
    bought = fill_of(Order(replace(intent("order-0"), coin="ETH")), 1, Decimal(2), "v0")
    had = Order(replace(intent("order-0"), coin="ETH"), OrderStatus.FILLED, "v0", (bought.fill,))
    doubted = Order(intent(quantity="3"), OrderStatus.UNRESOLVED)
    ours = plain(had, doubted)
    assert [type(step) for step in told(ours, shown(bought))] == [LookAgain]
    gone = moved([bought.fill])
    held = summed({"AUD": CASH}, gone, {"ETH": Decimal(-2)})
    shortage = told(ours, VenueReport(NOON, held, (), ()))
    assert Short("ETH", Decimal(2), Decimal(0)) in shortage
    # It asked for 3 at 100, and a fee.
    for missing, short in (("300.30", False), ("300.31", True)):
        report = shown(bought, cash=f"-{missing}")
        assert any(isinstance(step, Short) for step in told(ours, report)) is short
    sale = replace(doubted, intent=replace(doubted.intent, side=Side.SELL, coin="ETH", quantity=Decimal("1.5")))
    for missing, short in (("-1.5", False), ("-1.6", True)):
        report = VenueReport(NOON, summed({"AUD": CASH}, gone, {"ETH": Decimal(missing)}), (), ())
        assert any(isinstance(step, Short) for step in told(plain(had, sale), report)) is short


def twice(**changes: object) -> tuple[Order, ListedFill, ListedFill]:
    """An order that is filled, its fill, and another of the same three minutes later."""
    order = Order(intent(), OrderStatus.FILLED, "v1")
    own, other = (fill_of(order, number, Decimal(2), name) for number, name in ((1, "v1"), (2, "v2")))
    late = replace(other, fill=replace(other.fill, executed_at=NOON + timedelta(minutes=3), **changes))
    return replace(order, fills=(own.fill,)), own, late


def test_what_looks_like_an_order_of_ours_once_more_is_held_and_never_adopted() -> None:
    order, own, again = twice()
    ours = plain(order, owner_trades=True, own="5000", sent=(order,))
    (hold,) = told(ours, shown(own, again, cash="5000"))
    assert isinstance(hold, Hold)
    assert (hold.client_order_id, [each.venue_order_id for each in hold.candidates]) == ("order-1", ["v2"])
    waits = replace(ours, held={"order-1": hold.candidates})
    # Listed or not any more, it waits, and what it has cost is neither a shortage nor the owner's.
    for rows in ((own, again), (own,)):
        assert told(waits, replace(shown(own, again, cash="5000"), fills=rows)) == []
    assert [type(step) for step in told(waits, shown(own, again, cash="-200.20"))] == [Short]


def test_what_a_person_said_of_it_is_done() -> None:
    order, own, again = twice()
    ours = plain(order, owner_trades=True, own="5000", sent=(order,))
    report = shown(own, again, cash="5000")
    (hold,) = told(ours, report)
    assert isinstance(hold, Hold)
    held = HeldOrder(NOBODY, "order-1", NOBODY, NOBODY, "an account", NOON, hold.candidates)
    for choice, step in (
        (Choice(), AdoptFill(again)),
        (Choice((again.fill.fill_id,)), AddFills("order-1", (again.fill,))),
        (Choice(venue_order_id="v2"), AddFills("order-1", (again.fill,))),
    ):
        said = replace(held, resolution=resolution_of(choice, "somebody"))
        decided = replace(ours, decided={"order-1": said})
        done = told(decided, report)
        assert done == [step]
        assert told(applied(decided, done), report) == []
        # A third is another matter.
        third = replace(again, fill=replace(again.fill, fill_id="v3-1"), venue_order_id="v3")
        assert any(isinstance(each, Hold) for each in told(decided, shown(own, again, third, cash="5000")))


@pytest.mark.parametrize("ours_it_was", [False, True])
def test_what_a_person_said_of_it_holds_whichever_order_like_it_comes_after(ours_it_was: bool) -> None:
    """A sale that is tried again and again makes many that are alike: a person is asked once."""
    order, own, again = twice()
    later = Order(replace(order.intent, client_order_id="order-2"), OrderStatus.CANCELLED, "v3")
    choice = Choice((again.fill.fill_id,) if ours_it_was else ())
    held = HeldOrder(NOBODY, "order-1", NOBODY, NOBODY, "an account", NOON, (Match("v2", (again.fill,)),))
    said = replace(held, resolution=resolution_of(choice, "somebody"))
    ours = plain(order, owner_trades=True, own="5000", sent=(later, order), decided={"order-1": said})
    step = AddFills("order-1", (again.fill,)) if ours_it_was else AdoptFill(again)
    assert told(ours, shown(own, again, cash="5000")) == [step]


@pytest.mark.parametrize(
    "changes",
    [
        {"coin": "ETH"},
        {"side": Side.SELL},
        {"quantity": Decimal("1.99999999")},
        {"executed_at": NOON - timedelta(minutes=3)},
        {"executed_at": NOON + timedelta(hours=2)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_not_like_it_is_a_strangers(changes: dict[str, object]) -> None:
    order, own, again = twice()
    other = replace(again, fill=replace(again.fill, **changes))  # type: ignore[arg-type]
    ours = plain(order, owner_trades=True, own="5000", sent=(order,))
    kinds = {type(step) for step in told(ours, shown(own, other, cash="5000"))}
    assert AdoptFill in kinds
    assert Hold not in kinds


def test_the_fill_of_an_order_that_was_given_up_is_its_own_where_nobody_else_trades() -> None:
    filled, _, late = twice()
    order = Order(filled.intent, OrderStatus.REJECTED)
    assert told(plain(order, sent=(order,)), shown(late)) == [AddFills("order-1", (late.fill,))]
    # Its owner may have done just the same.
    (hold,) = told(plain(order, sent=(order,), owner_trades=True, own="300"), shown(late, cash="300"))
    assert isinstance(hold, Hold)


def test_an_open_order_like_one_of_ours_is_held_too() -> None:
    order = Order(intent(), OrderStatus.ACCEPTED, "v1")
    mine, other = (ListedOrder(name, "BTC", Side.BUY, Decimal(2), Decimal(100)) for name in ("v1", "v2"))
    ours = plain(order, owner_trades=True, sent=(order,))
    (hold,) = told(ours, shown(working=[mine, other]))
    assert hold == Hold("order-1", (Match("v2", (), other),))


def test_what_was_there_before_the_account_was_opened_has_done_nothing_since() -> None:
    old = fill_of(Order(intent()), 1, Decimal(2), "by hand")
    opened = plain(owner_trades=True, own="10", opened_from=NOON + timedelta(seconds=2))
    report = replace(shown(cash="15"), fills=(old,))
    assert told(opened, report) == [AdoptMovement("AUD", Decimal(5))]
    assert AdoptFill(old) in told(replace(opened, opened_from=NOON), report)
