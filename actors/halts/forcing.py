"""Selling what a deployment holds at its owner's wish, while it goes on trading: the house's own sale.

The trader is told first, by a notice that is durable: from then on it buys none of it, and whoever is risk desk carries
the sale to its end. Its orders bear the notice's number, so that nothing is sold twice for one wish.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any
from uuid import UUID

from actors.halts.getting_out import GettingOut
from omc.errors import OmcError
from omc.trading import outcome
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from omc.trading.floor import HaltReport
from omc.trading.notice import Notice, NoticeKind
from omc.trading.order import Order, OrderStatus

if TYPE_CHECKING:
    from actors.orders.sender import Office, RiskPorts, Sender
    from actors.orders.senders import Senders

Beside = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
_log = logging.getLogger(__name__)
_WHY = "its owner had the coin sold"


class Forcing:
    def __init__(self, ports: "RiskPorts", office: "Office", senders: "Senders", beside: Beside) -> None:
        """`beside` has something go on by itself."""
        self._ports = ports
        self._office = office
        self._senders = senders
        self._getting_out = GettingOut(ports, office, senders)
        self._beside = beside
        self._running: dict[tuple[UUID, int], asyncio.Task[None]] = {}
        self._problems: dict[tuple[UUID, int], tuple[str, ...]] = {}

    async def force_exit(self, deployment: Deployment, coins: Sequence[str], key: str | None) -> HaltReport:
        """What was sold, and a sentence for each coin that was not. What is still under way when patience ends is
        carried on, and so is said. Without coins, everything that it holds or is buying."""
        self._office.takes_on()
        # Of everything, another time is something else.
        notice = await self._ports.blotter.noticed(deployment.id, key) if key is not None and not coins else None
        if notice is None:
            wanted = tuple(coins) or await self._exposed(deployment)
            if not wanted:
                return HaltReport(0, (), ())
            notice = await self._ports.blotter.notify(deployment.id, NoticeKind.OUT, wanted, key)
        if notice.done:
            return HaltReport(0, await self._orders(notice), ())
        # Who asked may be gone by then; the sale is not.
        await asyncio.shield(self._begin(deployment, notice))
        problems = self._problems.pop((notice.deployment_id, notice.number), ())
        return HaltReport(0, await self._orders(notice), problems)

    async def resume(self) -> None:
        """Go on with what an earlier desk has begun. Raises when the database does not answer."""
        for notice in await self._ports.blotter.unfinished():
            self._begin(await self._ports.deployments.get(notice.deployment_id), notice)

    def _begin(self, deployment: Deployment, notice: Notice) -> asyncio.Task[None]:
        place = notice.deployment_id, notice.number
        if place not in self._running:
            self._running[place] = self._beside(self._sell(deployment, notice))
            self._running[place].add_done_callback(lambda _: self._running.pop(place))
        return self._running[place]

    async def _sell(self, deployment: Deployment, notice: Notice) -> None:
        """To its end, however often the database is away; or until another desk is in force, which goes on."""
        faults = 0
        while self._office.lease is not None:
            try:
                await self._end_others(deployment, notice.coins)
                report = await self._getting_out.sell_coins(deployment, notice.coins, notice.number)
                await self._ports.blotter.done(notice)
            except OmcError as fault:
                _log.warning("a forced exit waits", extra={"coins": notice.coins, "error": str(fault)})
                faults += 1
                await asyncio.sleep(self._ports.cadence.pause_s(faults))
            else:
                self._problems[notice.deployment_id, notice.number] = report.problems
                return

    async def _exposed(self, deployment: Deployment) -> tuple[str, ...]:
        account = await self._ports.blotter.account(deployment.id)
        held = {coin for coin, position in account.positions.items() if position.quantity}
        bought = {each.intent.coin for each in await self._purchases(deployment)}
        return tuple(sorted(held | bought))

    async def _purchases(self, deployment: Deployment) -> list[Order]:
        """Those that are under way."""
        return [each for each in await self._under_way(deployment) if each.intent.side is Side.BUY]

    async def _under_way(self, deployment: Deployment) -> list[Order]:
        orders = [*await self._ports.blotter.unsettled(), *await self._ports.blotter.sliced()]
        return [each for each in orders if each.intent.deployment_id == deployment.id]

    async def _end_others(self, deployment: Deployment, coins: Sequence[str]) -> None:
        """End what is still buying, so that nothing is bought after it was sold; and what is selling at its own price,
        so that nothing is sold twice."""
        sender = self._senders.of(deployment)
        # What waits for a person is that person's to decide.
        ending = [
            each
            for each in await self._under_way(deployment)
            if each.intent.coin in coins
            and each.status is not OrderStatus.UNRESOLVED
            and not outcome.is_liquidation(each.intent)
        ]
        await asyncio.gather(*(self._end(sender, each) for each in ending))

    async def _end(self, sender: "Sender", order: Order) -> None:
        name = order.intent.client_order_id
        try:
            await asyncio.wait_for(sender.end(name, _WHY), self._ports.sell_out_patience_s)
        except (OmcError, TimeoutError) as fault:
            _log.warning("an order has not ended yet", extra={"order": name, "error": str(fault)})

    async def _orders(self, notice: Notice) -> tuple[Order, ...]:
        """The sales of a notice that were filled, as far as they were."""
        sold: list[Order] = []
        for coin in notice.coins:
            for attempt in count(1):
                name = outcome.forced_name(notice.deployment_id, notice.number, coin, attempt)
                order = await self._ports.blotter.order(name)
                if order is None:
                    break
                sold += [order] if order.fills else []
        return tuple(sold)
