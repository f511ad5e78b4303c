"""What an emergency stop does beyond the flag: open orders are cancelled and, if asked, everything is sold.

What the database does not say is taken from memory, so that a stop works without it as far as it can.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from actors.halts.getting_out import GettingOut
from actors.orders.sender import Office, RiskPorts
from actors.orders.senders import Senders
from omc.errors import OmcError, VenueRefused
from omc.market.terms import OrderKind
from omc.risk.kill_switch import HaltLevel
from omc.trading.deployment import Deployment, DeploymentStatus, Mode
from omc.trading.fill import Side
from omc.trading.floor import HaltReport
from omc.trading.order import Order, OrderStatus

_log = logging.getLogger(__name__)
_PAGE = 100
_STORE_S = 3.0
"""How long a database is waited for that may be hanging."""


@dataclass(frozen=True, slots=True)
class Emergency:
    ports: RiskPorts
    office: Office
    senders: Senders
    getting_out: GettingOut

    async def halt(
        self,
        user_id: UUID | None,
        liquidate: bool,
        deployment_id: UUID | None = None,
        level: HaltLevel = HaltLevel.ALL,
    ) -> HaltReport:
        """Of everybody without a user, of the whole account without a deployment. A halt of what adds leaves sales
        alone."""
        known = [each for each in self.senders.seen() if _is_of(each, user_id, deployment_id)]
        if level is HaltLevel.ADDING:
            cancelled = await self._cancel_each(known, Side.BUY)
            return _together([cancelled, await self._in_doubt(known, user_id, side=Side.BUY)])
        for each in known:
            self.senders.of(each).end_all(each.id, "emergency stop", sales_too=False)
        # What was traded here is cancelled at once; whoever the database knows besides comes after.
        owned, first = await asyncio.gather(self._owned(user_id, deployment_id, known), self._cancel(known))
        deployments, problems = owned
        seen = {each.id for each in known}
        # A database that did not say whose these are is not waited for a second time.
        rest, doubts = await asyncio.gather(
            self._cancel([each for each in deployments if each.id not in seen]),
            self._in_doubt(deployments, user_id, stored=not problems),
        )
        sold: Sequence[HaltReport] = ()
        if liquidate and user_id is not None:
            # Nor longer than it was waited for already: what hangs with it is sold when it is back.
            answer_s = min(_STORE_S, self.ports.sell_out_answer_s) if problems else None
            sold = await asyncio.gather(
                *(self.getting_out.sell_out(each, (user_id, deployment_id), answer_s) for each in deployments)
            )
        return _together([first, rest, doubts, HaltReport(0, (), tuple(problems)), *sold])

    async def _owned(
        self, user_id: UUID | None, deployment_id: UUID | None, known: list[Deployment]
    ) -> tuple[list[Deployment], list[str]]:
        """Those that may have open orders, or anything to sell."""
        try:
            async with asyncio.timeout(_STORE_S):
                stored = await (self._everybodys() if user_id is None else self._deployments_of(user_id))
        except (OmcError, TimeoutError) as fault:
            missing = "accounts that were not traded since the risk desk started were not looked at"
            return known, [f"{missing}: {str(fault) or 'the database does not answer'}"]
        return [each for each in stored if _is_of(each, user_id, deployment_id)], []

    async def _deployments_of(self, user_id: UUID) -> list[Deployment]:
        owned: list[Deployment] = []
        while True:
            page, total = await self.ports.deployments.page(user_id, len(owned), _PAGE)
            owned += page
            if len(owned) >= total or not page:
                break
        return [each for each in owned if each.status is not DeploymentStatus.STOPPED or await self._holds(each)]

    async def _everybodys(self) -> list[Deployment]:
        found = {each.id: each for each in await self.ports.deployments.active()}
        for order in await self.ports.blotter.unsettled():
            deployment_id = order.intent.deployment_id
            if deployment_id not in found:
                found[deployment_id] = await self.ports.deployments.get(deployment_id)
        return list(found.values())

    async def _holds(self, deployment: Deployment) -> bool:
        account = await self.ports.blotter.account(deployment.id)
        held = any(position.quantity for position in account.positions.values())
        return held or self.senders.knows(deployment)

    async def _cancel(self, deployments: Iterable[Deployment]) -> HaltReport:
        return _together(await asyncio.gather(*(self._cancel_account(each) for each in deployments)))

    async def _cancel_account(self, deployment: Deployment) -> HaltReport:
        try:
            sender = self.senders.of(deployment)
            cancelled = await sender.door.cancel_all(deployment, sender.under_way.values())
            return HaltReport(cancelled, (), ())
        except OmcError as error:
            return HaltReport(0, (), (f"{deployment.name}: open orders may remain: {error}",))

    async def _in_doubt(
        self, deployments: Iterable[Deployment], user_id: UUID | None, *, side: Side | None = None, stored: bool = True
    ) -> HaltReport:
        """A sentence for every order that waits for a person and may work on the book. It cannot be cancelled: what it
        is there is not known, and an order that is alike may be the owner's own. Of a paper account everything was.
        Only memory is asked unless `stored`."""
        live = {each.id: each for each in deployments if each.mode is not Mode.PAPER}
        orders = {order.intent.client_order_id: order for order in self.senders.under_way()}
        working: dict[str, list[str]] = {}
        if stored:
            try:
                async with asyncio.timeout(_STORE_S):
                    orders |= {order.intent.client_order_id: order for order in await self.ports.blotter.unsettled()}
                    for held in await self.ports.venue_book.held(user_id=user_id):
                        ids = [each.working.venue_order_id for each in held.candidates if each.working is not None]
                        working[held.client_order_id] = ids
            except (OmcError, TimeoutError) as fault:
                _log.info("what memory says of orders in doubt must do", extra={"error": str(fault)})
        problems: list[str] = []
        for name, order in orders.items():
            of = live.get(order.intent.deployment_id)
            if of is None or not _may_work(order) or side not in (None, order.intent.side):
                continue
            could = f": it could be {' or '.join(working[name])}" if working.get(name) else ""
            problems.append(f"{of.name}: order {name} waits for a person, and may still be on the book{could}")
        return HaltReport(0, (), tuple(problems))

    async def _cancel_each(self, deployments: Iterable[Deployment], side: Side) -> HaltReport:
        """Their orders on one side that rest, one by one."""
        cancelled, problems = 0, list[str]()
        named = {each.id: each for each in deployments}
        for order in self.senders.under_way():
            intent = order.intent
            deployment = named.get(intent.deployment_id)
            if deployment is None or order.venue_order_id is None or intent.side is not side:
                continue
            try:
                async with self.senders.of(deployment).door.sending(deployment) as venue:
                    await venue.cancel(intent, order.venue_order_id)
                cancelled += 1
            except VenueRefused:
                # It is off the book already: what it did is found as for any other.
                continue
            except OmcError as error:
                problems.append(f"{deployment.name}: order {order.venue_order_id} may remain: {error}")
        return HaltReport(cancelled, (), tuple(problems))


def _is_of(deployment: Deployment, user_id: UUID | None, deployment_id: UUID | None) -> bool:
    return user_id in (None, deployment.user_id) and deployment_id in (None, deployment.id)


def _may_work(order: Order) -> bool:
    """Whether nobody knows if it is on the book, nor under which id."""
    held = order.status is OrderStatus.UNRESOLVED and order.venue_order_id is None
    return held and order.intent.kind is OrderKind.MARKET


def _together(reports: Iterable[HaltReport]) -> HaltReport:
    told = list(reports)
    sold: list[Order] = [order for report in told for order in report.sold]
    problems = [problem for report in told for problem in report.problems]
    return HaltReport(sum(report.cancelled_orders for report in told), tuple(sold), tuple(problems))
