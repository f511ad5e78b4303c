"""What must hold at the end of every seed, whatever has happened in it. Each finding is one sentence."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from decimal import Decimal

from omc.trading.deployment import DeploymentStatus
from omc.trading.order import _NEXT, Order, OrderStatus
from tests.simulation.halted import nothing_while_halted, within_limits
from tests.simulation.kernel import kernel_trades, trades_of
from tests.simulation.ledgers import books_as_replayed, books_as_the_venues, held, nobody_owes
from tests.simulation.people import Outside
from tests.simulation.venue import Taken
from tests.simulation.world import World


def violations(world: World, outside: Outside) -> list[str]:
    orders = [row.order for row in world.blotter._rows.values()]
    _own_what_nobody_can_tell(world, orders)
    return [
        *_one_order_an_intent(world, orders),
        *_fills_as_executed(world, orders),
        *_nothing_left_on_the_book(world, orders),
        *books_as_the_venues(world),
        *books_as_replayed(world),
        *nobody_owes(world),
        *_journal_without_gaps(world),
        *_journal_as_orders(world, orders),
        *_held_only_in_doubt(world, orders),
        *_asked_about_late_arrivals(world),
        *nothing_while_halted(world),
        *within_limits(world),
        *_nobody_paused(world, outside),
        *_trades_as_the_kernel(world),
    ]


def _own_what_nobody_can_tell(world: World, orders: list[Order]) -> None:
    """An owner may do by hand, to the last coin and cent, what an order of the floor's was to do that never arrived, or
    has not yet. Nothing at the venue tells whose it is, so it counts as that order's, if it was taken for it; and what
    then arrives after all, as its owner's: that waits for a person, as what may be an order once more."""
    _swap_what_arrived_after_its_like(world)
    sent_for, executions = world.venue.sent_for, world.venue.executions
    arrived = {each.about for each in world.venue.taken}
    for order in orders:
        if not order.fills or order.intent.client_order_id in arrived:
            continue
        ours = {(fill.coin, fill.side, fill.quantity, fill.total_aud) for fill in order.fills}
        for done in executions:
            alike = (done.coin, done.side, done.quantity, done.settlement.total_aud) in ours
            if alike and not sent_for[done.order_id] and order.venue_order_id in (None, done.order_id):
                sent_for[done.order_id] = order.intent.client_order_id
                break


def _swap_what_arrived_after_its_like(world: World) -> None:
    for name, ours, theirs in _arrived_after_their_like(world):
        world.venue.sent_for |= {ours.order_id: "", theirs.order_id: name}


def _arrived_after_their_like(world: World) -> Iterator[tuple[str, Taken, Taken]]:
    for name, order_id in world.mistaken.items():
        ours = next((each for each in world.venue.taken if each.about == name), None)
        theirs = next(each for each in world.venue.taken if each.order_id == order_id)
        if ours is not None and _what(ours) == _what(theirs):
            yield name, ours, theirs


def _asked_about_late_arrivals(world: World) -> Iterator[str]:
    asked = frozenset[str]().union(*(each.ids for each in world.venue_book._held.values()))
    for name, ours, _ in _arrived_after_their_like(world):
        if ours.order_id in world.venue_book._orders.get(ours.account, ()) and ours.order_id not in asked:
            yield f"{ours.order_id} is {name} indeed, and was taken for its owner's without a question"


def _what(each: Taken) -> tuple[object, ...]:
    return each.account, each.coin, each.side, each.quantity, each.price_aud


def _one_order_an_intent(world: World, orders: list[Order]) -> Iterator[str]:
    known = {order.intent.client_order_id: order for order in orders}
    for about, count in Counter(each.about for each in world.venue.taken if each.about).items():
        if about not in known:
            yield f"the venue took {count} orders that nobody journaled ({about})"
        elif count > 1:
            yield f"two orders for one intent: the venue took {count} for {about}"
        elif known[about].status in (OrderStatus.INTENT, OrderStatus.DENIED, OrderStatus.SLICED):
            yield f"the venue took an order for {about}, which is {known[about].status}"


def _fills_as_executed(world: World, orders: list[Order]) -> Iterator[str]:
    """Every execution is owned by the order that it was made for, whole."""
    executed: dict[str, list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for done in world.venue.executions:
        executed[world.venue.sent_for[done.order_id]].append((done.quantity, done.settlement.total_aud))
    executed.pop("", None)
    waiting = held(world)
    for order in orders:
        theirs = sorted(executed.pop(order.intent.client_order_id, []))
        ours = sorted((fill.quantity, fill.total_aud) for fill in order.fills if fill.fill_id[:10] != "synthetic:")
        if ours != theirs and order.intent.client_order_id not in waiting:
            name = f"{order.intent.client_order_id} ({order.status})"
            yield f"fills lost or counted twice: {name} has {ours}, the venue executed {theirs}"
    for about in executed:
        yield f"executions that no order of ours owns: of {about}"


def _nothing_left_on_the_book(world: World, orders: list[Order]) -> Iterator[str]:
    """What is over has nothing on the book, and everything is over but what waits for a person."""
    status, waiting = {order.intent.client_order_id: order.status for order in orders}, held(world)
    for name, wallet in world.venue._wallets.items():
        for order_id in wallet.orders:
            about = world.venue.sent_for[order_id]
            if about and about not in waiting:
                yield f"{name}: order {about} rests on the venue's book, though it is {status.get(about)}"
    yield from world.left_behind


def _journal_without_gaps(world: World) -> Iterator[str]:
    lines = [entry for _, entry in world.deployments.journal.lines]
    if [entry.seq for entry in lines] != list(range(1, len(lines) + 1)):
        yield "the journal's numbers have gaps"


def _journal_as_orders(world: World, orders: list[Order]) -> Iterator[str]:
    """Every order went the way that the journal tells, each step of it in the table."""
    last: dict[str, OrderStatus] = {}
    kinds = {each.value for each in OrderStatus}
    for _, entry in world.deployments.journal.lines:
        name = entry.data.get("client_order_id")
        if name is None or entry.kind not in kinds:
            continue
        status, before = OrderStatus(entry.kind), last.get(name)
        legal = status is OrderStatus.INTENT if before is None else status in _NEXT[before] or status is before
        if not legal:
            yield f"the journal has {name} go from {before} to {status}"
        last[name] = status
    for order in orders:
        name = order.intent.client_order_id
        if last.get(name) is not order.status and not all(fill.fill_id[:10] == "synthetic:" for fill in order.fills):
            yield f"{name} is {order.status}, and the journal says {last.get(name)}"


def _held_only_in_doubt(world: World, orders: list[Order]) -> Iterator[str]:
    """A person is asked only about what nobody could tell: something else of its account, coin and side could be it; or
    the exchange's lists are so far behind that they do not show what it said."""
    accounts = {each.id: each.account for each in world.deployments.kept.values()}
    waiting = held(world)
    for order in orders:
        intent, name = order.intent, order.intent.client_order_id
        alike = (accounts[intent.deployment_id], intent.coin, intent.side)
        others = (each for each in world.venue.taken if each.about != name)
        in_doubt = world.scenario.lags or any((each.account, each.coin, each.side) == alike for each in others)
        # Cash or coins that its owner moved meanwhile leave room for it.
        in_doubt = in_doubt or (world.scenario.by_hand and "may have it all the same" in (order.message or ""))
        if name in waiting and not in_doubt:
            yield f"held for a person, though nothing else could be it: {name}: {order.message}"


def _nobody_paused(world: World, outside: Outside) -> Iterator[str]:
    """Trouble of the floor or the venue is no reason to give up a deployment."""
    for each in world.deployments.kept.values():
        if each.status is not DeploymentStatus.ACTIVE and not outside.touched:
            yield f"{each.name} is {each.status}, and nobody asked for it: {each.last_error}"


def _trades_as_the_kernel(world: World) -> Iterator[str]:
    """Where every order can be had at its price, trouble changes no trade."""
    if not world.scenario.untroubled:
        return
    expected = kernel_trades(world)
    for each in world.deployments.kept.values():
        ours = trades_of(world, each)
        if ours != expected:
            first = next((pair for pair in zip(ours, expected, strict=False) if pair[0] != pair[1]), None)
            yield f"{each.name} made {len(ours)} trades, the kernel {len(expected)}; the first that differs: {first}"
