"""One sitting of a trader: what it recalled when it sat down, and every bar since, until something goes wrong."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import product
from typing import Self, TypeVar

import numpy as np

from actors.history import History
from actors.trader import TraderPorts
from omc.errors import Halted, Refused
from omc.feature.frame import FloatArray, Frame, as_datetime64
from omc.ledger.catalyst import Catalyst
from omc.ledger.exchange import QuotesSeen
from omc.risk.verdict import DenialReason, Denied
from omc.strategy.decider import Decider
from omc.strategy.maker import Make
from omc.strategy.printed import legible
from omc.strategy.trigger import bars_of, follow_catalysts, why
from omc.trading.blotter import Blotter, Decision, TraderMemory
from omc.trading.deployed_code import code_of, make_of, unconfined
from omc.trading.deployment import Deployment
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
from omc.trading.lease import Lease
from omc.trading.mandate import Mandate
from omc.trading.order import Order, OrderIntent, OrderStatus, Turn, client_order_id
from omc.trading.recovery import after_absence
from omc.trading.trader import Trader
from omc.trading.window import last_bids, prices

_SAMPLE = 1000
_JOURNAL_PAGE = 200
_MOST_TOLD, _MOST_SHOWN, _MOST_PRINTED = 2_000, 500, 2_000
"""Characters of a fault, of what code printed before it, and of what it printed before a decision."""
Answer = TypeVar("Answer")


@dataclass(slots=True)
class Pace:
    """What a trader measured of itself, over all its sittings."""

    bars: int = 0
    orders: int = 0
    order_ms: deque[float] = field(default_factory=lambda: deque(maxlen=_SAMPLE))

    def count(self, order_ms: float) -> None:
        self.orders += 1
        self.order_ms.append(order_ms)


async def recall_pace(blotter: Blotter, deployment: Deployment, pace: Pace) -> None:
    """Count what a trader's predecessors measured, as far as it is journaled."""
    entries, _ = await blotter.journal(deployment.user_id, deployment.id, ("decision",), 0, _JOURNAL_PAGE)
    for entry in reversed(entries):
        for order_ms in entry.data.get("order_ms", ()):
            pace.count(float(order_ms))


class Seat:
    """Carries out what the core commands, bar by bar. Any fault is let go by: whoever sits down next starts from what
    is journaled, in the middle of a bar if need be."""

    def __init__(self, ports: TraderPorts, deployment: Deployment, lease: Lease, pace: Pace, decider: Decider) -> None:
        """`decider` is closed with it."""
        self._ports = ports
        self._deployment = deployment
        self._lease = lease
        self._pace = pace
        self._decider = decider
        self._trader: Trader | None = None
        self._bar_ms: list[float] = []
        self._arrived = 0.0
        self._said = ""
        """What the algorithm has printed since its last decision that was journaled."""
        self._rows: Frame
        """The bar that is met, after as many before it as triggers look at."""
        self.leaving = False
        """Set it to end after the command under way."""

    @classmethod
    async def taken(cls, ports: TraderPorts, deployment: Deployment, lease: Lease, pace: Pace) -> Self:
        """With the algorithm of the version that was deployed. Halted when that cannot be made, whatever is wrong with
        it."""
        make = await _how_made(ports, deployment)
        coins = len(deployment.coins)
        decider = await _away(lambda: Decider(make(deployment.algorithm_type, deployment.parameters), coins))
        return cls(ports, deployment, lease, pace, decider)

    async def close(self) -> None:
        """Leave nothing of the algorithm behind. A question under way is answered first, or misses its deadline."""
        await asyncio.to_thread(self._decider.close)

    async def meet(self, seen: QuotesSeen) -> None:
        """Trade on a bar and decide on it. A bar that quotes none of the deployment's coins does not exist for it."""
        self._arrived, self._bar_ms = self._ports.seconds(), []
        at = seen.board.time
        bid, ask, last = prices(seen.board, self._deployment.coins)
        if np.isnan(bid).all():
            return
        if self._trader is None or not self._decider.follows(at):
            self._trader = await self._look_back(at)
        else:
            self._decider.append(at, bid, ask, last)
            bar = (np.array([each]) for each in (bid, ask, last))
            met = Frame(np.array([as_datetime64(at)]), self._deployment.coins, *bar)
            self._rows = self._newest(self._rows.followed_by(met))
        await self._carry_out(self._trader, QuotesArrived(at, bid, ask))
        self._pace.bars += 1

    async def _carry_out(self, trader: Trader, event: Event) -> None:
        todo = deque(trader.handle(event))
        while todo and not self.leaving:
            match todo.popleft(), todo[0] if todo else None:
                case Remember(memory, None), Submit(intent):
                    # The desk stores both in one step: the order waits for one commit less.
                    todo.popleft()
                    outcome: Event | None = await self._submit(intent, memory)
                case command, _:
                    outcome = await self._perform(command)
            todo += trader.handle(outcome) if outcome is not None else ()

    async def _perform(self, command: Command) -> Event | None:
        match command:
            case Remember(memory, decision):
                await self._remember(memory, decision)
            case Submit(intent):
                return await self._submit(intent)
            case Decide(at):
                return await self._decided(at)
            case Halt(reason):
                raise Halted(reason)
        return None

    async def _submit(self, intent: OrderIntent, memory: TraderMemory | None = None) -> Event:
        answer = await self._ports.desk.submit(intent, self._lease, memory)
        self._measure()
        return IntentDenied(answer) if isinstance(answer, Denied) else OrderEnded(answer)

    async def _remember(self, memory: TraderMemory, decision: Decision | None) -> None:
        if decision is not None:
            decision = replace(decision, order_ms=tuple(self._bar_ms), printed=legible(self._said, _MOST_PRINTED))
            self._said = ""
        await self._ports.blotter.remember(self._deployment.id, memory, decision, trader=self._lease)

    async def _decided(self, at: datetime) -> WeightsDecided:
        """What the algorithm wants; what it wanted before, where nothing fires on this bar."""
        triggers = self._deployment.triggers
        if not triggers:
            return WeightsDecided(at, await self._weights())
        events = await self._known() if follow_catalysts(triggers) else ()
        fired = why(triggers, self._rows, events)
        if fired:
            return WeightsDecided(at, await self._weights(), trigger=fired)
        wanted = self._trader.memory.wanted if self._trader is not None else None
        return WeightsDecided(at, np.array(wanted or (0.0,) * len(self._deployment.coins)), trigger="")

    async def _weights(self) -> FloatArray:
        try:
            weights = await _away(self._decider.decide)
        except Halted as fault:
            said = legible(self._heard().strip(), _MOST_SHOWN)
            raise Halted(f"the algorithm failed: {fault}" + (f"; it printed last: {said}" if said else "")) from fault
        self._heard()
        return weights

    async def _known(self) -> tuple[Catalyst, ...]:
        """What has become known since the bar before."""
        if len(self._rows) < 2:
            return ()
        return tuple(await self._ports.catalysts.seen(self._rows.time(-2), self._rows.time(-1)))

    def _newest(self, rows: Frame) -> Frame:
        return rows.rows(max(0, len(rows) - max(bars_of(self._deployment.triggers), 2)), len(rows))

    def _heard(self) -> str:
        self._said = (self._said + self._decider.take_printed())[-_MOST_PRINTED - 1 :]
        return self._said

    def _measure(self) -> None:
        took_ms = round((self._ports.seconds() - self._arrived) * 1000, 3)
        self._bar_ms.append(took_ms)
        self._pace.count(took_ms)

    # Recovery

    async def _look_back(self, until: datetime) -> Trader:
        """Read the bars up to and including `until` for whoever decides on them, and rebuild the trader that meets the
        last of them."""
        ports, deployment = self._ports, self._deployment
        memory = await ports.blotter.recall(deployment.id)
        ended = await self._end_orders(memory, until)
        account = await ports.blotter.account(deployment.id)
        history = History(ports.archive)
        tail = await history.tail(
            deployment.coins, until, max(self._decider.memory_bars, bars_of(deployment.triggers), 2)
        )
        mandate = Mandate(
            deployment_id=deployment.id,
            user_id=deployment.user_id,
            coins=deployment.coins,
            rebalance_band=deployment.rebalance_band,
            exits=self._decider.exits,
            terms=ports.terms,
        )
        if memory.done_until is not None and _missed_bars(memory.done_until, tail):
            stored = await history.read(deployment.coins, memory.done_until, until)
            by_name = {order.intent.client_order_id: order for order in ended}
            memory = after_absence(memory, mandate, account, by_name, stored, until)
        marks = last_bids(tail)
        for coin, position in account.positions.items():
            if position.quantity and coin not in marks:
                marks |= last_bids(await ports.archive.tail((coin,), until, 1))
        self._decider.recall(tail)
        self._rows = self._newest(tail)
        return Trader(mandate, memory, account, ended=ended, marks=marks)

    async def _end_orders(self, memory: TraderMemory, until: datetime) -> list[Order]:
        """The orders of a rebalance that a death cut short, each carried to its end before the account is read: so no
        fill is counted twice, and none is missed. What there is of the bar to come counts as well, though the memory
        should know of it: were the memory older than the orders, they would be counted again."""
        times = {until, memory.rebalance.quoted_at} if memory.rebalance else {until}
        ended: list[Order] = []
        for quoted_at, coin, turn in product(sorted(times), self._deployment.coins, Turn):
            name = client_order_id(self._deployment.id, quoted_at, coin, turn)
            order = await self._ports.blotter.order(name)
            if order is not None and order.status is OrderStatus.INTENT and quoted_at < until:
                late = Denied(order.intent, DenialReason.TOO_LATE, "it was not sent before its bar had passed")
                order = await self._ports.blotter.deny(order, late, self._lease)
            elif order is not None and not order.status.final:
                await self._ports.desk.submit(order.intent, self._lease)
                order = await self._ports.blotter.order(name)
            ended += [order] if order is not None else []
        return ended


async def _how_made(ports: TraderPorts, deployment: Deployment) -> Make:
    """Halted for code or a model that is not there, or not what was deployed: asking again would find the same."""
    try:
        code = await code_of(deployment, ports.algorithms)
        refusal = unconfined(deployment.mode, code, ports.maker)
        if refusal is not None:
            raise Halted(refusal)
        return await make_of(deployment, code, ports.models, ports.maker)
    except Refused as fault:
        raise Halted(str(fault)) from fault


async def _away(ask: Callable[[], Answer]) -> Answer:
    """What is answered away from the event loop, which goes on answering meanwhile.

    Halted for whatever is refused, and whatever the algorithm has done: asking again would not help. What is no fault
    of it, and may be over soon, stays what it is.
    """
    try:
        return await asyncio.to_thread(ask)
    except Refused as fault:
        raise Halted(legible(str(fault)[:_MOST_TOLD], _MOST_TOLD)) from fault


def _missed_bars(done_until: datetime, tail: Frame) -> bool:
    """Whether bars have been stored between the last that the trader finished and the one that it meets."""
    return len(tail) > 1 and tail.time(-2) > done_until
