"""From quotes to orders to the next decision: events in, commands out.

On each bar the targets decided on an earlier bar are carried out, and what must leave leaves, in the turns of
`order.Turn`: sales, exits at the open, purchases, exits inside the bar; in each the coins one by one, one order at a
time. Then the bar decides the next targets. The kernel of a backtest does the same in the same order on the same
floats, so both make the same trades.

A trader can be rebuilt in the middle of a bar from its memory, its account and the orders that it has ended: whatever
it sized from then is there, so it goes on to the last bit as it would have gone on.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import product
from math import isnan, nan

import numpy as np

from omc.feature.frame import FloatArray
from omc.market.money import from_grid
from omc.portfolio.account import Account
from omc.risk.verdict import DenialReason
from omc.trading.bar import Bar, Wish, held_of
from omc.trading.blotter import Decision, Rebalance, TraderMemory
from omc.trading.dialogue import (
    Command,
    Decide,
    Event,
    Halt,
    IntentDenied,
    OrderEnded,
    QuotesArrived,
    Remember,
    Submit,
    WeightsDecided,
)
from omc.trading.mandate import Mandate
from omc.trading.order import Order, OrderIntent, OrderStatus, Turn, client_order_id
from omc.trading.quiet import Standing, Stretch
from omc.trading.recovery import opened_in
from omc.trading.sizing import check_weights, equity

_STANDSTILL = frozenset({DenialReason.KILL_SWITCH, DenialReason.NOT_ACTIVE})
_UNUSABLE = "unusable_weights"
"""What nobody can carry out: 10,000 % of what there is, a debt, no number."""


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
        self._ended = {order.intent.client_order_id: order for order in ended}
        self._mark = [(marks or {}).get(coin, nan) for coin in mandate.coins]
        self._turns = tuple(product(Turn if mandate.exits.any else (Turn.SALE, Turn.PURCHASE), range(len(self._mark))))
        self._bar: Bar | None = None
        self._turn = 0
        """The next of `_turns` in this bar."""
        self._waits_for = ""

    @property
    def memory(self) -> TraderMemory:
        return self._memory

    @property
    def account(self) -> Account:
        return self._account

    @property
    def worth_aud(self) -> float:
        """Its cash and whatever it holds, at the last marks."""
        return self._worth(self._held())

    def handle(self, event: Event) -> list[Command]:
        """What to do now, in this order."""
        match event:
            case QuotesArrived():
                return self._open_bar(event)
            case OrderEnded(order):
                return self._count(order)
            case IntentDenied(denied):
                if denied.reason in _STANDSTILL:
                    return [Halt(f"{denied.reason}: {denied.message}")]
                if self._bar is not None and denied.intent.client_order_id == self._waits_for:
                    self._bar.fell_short(self._turns[self._turn - 1][1], denied.of(Order(denied.intent)))
                return self._go_on(denied.intent)
            case WeightsDecided():
                return self._close_bar(event)

    def pass_quietly(self, stretch: Stretch, row: int, curves: FloatArray) -> int:
        """The first row from `row` on in which it would send an order, or the end of the stretch. It is left as if it
        had handled every row before; `curves`, (2, T), is given their equity and cash."""
        if any(self._memory.leaving or ()):
            return row
        held = self._held()
        standing = Standing.of(self._mandate, self._memory.as_held(held), self._account, held, self._mark)
        until = standing.pass_over(stretch, self._mandate, row, curves)
        if until > row:
            self._memory, self._mark = standing.memory(stretch.time(until - 1)), standing.mark.tolist()
        return until

    def _open_bar(self, quotes: QuotesArrived) -> list[Command]:
        memory = self._memory
        if memory.done_until is not None and quotes.time <= memory.done_until:
            return []
        self._see(quotes.bid)
        self._turn, self._waits_for = 0, ""
        if memory.rebalance is not None and memory.rebalance.quoted_at == quotes.time:
            # It was journaled with this bar, so this bar traded, whether or not anything is left to do.
            self._bar = Bar(self._mandate, memory, quotes)
            self._bar.traded = True
            self._take_up(self._bar)
            return [self._next()]
        held = self._held()
        self._memory = memory = memory.as_held(held)
        self._bar = Bar(self._mandate, memory, quotes)
        if memory.targets is None and not any(held):
            return [Decide(quotes.time)]
        targets = memory.targets or (None,) * len(held)
        self._memory = replace(memory, rebalance=Rebalance(quotes.time, self._worth(held), targets))
        first = self._next()
        if isinstance(first, Decide):
            # Nothing to trade: a rebalance of no orders needs no recovery, hence no commit.
            return [first]
        return [Remember(self._memory), first]

    def _take_up(self, bar: Bar) -> None:
        """Go on after the last order of this bar that has ended: what comes before it has had its turn."""
        bar.opened |= opened_in(bar.quotes.time, self._mandate, self._account, self._ended)
        for number, (turn, at) in enumerate(self._turns):
            order = self._ended.get(self._name(bar.quotes.time, turn, at))
            if order is not None:
                self._turn = number + 1
                bar.ask(turn, at, order.intent.reason)
                bar.fell_short(at, order)

    def _count(self, order: Order) -> list[Command]:
        intent = order.intent
        # What became of one that waits for a person is not known in this bar, and the others have their turn.
        if not order.status.final and order.status is not OrderStatus.UNRESOLVED:
            raise ValueError(f"order {intent.client_order_id} has not ended: it is {order.status}")
        if intent.client_order_id == self._waits_for and self._bar is not None:
            at = self._turns[self._turn - 1][1]
            self._bar.count(at, order, self._account)
            self._bar.fell_short(at, order)
            for fill in order.fills:
                self._account = self._account.apply(fill, intent.quote_price_aud)
        return self._go_on(intent)

    def _go_on(self, ended: OrderIntent) -> list[Command]:
        if ended.client_order_id != self._waits_for:
            return []
        self._waits_for = ""
        return [self._next()]

    def _next(self) -> Submit | Decide:
        """The next order of this bar or, with no turn left, the question what to want next."""
        bar, rebalance = self._bar, self._memory.rebalance
        if bar is None or rebalance is None:
            raise ValueError("an order ended before there was a bar to trade")
        while self._turn < len(self._turns):
            # Sized to nothing in its turn is nothing for this bar: what comes after it must not bring it back.
            turn, at = self._turns[self._turn]
            self._turn += 1
            wish = bar.wish(turn, at, self._account, rebalance)
            if wish is not None:
                intent = self._intent(turn, at, bar.quotes.time, wish)
                self._waits_for = intent.client_order_id
                return Submit(intent)
        return Decide(bar.quotes.time)

    def _intent(self, turn: Turn, at: int, time: datetime, wish: Wish) -> OrderIntent:
        mandate, coin = self._mandate, self._mandate.coins[at]
        return OrderIntent(
            client_order_id=self._name(time, turn, at),
            deployment_id=mandate.deployment_id,
            user_id=mandate.user_id,
            coin=coin,
            side=turn.side,
            quantity=from_grid(wish.quantity),
            kind=mandate.terms.kind(coin),
            quote_price_aud=from_grid(wish.price_aud),
            quoted_at=time,
            decided_at=self._memory.decided_at or time,
            reason=wish.reason,
        )

    def _name(self, time: datetime, turn: Turn, at: int) -> str:
        return client_order_id(self._mandate.deployment_id, time, self._mandate.coins[at], turn)

    # The end of a bar

    def _close_bar(self, event: WeightsDecided) -> list[Command]:
        bar, before, coins = self._bar, self._memory, self._mandate.coins
        if bar is None or event.time != bar.quotes.time:
            raise ValueError(f"weights of {event.time.isoformat()} answer no bar")
        if not _plainly_usable(event.weights, len(coins)):
            try:
                check_weights(np.asarray(event.weights), len(coins))
            except ValueError as reason:
                # Nothing is wanted anew; whoever reads its decisions finds here why there are no more.
                no = f"{_UNUSABLE}: at {event.time.isoformat()}: {reason}"
                wanted_still = before.targets or (None,) * len(coins)
                refused = Decision(event.time, dict(zip(coins, wanted_still, strict=True)), dict.fromkeys(coins, no))
                return [Remember(before, refused), Halt(no)]
        weights = tuple(event.weights.tolist())
        stopped = self._stopped(weights, bar)
        targets = tuple(0.0 if out else weight for weight, out in zip(weights, stopped, strict=True))
        decision = None
        if bar.traded or targets != before.targets or stopped != before.stopped or event.trigger:
            wants = [
                event.why.get(coin, f"the algorithm {'wanted' if event.trigger == '' else 'wants'} {weight:.4f}")
                for coin, weight in zip(coins, weights, strict=True)
            ]
            why = {coin: bar.why(at, wants[at], stopped[at], self._account) for at, coin in enumerate(coins)}
            decision = Decision(event.time, dict(zip(coins, targets, strict=True)), why, trigger=event.trigger or "")
        wanted = None if event.trigger is None else weights
        self._memory = replace(bar.after(self._account, targets), stopped=stopped, wanted=wanted)
        if bar.quotes.close is not None:
            self._see(bar.quotes.close)
        self._bar = None
        self._ended.clear()
        return [Remember(self._memory, decision)]

    def _stopped(self, weights: Sequence[float], bar: Bar) -> tuple[bool, ...]:
        """Which coins are out: from the exit that closes one until the algorithm itself wants none."""
        before = self._memory.stopped or (False,) * len(weights)
        out = () if self._mandate.exits.reentry else bar.exits
        return tuple(weight != 0.0 and (before[at] or at in out) for at, weight in enumerate(weights))

    # What it holds, and what that is worth

    def _see(self, prices: FloatArray) -> None:
        """Mark every coin that has a price."""
        seen = zip(prices.tolist(), self._mark, strict=True)
        self._mark = [mark if isnan(price) else price for price, mark in seen]

    def _held(self) -> list[float]:
        return [held_of(self._account, coin) for coin in self._mandate.coins]

    def _worth(self, held: Sequence[float]) -> float:
        return float(equity(float(self._account.cash_aud), np.array(held), np.array(self._mark)))


def _plainly_usable(weights: FloatArray, coins: int) -> bool:
    """What needs no closer look by `check_weights`, told without arrays."""
    if weights.shape != (coins,):
        return False
    each = weights.tolist()
    return all(weight >= 0.0 for weight in each) and sum(each) <= 1.0
