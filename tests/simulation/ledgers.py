"""Our books against the exchange's own record, and against the journal. Each finding is one sentence."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from omc.market.money import ZERO
from omc.market.terms import OrderKind
from omc.portfolio.account import Account
from omc.trading.deployment import Deployment
from omc.trading.fill import Fill, Side
from omc.trading.order import OrderIntent, OrderStatus
from omc.trading.reconciliation import books
from omc.trading.reconciliation.cash_movement import admissible
from omc.trading.settlement import settle
from tests.actors.mortal import TERMS
from tests.simulation.weather import at_once
from tests.simulation.world import World


def books_as_the_venues(world: World) -> Iterator[str]:
    """Cash and coins, to the last decimal, by account: what all deployments there claim, and what is the owner's, is
    what the venue has. Of an order that waits for a person, what the venue did with it counts, for nobody else is to
    have it."""
    for name in dict.fromkeys(each.account for each in world.deployments.kept.values()):
        if name not in world.venue._wallets:
            continue
        wallet = world.venue.wallet(name)
        theirs = {"AUD": wallet.cash_aud, **{coin: held for coin, held in wallet.coins.items() if held}}
        parts = [books.ours(account_of(world, each)) for each in _owners(world, name)]
        parts += [_undone(world, name), _of_held(world, name), world.venue.owners(name)]
        for difference in books.differences(books.summed(*parts), theirs):
            yield f"{name}: {difference}"


def _owners(world: World, account: str) -> list[Deployment]:
    return [each for each in world.deployments.kept.values() if each.account == account]


def account_of(world: World, of: Deployment) -> Account:
    return world.blotter._accounts.get(of.id) or Account.opened_with(of.cash_aud)


def held(world: World) -> frozenset[str]:
    """Names of orders of which a person must say something."""
    doubted = {name for name, row in world.blotter._rows.items() if row.order.status is OrderStatus.UNRESOLVED}
    return frozenset(doubted | {each.client_order_id for each in at_once(world.venue_book.held())})


def _of_held(world: World, account: str) -> Mapping[str, Any]:
    """What the venue did with orders that are held, and our books do not have yet."""
    ids, moved = {each.id for each in _owners(world, account)}, Counter[str]()
    for name in held(world):
        order = world.blotter._rows[name].order
        if order.intent.deployment_id in ids:
            done = [each for each in world.venue.executions if world.venue.sent_for[each.order_id] == name]
            moved.update(books.moved(each.fill for each in done))
            moved.subtract(books.moved(order.fills))
    return moved


def _undone(world: World, account: str) -> Mapping[str, Any]:
    """What was taken out of our books because a person said that the venue is right: it is the owner's again."""
    ids = {each.id for each in _owners(world, account)}
    moved: Counter[str] = Counter()
    for _, entry in world.deployments.journal.lines:
        if entry.kind == "synthetic" and entry.deployment_id in ids:
            moved.subtract(books.moved(Fill(**each) for each in entry.data["fills"]))
            moved["AUD"] -= entry.data["deposited_aud"]
    return moved


def books_as_replayed(world: World) -> Iterator[str]:
    """The ledger of fills, replayed from nothing, in the order in which they were counted; nothing is owed on the way
    but what instant purchases cost beyond their quotes."""
    beyond: dict[UUID, Decimal] = defaultdict(Decimal)
    replayed = {each.id: Account.opened_with(each.cash_aud) for each in world.deployments.kept.values()}
    counted: set[tuple[object, str]] = set()
    orders = {row.order.intent.client_order_id: row.order for row in world.blotter._rows.values()}
    for _, entry in world.deployments.journal.lines:
        if entry.kind == "synthetic" and entry.deployment_id is not None:
            replayed[entry.deployment_id] = _adjusted(replayed[entry.deployment_id], entry.data, orders)
        for told in entry.data.get("fills", ()) if "client_order_id" in entry.data else ():
            order = orders[entry.data["client_order_id"]]
            fill = next((fill for fill in order.fills if fill.fill_id == told["fill_id"]), None)
            if fill is None or (entry.deployment_id, fill.fill_id) in counted:
                yield f"the journal tells of a fill of {order.intent.client_order_id} twice, or of none of its own"
                continue
            counted.add((entry.deployment_id, fill.fill_id))
            account = replayed[order.intent.deployment_id].apply(fill, order.intent.quote_price_aud)
            replayed[order.intent.deployment_id] = account
            beyond[order.intent.deployment_id] += _beyond_quote(order.intent, fill)
            if account.cash_aud < -beyond[order.intent.deployment_id] or account.position(fill.coin).quantity < 0:
                yield f"after {order.intent.client_order_id} {account.cash_aud} AUD are left of its deployment's cash"
    for each in world.deployments.kept.values():
        ours = account_of(world, each)
        if ours != replayed[each.id]:
            yield f"{each.name}: its books are not what its fills make of its cash"
        held = sum((position.cost_aud for position in ours.positions.values()), ZERO)
        if ours.realized_aud - ours.fees_aud != ours.cash_aud + held - ours.deposited_aud:
            yield f"{each.name}: realized less fees is not what its cash and its holdings have gained"


def _adjusted(account: Account, told: Mapping[str, Any], orders: Mapping[str, Any]) -> Account:
    by_fill = {fill.fill_id: order for order in orders.values() for fill in order.fills}
    for each in told["fills"]:
        fill = Fill(**each)
        account = account.apply(fill, by_fill[fill.fill_id].intent.quote_price_aud)
    deposited = told["deposited_aud"]
    return Account(account.deposited_aud + deposited, account.cash_aud + deposited, account.positions)


def _beyond_quote(intent: OrderIntent, fill: Fill) -> Decimal:
    """How much more an instant purchase cost than what was checked against the cash, as far as its threshold goes."""
    if fill.side is Side.SELL or intent.kind is OrderKind.MARKET or not admissible(intent, fill, TERMS):
        return ZERO
    quoted = settle(fill.side, fill.quantity, intent.quote_price_aud, TERMS.fee_bps_of(intent.kind))
    return max(fill.total_aud - quoted.total_aud, ZERO)


def nobody_owes(world: World) -> Iterator[str]:
    """Neither cash nor coins are ever below zero at the venue, nor coins in our books; `books_as_replayed` looks at
    the cash there."""
    yield from world.venue.overdrawn
    for each in world.deployments.kept.values():
        ours = account_of(world, each)
        for coin, position in ours.positions.items():
            if position.quantity < 0:
                yield f"{each.name}: {position.quantity} {coin} are held"
