"""Every invariant can fail: a world in which nothing went wrong, and then one thing that did."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from omc.risk.kill_switch import Halt, HaltLevel
from omc.risk.limits import Bounds
from omc.trading.deployment import DeploymentStatus
from omc.trading.execution import AT_ONCE
from omc.trading.fill import Side
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation.matching import Match
from omc.trading.reconciliation.venue_book import HeldOrder
from tests.actors.mortal import START, USER
from tests.simulation.happening import Hand, Happening
from tests.simulation.invariants import violations
from tests.simulation.outlasting import Held
from tests.simulation.people import Outside
from tests.simulation.rest import unrest
from tests.simulation.scenario import NONE, Scenario
from tests.simulation.seed import played
from tests.simulation.venue import REQUEST, Taken
from tests.simulation.world import World

Case = tuple[World, Outside]


def _calm(**changes: object) -> Scenario:
    """A fair day on which two deployments share an account, and its owner trades there, too."""
    drawn = Scenario.of(1)
    hands = tuple(Happening(0.4 * (each + 1), hand, 0.0, each) for each, hand in enumerate((Hand.BUY, Hand.DEPOSIT)))
    fair = replace(drawn.weather, store_lost=0.0, network_faults=0.0, slow=0.0, cuts={})
    calm = {"deployments": 2, "users": 1, "shared": True, "depth_aud": None, "fault_rate": 0.0, "execution": AT_ONCE}
    rest = {"weather": fair, "limits": (NONE, NONE, NONE), "happenings": hands, "lockstep": True, "gaps": 0.0}
    return replace(drawn, **{"bars": 4, "market_seed": 5, **calm, **rest, **changes})  # type: ignore[arg-type]


@pytest.fixture
def case() -> Iterator[Case]:
    world = World(_calm())
    outside = Outside(world)
    assert played(world, outside) == []
    yield world, outside
    world.end()


def _filled(world: World) -> Order:
    return next(row.order for row in reversed(world.blotter._rows.values()) if row.order.status is OrderStatus.FILLED)


def _set(world: World, order: Order) -> None:
    rows, name = world.blotter._rows, order.intent.client_order_id
    rows[name] = replace(rows[name], order=order)


def _lose_a_fill(world: World) -> None:
    _set(world, replace(_filled(world), fills=()))


def _take_it_twice(world: World) -> None:
    world.venue.taken.append(next(each for each in world.venue.taken if each.about))


def _take_what_nobody_wrote(world: World) -> None:
    world.venue.taken.append(replace(world.venue.taken[0], about="nobody's"))


def _rest_though_over(world: World) -> None:
    order, venue = _filled(world), world.venue
    account = world.deployed[0].account
    placed = venue.place(account, Side.BUY, "ETH", quantity=Decimal(1), price_aud=Decimal(1))
    venue.sent_for[placed.order_id] = order.intent.client_order_id


def _bring_what_nobody_knows(world: World) -> None:
    world.venue.wallet(world.deployed[0].account).cash_aud += Decimal("0.01")


def _trade_as_a_stranger_unseen(world: World) -> None:
    venue, account = world.venue, world.deployed[0].account
    world.wire.outside.copy().run(REQUEST.set, ("", 0.0))
    venue.place(account, Side.BUY, "ETH", quantity=Decimal(10), price_aud=Decimal(9))
    venue.sent_for[venue.executions[-1].order_id] = _filled(world).intent.client_order_id


def _hold_without_doubt(world: World) -> None:
    order = _filled(world)
    _set(world, replace(order, status=OrderStatus.UNRESOLVED))
    world.venue.taken[:] = [each for each in world.venue.taken if each.about == order.intent.client_order_id]


def _owe_cash(world: World) -> None:
    of = world.deployments.kept[world.deployed[0].id]
    world.deployments.kept[of.id] = replace(of, cash_aud=Decimal(1))


def _forget_a_line(world: World) -> None:
    del world.deployments.journal.lines[5]


def _pause_for_nothing(world: World) -> None:
    of = world.deployed[0]
    world.deployments.kept[of.id] = replace(of, status=DeploymentStatus.PAUSED)


def _halt_from_the_start_by_file(world: World) -> None:
    world.halt_files.held.append(Held(Halt(USER, START, "too late", HaltLevel.ADDING), 0.0))


def _halt_from_the_start(world: World) -> None:
    journal, halt = world.deployments.journal, Halt(USER, START, "too late")
    said = {"reason": halt.reason, "since": halt.since, "level": "all", "scope": "account"}
    first = replace(journal.write(USER, "halt", said, at=START), seq=0)
    journal.lines.insert(0, (USER, replace(first, seq=1)))
    journal.lines.pop()
    world.kill_switch.halts[halt.place] = halt


def _close_from_the_start(world: World) -> None:
    account = world.deployed[0].account
    world.deployments.journal.write(USER, "reconciliation", {"account": account, "closed": "it is short"}, at=START)
    world.deployments.journal.lines.insert(0, world.deployments.journal.lines.pop())


def _bind(bounds: Bounds) -> Callable[[World], None]:
    def bind(world: World) -> None:
        world.scenario = replace(world.scenario, limits=(NONE, bounds, NONE))

    return bind


WRONG: dict[str, tuple[Callable[[World], None], str]] = {
    "a fill is lost": (_lose_a_fill, "fills lost or counted twice"),
    "an order is sent twice": (_take_it_twice, "two orders for one intent"),
    "an order is nobody's": (_take_what_nobody_wrote, "that nobody journaled"),
    "an order rests though it is over": (_rest_though_over, "rests on the venue's book"),
    "cash comes unseen": (_bring_what_nobody_knows, "AUD: our books say"),
    "something is executed unseen": (_trade_as_a_stranger_unseen, "fills lost or counted twice"),
    "an order is held for nothing": (_hold_without_doubt, "held for a person, though nothing else could be it"),
    "cash is owed": (_owe_cash, "AUD are left of its deployment's cash"),
    "the journal has a gap": (_forget_a_line, "gaps"),
    "a deployment is paused": (_pause_for_nothing, "nobody asked for it"),
    "an order is sent in spite of a file": (_halt_from_the_start_by_file, "sent in spite of"),
    "an order is written ahead in spite of a halt": (_halt_from_the_start, "written ahead in spite of"),
    "an order is sent on a closed account": (_close_from_the_start, "though its account is closed"),
    "an order is too large": (_bind(Bounds(order_notional_aud=Decimal(1))), "the limit is 1"),
    "a position is too large": (_bind(Bounds(position_notional_aud=Decimal(1))), "its position is worth"),
    "all positions are too large": (_bind(Bounds(gross_notional_aud=Decimal(1))), "positions are worth"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_goes_wrong_is_told(case: Case, wrong: str) -> None:
    world, outside = case
    assert violations(world, outside) == []
    act, told = WRONG[wrong]
    act(world)
    assert any(told in each for each in violations(world, outside))


def test_an_order_that_waits_for_a_person_hides_nothing_that_it_cannot_have_moved(case: Case) -> None:
    world, outside = case
    order = _filled(world)
    _set(world, replace(order, status=OrderStatus.UNRESOLVED, fills=()))
    before = [each for each in violations(world, outside) if "our books say" in each]
    other = next(coin for coin in ("BTC", "ETH", "XYZ") if coin != order.intent.coin)
    world.venue.wallet(world.deployed[0].account).coins[other] += Decimal(1)
    found = [each for each in violations(world, outside) if "our books say" in each]
    assert [each for each in found if each not in before and f" {other}: our books say" in each]


def test_an_order_in_slices_is_under_way_until_it_has_ended(case: Case) -> None:
    world, outside = case
    order = _filled(world)
    _set(world, replace(order, status=OrderStatus.SLICED))
    assert [each for each in unrest(world, outside) if "is sliced" in each]


def test_a_sale_to_get_out_passes_a_halt_and_a_purchase_does_not(case: Case) -> None:
    world, outside = case
    _halt_from_the_start_by_file(world)
    sales = {each.about for each in world.venue.taken if each.side is Side.SELL}
    told = [each for each in violations(world, outside) if "sent in spite of" in each]
    assert told
    assert not any(sale in each for each in told for sale in sales)


def _arrive_after_its_like(world: World) -> tuple[Order, Taken]:
    """What its owner made by hand was taken for an order of ours, which then arrived after all, and was counted as its
    owner's."""
    order, venue = _filled(world), world.venue
    name = order.intent.client_order_id
    late = next(each for each in venue.taken if each.about == name)
    venue.taken.append(replace(late, about="", order_id="by hand"))
    done = [each for each in venue.executions if each.order_id == late.order_id]
    venue.executions.extend(replace(each, order_id="by hand") for each in done)
    venue.sent_for["by hand"] = ""
    world.mistaken[name] = "by hand"
    world.venue_book._orders.setdefault(late.account, set()).add(late.order_id)
    return order, late


def test_what_arrives_after_its_like_and_is_taken_for_its_owners_is_told(case: Case) -> None:
    world, outside = case
    order, late = _arrive_after_its_like(world)
    said = f"{late.order_id} is {order.intent.client_order_id} indeed, and was taken for its owner's without a question"
    assert said in violations(world, outside)


def test_what_arrives_after_its_like_and_a_person_was_asked_about_is_as_it_should_be(case: Case) -> None:
    world, outside = case
    order, late = _arrive_after_its_like(world)
    intent, found = order.intent, (Match(late.order_id, ()),)
    held = HeldOrder(
        world.blotter._rows[intent.client_order_id].id,
        intent.client_order_id,
        intent.user_id,
        intent.deployment_id,
        late.account,
        START,
        found,
        {"by": "its owner"},
    )
    world.venue_book._held[intent.client_order_id] = held
    told = violations(world, outside)
    assert not any("without a question" in each or "fills lost" in each for each in told)
    # What was asked about is that very order, and no other.
    world.venue_book._held[intent.client_order_id] = replace(held, candidates=(Match("another", ()),))
    assert any("without a question" in each for each in violations(world, outside))


def test_what_arrives_after_something_else_was_taken_for_it_is_no_matter_of_likeness(case: Case) -> None:
    world, outside = case
    order, _ = _arrive_after_its_like(world)
    taken = world.venue.taken
    taken[-1] = replace(taken[-1], quantity=taken[-1].quantity + 1)
    assert not any("without a question" in each for each in violations(world, outside))
    assert world.venue.sent_for["by hand"] == ""
    assert order.fills


def test_a_halt_that_was_over_before_an_order_left_says_nothing(case: Case) -> None:
    world, outside = case
    world.halt_files.held.append(Held(Halt(USER, START + timedelta(0), "over"), -2.0, -1.0))
    assert violations(world, outside) == []
