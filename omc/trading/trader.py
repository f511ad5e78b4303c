"""From quotes to orders to the next decision: events in, commands out.

On each bar, first the targets decided on an earlier bar execute at this bar's quotes, sells before buys, one order at
a time, in the order of the coins; then this bar decides the next targets. The kernel of a backtest does the same in
the same order on the same floats, so both make the same trades.

A trader can be rebuilt in the middle of a bar from its memory, its account and the orders that it has ended: whatever
it sized from then is there, so it goes on to the last bit as it would have gone on.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import numpy as np

from omc.feature.frame import FloatArray
from omc.market.money import from_grid
from omc.market.terms import Terms
from omc.portfolio.account import Account
from omc.risk.verdict import DenialReason, Denied
from omc.trading.blotter import Decision, Rebalance, TraderMemory
from omc.trading.exits import Exits
from omc.trading.fill import Side
from omc.trading.order import Order, OrderIntent, client_order_id
from omc.trading.sizing import check_weights, equity, quantity_to_buy, quantity_to_sell, stops_out

_STANDSTILL = frozenset({DenialReason.KILL_SWITCH, DenialReason.NOT_ACTIVE})


@dataclass(frozen=True, slots=True)
class QuotesArrived:
    """A bar was stored: bid and ask by coin, (C,) float64, NaN where a coin was not quoted."""

    time: datetime
    bid: FloatArray
    ask: FloatArray


@dataclass(frozen=True, slots=True)
class OrderEnded:
    """An order became final, whatever it became."""

    order: Order


@dataclass(frozen=True, slots=True)
class IntentDenied:
    denied: Denied


@dataclass(frozen=True, slots=True)
class WeightsDecided:
    """The algorithm's answer to `Decide`: (C,) weights, and why, by coin."""

    time: datetime
    weights: FloatArray
    why: Mapping[str, str] = field(default_factory=dict)


Event = QuotesArrived | OrderEnded | IntentDenied | WeightsDecided


@dataclass(frozen=True, slots=True)
class Remember:
    """Make the memory durable before the next command is carried out; the decision belongs in the journal."""

    memory: TraderMemory
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Submit:
    """Carry the intent to its end and say what it became."""

    intent: OrderIntent


@dataclass(frozen=True, slots=True)
class Decide:
    """Ask the algorithm what it wants after the bar of `time`."""

    time: datetime


@dataclass(frozen=True, slots=True)
class Halt:
    """Stop trading until a person activates the deployment again."""

    reason: str


Command = Remember | Submit | Decide | Halt


@dataclass(frozen=True, slots=True)
class Mandate:
    """What a trader is to do, and on what terms."""

    deployment_id: UUID
    user_id: UUID
    coins: tuple[str, ...]
    rebalance_band: float
    exits: Exits
    terms: Terms


class Trader:
    """One deployment's. Each `handle` leaves it either waiting for quotes, or for the outcome of its last command."""

    def __init__(
        self,
        mandate: Mandate,
        memory: TraderMemory,
        account: Account,
        *,
        ended: Iterable[Order] = (),
        marks: Mapping[str, float] | None = None,
    ) -> None:
        """`account` holds every fill of `ended`: the final orders, if any, of the bar to come and of the rebalance
        that `memory` holds.
        `marks` are the last known bids of held coins that the next bar may not quote."""
        self._mandate = mandate
        self._memory = memory
        self._account = account
        self._done = {order.intent.client_order_id for order in ended}
        self._mark = np.array([(marks or {}).get(coin, np.nan) for coin in mandate.coins], dtype=np.float64)
        self._quotes: QuotesArrived | None = None
        self._traded = False

    @property
    def memory(self) -> TraderMemory:
        return self._memory

    @property
    def account(self) -> Account:
        return self._account

    def handle(self, event: Event) -> list[Command]:
        """What to do now, in this order."""
        match event:
            case QuotesArrived():
                return self._open_bar(event)
            case OrderEnded(order):
                return self._count(order)
            case IntentDenied(denied):
                self._done.add(denied.intent.client_order_id)
                if denied.reason in _STANDSTILL:
                    return [Halt(f"{denied.reason}: {denied.message}")]
                return [self._next()]
            case WeightsDecided():
                return self._close_bar(event)

    def _open_bar(self, quotes: QuotesArrived) -> list[Command]:
        done_until = self._memory.done_until
        if done_until is not None and quotes.time <= done_until:
            return []
        self._quotes = quotes
        self._traded = False
        self._mark = np.where(np.isnan(quotes.bid), self._mark, quotes.bid)
        if self._memory.targets is None:
            return [Decide(quotes.time)]
        under_way = self._memory.rebalance
        if under_way is not None and under_way.quoted_at == quotes.time:
            # It was journaled with this bar, so this bar traded, whether or not anything is left to do.
            self._traded = True
            self._pass_over(quotes.time)
            return [self._next()]
        worth = equity(float(self._account.cash_aud), self._held(), self._mark)
        self._memory = replace(self._memory, rebalance=Rebalance(quotes.time, worth, self._memory.targets))
        first = self._next()
        if isinstance(first, Decide):
            # Nothing to trade: a rebalance of no orders needs no recovery, hence no commit.
            return [first]
        return [Remember(self._memory), first]

    def _count(self, order: Order) -> list[Command]:
        intent = order.intent
        if not order.status.final:
            raise ValueError(f"order {intent.client_order_id} has not ended: it is {order.status}")
        if intent.client_order_id in self._done:
            return []
        self._done.add(intent.client_order_id)
        for fill in order.fills:
            self._account = self._account.apply(fill, intent.quote_price_aud)
        return [self._next()]

    def _next(self) -> Submit | Decide:
        """The next order towards the targets or, with none left, the question what to want next."""
        quotes, rebalance = self._quotes, self._memory.rebalance
        if quotes is None or rebalance is None:
            raise ValueError("an order ended before there was a bar to trade")
        for name, side, at in self._sequence(quotes.time):
            if name in self._done:
                continue
            quantity = self._quantity(side, at, quotes, rebalance)
            if quantity > 0.0:
                self._traded = True
                return Submit(self._intent(name, side, at, quantity, quotes, rebalance))
            # Sized to nothing once is nothing for this bar: what comes after it must not bring it back.
            self._done.add(name)
        return Decide(quotes.time)

    def _sequence(self, time: datetime) -> list[tuple[str, Side, int]]:
        """Whatever could be ordered at a bar, in its order."""
        coins, deployment_id = self._mandate.coins, self._mandate.deployment_id
        return [
            (client_order_id(deployment_id, time, coin, side), side, at)
            for side in (Side.SELL, Side.BUY)
            for at, coin in enumerate(coins)
        ]

    def _pass_over(self, time: datetime) -> None:
        """Count as done whatever comes before an order that has ended: it was sized to nothing in its turn."""
        names = [name for name, _, _ in self._sequence(time)]
        ended = [at for at, name in enumerate(names) if name in self._done]
        self._done.update(names[: max(ended, default=0)])

    def _quantity(self, side: Side, at: int, quotes: QuotesArrived, rebalance: Rebalance) -> float:
        mandate, coin = self._mandate, self._mandate.coins[at]
        weight, worth, held = rebalance.targets[at], rebalance.equity_aud, float(self._account.position(coin).quantity)
        bid, least = float(quotes.bid[at]), float(mandate.terms.min_order_aud)
        match side:
            case Side.SELL:
                quantity = quantity_to_sell(weight, worth, held, bid, mandate.rebalance_band, least)
            case Side.BUY:
                quantity = quantity_to_buy(
                    weight,
                    worth,
                    held,
                    bid,
                    float(quotes.ask[at]),
                    mandate.terms.fee_bps(coin),
                    float(self._account.cash_aud),
                    mandate.rebalance_band,
                    least,
                )
        return float(quantity)

    def _intent(
        self, name: str, side: Side, at: int, quantity: float, quotes: QuotesArrived, rebalance: Rebalance
    ) -> OrderIntent:
        mandate, coin = self._mandate, self._mandate.coins[at]
        price = quotes.ask[at] if side is Side.BUY else quotes.bid[at]
        return OrderIntent(
            client_order_id=name,
            deployment_id=mandate.deployment_id,
            user_id=mandate.user_id,
            coin=coin,
            side=side,
            quantity=from_grid(quantity),
            kind=mandate.terms.kind(coin),
            quote_price_aud=from_grid(float(price)),
            quoted_at=quotes.time,
            decided_at=self._memory.decided_at or quotes.time,
            reason=f"towards {rebalance.targets[at]:.4f} of {rebalance.equity_aud:.2f} AUD",
        )

    def _close_bar(self, event: WeightsDecided) -> list[Command]:
        quotes = self._quotes
        if quotes is None or event.time != quotes.time:
            raise ValueError(f"weights of {event.time.isoformat()} answer no bar")
        coins = self._mandate.coins
        try:
            check_weights(np.asarray(event.weights), len(coins))
        except ValueError as reason:
            return [Halt(f"at {event.time.isoformat()}: {reason}")]
        weights = tuple(float(weight) for weight in event.weights)
        stopped = self._stopped(weights, quotes)
        targets = tuple(0.0 if out else weight for weight, out in zip(weights, stopped, strict=True))
        decision = None
        if self._traded or targets != self._memory.targets or stopped != self._memory.stopped:
            why = {coin: self._why(at, weights, stopped, event.why) for at, coin in enumerate(coins)}
            decision = Decision(event.time, dict(zip(coins, targets, strict=True)), why)
        self._memory = TraderMemory(event.time, event.time, targets, stopped)
        self._quotes = None
        self._done.clear()
        return [Remember(self._memory, decision)]

    def _stopped(self, weights: tuple[float, ...], quotes: QuotesArrived) -> tuple[bool, ...]:
        """Which coins a stop holds out: from the bid that hits it until the algorithm itself wants none."""
        before = self._memory.stopped or (False,) * len(weights)
        return tuple(weight != 0.0 and (before[at] or self._hits_stop(at, quotes)) for at, weight in enumerate(weights))

    def _hits_stop(self, at: int, quotes: QuotesArrived) -> bool:
        position = self._account.position(self._mandate.coins[at])
        if not position.quantity or position.opening_price_aud is None:
            return False
        bid = float(quotes.bid[at])
        return bool(stops_out(bid, float(position.opening_price_aud), self._mandate.exits.stop_loss))

    def _why(self, at: int, weights: tuple[float, ...], stopped: tuple[bool, ...], said: Mapping[str, str]) -> str:
        coin = self._mandate.coins[at]
        wants = said.get(coin, f"the algorithm wants {weights[at]:.4f}")
        if not stopped[at]:
            return wants
        opening = self._account.position(coin).opening_price_aud
        opened = f", opened at {opening:f}" if opening is not None else ""
        return f"out by the stop of {self._mandate.exits.stop_loss:.2%}{opened}; {wants}"

    def _held(self) -> FloatArray:
        coins = self._mandate.coins
        return np.array([float(self._account.position(coin).quantity) for coin in coins], dtype=np.float64)
