"""A deployment's trades beside its backtest's; the newest comparisons are kept for whoever turns their pages."""

import asyncio
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from omc.backtest.pairing import Comparison, Leg, kind_of_order, legs, paired
from omc.backtest.record import reasons
from omc.backtest.study import Study
from omc.trading.blotter import OrderRow, Trade
from omc.trading.deployment import Deployment
from omc.trading.fill import Fill, Side
from serve_apps.floor.life import Life, backtest_of, life_of
from serve_apps.floor.owned import everything
from serve_apps.floor.ports import FloorPorts

_MOST = 4
# Prices from before a life, which its algorithm was warmed up on, may be mended.
_KEPT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Kept:
    life: Life
    told: Comparison
    until: datetime


@dataclass(slots=True)
class Comparisons:
    """Of one replica. One is made anew when another bar is finished, when a fill comes to light, and in time."""

    ports: FloorPorts
    _kept: OrderedDict[UUID, Kept] = field(default_factory=OrderedDict)

    async def of(self, deployment: Deployment) -> tuple[Life, Comparison] | None:
        """None before there are two bars; else the faults of `backtest_of`."""
        life = await life_of(self.ports, deployment)
        if life is None:
            return None
        kept, now = self._kept.get(deployment.id), self.ports.clock.now()
        if kept is None or now >= kept.until or not kept.life.same(life):
            done = await backtest_of(self.ports, deployment, life)
            kept = Kept(life, await comparison(self.ports, deployment, life, done), now + _KEPT)
            self._kept[deployment.id] = kept
        self._kept.move_to_end(deployment.id)
        while len(self._kept) > _MOST:
            self._kept.popitem(last=False)
        return kept.life, kept.told


async def comparison(ports: FloorPorts, deployment: Deployment, life: Life, done: Study) -> Comparison:
    """The trades of a deployment's life beside those of its backtest."""
    owner = deployment.user_id
    # Trades first: every one of them has an order, while an order may get a trade at any time.
    trades = await everything(lambda offset, limit: ports.blotter.trades(owner, deployment.id, offset, limit))
    rows = await everything(lambda offset, limit: ports.blotter.orders(owner, deployment.id, offset, limit))
    # Not in the loop that answers an emergency stop.
    return await asyncio.to_thread(
        lambda: paired(legs(done.fills, reasons(done)), _lived(life, trades, rows)).told(_noes(rows))
    )


def _noes(rows: list[OrderRow]) -> dict[tuple[datetime, str, Side], str]:
    """What was wanted on the floor and never made, and why not."""
    noes = {}
    for order in (row.order for row in rows):
        if order.status.final and not order.fills and order.intent.slice_of is None:
            key = order.intent.quoted_at, order.intent.coin, order.intent.side
            noes[key] = f"its order was {order.status}: {order.message}" if order.message else f"it was {order.status}"
    return noes


def _lived(life: Life, trades: list[Trade], rows: list[OrderRow]) -> list[Leg]:
    """What was ordered on the bars of a life, in the order in which it was; the fills of one order, and of the orders
    that carried it out in parts, together."""
    # A venue's clock may say another order of two that follow each other at once.
    intents = {row.order.intent.client_order_id: row.order.intent for row in reversed(rows)}
    turn = {name: number for number, name in enumerate(intents)}
    fills: dict[str, list[Fill]] = defaultdict(list)
    for trade in reversed(trades):
        intent = intents[trade.client_order_id]
        name = intent.slice_of or intent.client_order_id
        if intents.get(name, intent).quoted_at <= life.spec.end:
            fills[name].append(trade.fill)
    made = []
    for name in sorted(fills, key=lambda name: (intents[name].quoted_at, turn[name])):
        intent = intents[name]
        made.append(Leg.of(fills[name], intent.quoted_at, kind_of_order(intent)))
    return made
