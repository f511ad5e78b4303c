"""What may leave the house, and when: nothing that a halt stops, of a closed account, or beyond a limit."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from omc.feature.frame import as_datetime
from omc.market.money import ZERO
from omc.risk.kill_switch import Halt, HaltLevel
from omc.risk.limits import Bounds
from omc.trading import outcome
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.order import Order, OrderIntent, OrderStatus
from tests.simulation.world import World

_SLACK, _STILL = Decimal("1.15"), Decimal("1.001")
"""A price may have moved since a limit was asked, where the tape does not stand meanwhile."""


def nothing_while_halted(world: World) -> Iterator[str]:
    """Nothing leaves once the file is there, nothing is written ahead once the row is; but for the house's own sales,
    and for what a halt of buying lets through. What was on the wire before may still arrive."""
    intents = {name: row.order.intent for name, row in world.blotter._rows.items()}
    for each in (*world.venue.taken, *world.venue.moved):
        intent = intents.get(each.about)
        for held in world.halt_files.held if intent is not None else ():
            if held.since_s < each.sent_s < held.until_s and _stops(held.halt, intent):
                yield f"sent in spite of '{held.halt}': {each.about}, at {each.sent_s:.4f} s"
    rows: dict[tuple[UUID | None, UUID | None], Halt] = {}
    closed: dict[str, str | None] = {}
    accounts = {each.id: each.account for each in world.deployments.kept.values()}
    for owner, entry in world.deployments.journal.lines:
        match entry.kind:
            case "halt" | "reset":
                halt = _halt(owner, entry.deployment_id, entry.data)
                rows.pop(halt.place, None)
                rows |= {halt.place: halt} if entry.kind == "halt" else {}
            case "reconciliation":
                closed[entry.data["account"]] = entry.data["closed"]
            case OrderStatus.SUBMITTED:
                intent = intents[entry.data["client_order_id"]]
                for halt in rows.values():
                    if _stops(halt, intent):
                        yield f"written ahead in spite of '{halt}': {intent.client_order_id}"
                why = closed.get(accounts[intent.deployment_id])
                if why and intent.side is Side.BUY:
                    yield f"{intent.client_order_id} is written ahead, though its account is closed: {why}"
    if rows.keys() != world.kill_switch.halts.keys():
        yield f"the kill switch halts {world.kill_switch.halts.keys()}, the journal says {rows.keys()}"


def _halt(owner: UUID, deployment_id: UUID | None, told: Mapping[str, Any]) -> Halt:
    user = None if told["scope"] == "platform" else owner
    return Halt(user, told["since"], told["reason"], HaltLevel(told["level"]), deployment_id)


def _stops(halt: Halt, intent: OrderIntent | None) -> bool:
    if intent is None or outcome.is_liquidation(intent):
        return False
    return halt.binds(intent.user_id, intent.deployment_id, intent.side is Side.BUY)


@dataclass(slots=True)
class _Level:
    """What is held and bought at one level, as the journal goes on."""

    bounds: Bounds
    deployments: frozenset[UUID]
    held: dict[str, Decimal] = field(default_factory=dict)
    buying: dict[str, tuple[OrderIntent, Decimal]] = field(default_factory=dict)
    """What is written ahead and not over, with what is left of it."""

    def gross_aud(self, bids: Mapping[str, Decimal]) -> Decimal:
        worth = sum((quantity * bids.get(coin, ZERO) for coin, quantity in self.held.items()), ZERO)
        return worth + sum((intent.quote_price_aud * left for intent, left in self.buying.values()), ZERO)

    def of_coin(self, coin: str) -> Decimal:
        on_its_way = (left for intent, left in self.buying.values() if intent.coin == coin)
        return self.held.get(coin, ZERO) + sum(on_its_way, ZERO)


def within_limits(world: World) -> Iterator[str]:
    """Nothing is bought beyond the size of an order, of a position, or of all positions together, at any level."""
    if not any(each.set() for each in world.scenario.limits):
        return
    levels = list(_levels(world))
    orders = {name: row.order for name, row in world.blotter._rows.items()}
    for _, entry in world.deployments.journal.lines:
        name = entry.data.get("client_order_id")
        if name is None or name not in orders or entry.kind not in _KINDS:
            continue
        order = orders[name]
        for level in levels:
            if order.intent.deployment_id in level.deployments:
                _follow(level, order, OrderStatus(entry.kind), entry.data.get("fills", ()))
                if entry.kind == OrderStatus.SUBMITTED and order.intent.side is Side.BUY:
                    slack = _STILL if world.scenario.lockstep else _SLACK
                    yield from _beyond(level, order.intent, _bids(world, order.intent), slack)


_KINDS = frozenset(each.value for each in OrderStatus)


def _levels(world: World) -> Iterator[_Level]:
    own, account, platform = world.scenario.limits
    kept: list[Deployment] = list(world.deployments.kept.values())
    yield from (_Level(own, frozenset({each.id})) for each in kept)
    for user in world.users:
        yield _Level(account, frozenset(each.id for each in kept if each.user_id == user))
    yield _Level(platform, frozenset(each.id for each in kept))


def _follow(level: _Level, order: Order, status: OrderStatus, fills: Any) -> None:
    intent, name = order.intent, order.intent.client_order_id
    sign = 1 if intent.side is Side.BUY else -1
    for fill in fills:
        level.held[intent.coin] = level.held.get(intent.coin, ZERO) + sign * fill["quantity"]
        if name in level.buying:
            level.buying[name] = intent, level.buying[name][1] - fill["quantity"]
    if status is OrderStatus.SUBMITTED and intent.side is Side.BUY:
        level.buying[name] = intent, intent.quantity
    elif status.final:
        level.buying.pop(name, None)


def _bids(world: World, intent: OrderIntent) -> dict[str, Decimal]:
    """As of the quotes that an order was sized on."""
    frame = world.tape.frame
    rows = [row for row, time in enumerate(frame.times) if as_datetime(time) <= intent.quoted_at]
    last = frame.bid[rows[-1]] if rows else ()
    return {coin: Decimal(float(bid)) for coin, bid in zip(frame.coins, last, strict=False) if bid == bid}


def _beyond(level: _Level, intent: OrderIntent, bids: Mapping[str, Decimal], slack: Decimal) -> Iterator[str]:
    bounds, name = level.bounds, intent.client_order_id
    if bounds.order_notional_aud is not None and intent.notional_aud > bounds.order_notional_aud:
        yield f"{name} is worth {intent.notional_aud}, the limit is {bounds.order_notional_aud}"
    gross = level.gross_aud(bids)
    if bounds.gross_notional_aud is not None and gross > bounds.gross_notional_aud * slack:
        yield f"with {name} positions are worth {gross:.2f}, the limit is {bounds.gross_notional_aud}"
    position = level.of_coin(intent.coin) * intent.quote_price_aud
    if bounds.position_notional_aud is not None and position > bounds.position_notional_aud * slack:
        yield f"with {name} its position is worth {position:.2f}, the limit is {bounds.position_notional_aud}"
