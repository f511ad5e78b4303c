"""One look at an account: what we know of it, what its venue shows, and what the pure side makes of the two."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from actors.orders.sender import RiskPorts, Sender
from actors.reconciling.before import FIRST, OVERLAP, Before, strangers
from actors.reconciling.lasting import Lasting
from actors.sharing import books_of, sharing
from omc.errors import NotFound, Unavailable
from omc.market.quote import QuoteBoard
from omc.portfolio.account import Account
from omc.trading.blotter import row_id
from omc.trading.deployment import Deployment, Mode
from omc.trading.listed import VenueReport
from omc.trading.order import Order, OrderStatus
from omc.trading.reconciliation import books
from omc.trading.reconciliation.acceptance import is_synthetic
from omc.trading.reconciliation.alignment import NEVER_SENT, steps
from omc.trading.reconciliation.doubles import doubled, is_known
from omc.trading.reconciliation.fitting import fitting
from omc.trading.reconciliation.our_side import Ours
from omc.trading.reconciliation.reading import Reading
from omc.trading.reconciliation.shared_account import claims, earned, own
from omc.trading.reconciliation.steps import AddFills, AdoptFill, AdoptOrder, Hold, LookAgain, Settle
from omc.trading.reconciliation.table import Search, doubts
from omc.trading.reconciliation.venue_book import HeldOrder, Known
from omc.trading.venue import Absent

_WIDER = (timedelta(0), timedelta(hours=1), timedelta(days=1))
"""How much further back a look begins that is to explain a difference."""
_PAGE = 100


class Accounting:
    """The account's lock is held by whoever asks."""

    def __init__(self, ports: RiskPorts) -> None:
        self._ports = ports
        self._quiet: dict[str, Lasting] = {}

    async def sharing(self, deployment: Deployment) -> tuple[Deployment, ...]:
        """Every deployment that trades the same account."""
        return await sharing(self._ports.deployments, deployment)

    async def look(self, sender: Sender, deployment: Deployment, number: int = 0) -> Reading:
        """The account as of now. A look that is to explain what the one before it did not goes further back the higher
        its `number`. Unavailable when it cannot be read."""
        before, wider = await self._before(deployment), _WIDER[min(number, len(_WIDER) - 1)]
        try:
            report = await self._report(sender, deployment, before.since - wider)
        except Unavailable:
            if not wider:
                raise
            # Further back there may be more than the venue lists at once.
            report = await self._report(sender, deployment, before.since)
        return await self._read(sender, deployment, before, report)

    async def anew(self, sender: Sender, deployment: Deployment, reading: Reading) -> Reading:
        """What the venue showed then, beside our books as they are now."""
        return await self._read(sender, deployment, await self._before(deployment), reading.report)

    async def _before(self, deployment: Deployment) -> Before:
        deployments = await self.sharing(deployment)
        unsettled = await self._unsettled({each.id for each in deployments})
        known = await self._ports.venue_book.known(deployment.account)
        return Before(await self._board(), deployments, known, tuple(unsettled))

    async def _read(self, sender: Sender, deployment: Deployment, before: Before, report: VenueReport) -> Reading:
        account, board, known = deployment.account, before.board, before.known
        accounts = await books_of(self._ports.blotter, before.deployments)
        held = tuple(await self._ports.venue_book.held(account=account))
        orders, counted = await self._orders(before, report, held)
        ours = Ours(
            account=account,
            owner_trades=deployment.mode is Mode.LIVE,
            orders=orders,
            claims=claims(before.deployments, accounts),
            external=await self._external(before, report, held, account),
            counted=counted,
            held={each.client_order_id: each.candidates for each in held},
        )
        if known is None:
            known = await self._opened(deployment, ours, report, accounts)
            ours = replace(ours, external=await self._external(before, report, held, account))
        ours = replace(ours, own=own(known, before.deployments, accounts), opened_from=known.opened_from)
        ours = await self._beside_strangers(ours, before, report)
        alone = await self._asked_alone(sender, ours, report)
        made = steps(ours, report, terms=self._ports.terms, asked_alone=alone)
        made = fitting(made, ours, report, accounts)
        return Reading(before.deployments, accounts, known, ours, report, made, board.time if board else None, held)

    async def _external(
        self, before: Before, report: VenueReport, held: Sequence[HeldOrder], account: str
    ) -> frozenset[str]:
        """As far as anything that is listed, that waits, or that an order under way could be, is external."""
        named = {row.venue_order_id for row in report.fills if row.venue_order_id}
        named |= {each.venue_order_id for each in report.working}
        named |= {row.fill.fill_id for row in report.fills}.union(*(each.ids for each in held))
        sent = [order.intent.quoted_at - OVERLAP for order in before.unsettled]
        return await self._ports.venue_book.external(account, min([report.since, *sent]), named)

    async def _beside_strangers(self, ours: Ours, before: Before, report: VenueReport) -> Ours:
        """With the orders that what is a stranger's might be once more, and what persons said of them."""
        first = steps(ours, report, terms=self._ports.terms)
        if not any(isinstance(step, AdoptFill | AdoptOrder) for step in first):
            return ours
        since, sent = report.since - FIRST, list[Order]()
        for deployment in before.deployments:
            sent += await self._sent(deployment, since)
        ours, decided = replace(ours, sent=tuple(sent)), dict[str, HeldOrder]()
        # Whichever of several orders alike a person was asked about, what was said holds for all of them.
        held = [each for each in steps(ours, report, terms=self._ports.terms) if isinstance(each, Hold)]
        alike = [order for hold in held for listed in hold.candidates for order in doubled(listed, sent)]
        for order in {_name(each): each for each in alike}.values():
            if (said := await self.decision(order)) is not None:
                decided[_name(order)] = said
        return replace(ours, decided=decided)

    async def _sent(self, deployment: Deployment, since: datetime) -> list[Order]:
        """What was sent for a deployment on quotes from `since` on, and is known, newest first."""
        found: list[Order] = []
        offset = 0
        while True:
            rows, total = await self._ports.blotter.orders(deployment.user_id, deployment.id, offset, _PAGE)
            late = [row.order for row in rows if row.order.intent.quoted_at >= since]
            known = [each for each in late if each.status not in NEVER_SENT and is_known(each)]
            found += [each for each in known if not is_synthetic(each.intent)]
            offset += len(rows)
            if len(late) < len(rows) or not rows or offset >= total:
                return found

    async def _board(self) -> QuoteBoard | None:
        """The newest quotes; None when nobody can say: an account that was looked at before can be read without."""
        try:
            return await self._ports.quotes.newest()
        except Unavailable:
            return None

    async def _report(self, sender: Sender, deployment: Deployment, since: datetime) -> VenueReport:
        try:
            async with sender.door.sending(deployment) as venue, asyncio.timeout(self._ports.call_s):
                return await venue.report(since)
        except TimeoutError:
            raise Unavailable(f"the venue shows nothing within {self._ports.call_s:g} s") from None

    async def _unsettled(self, deployments: set[UUID]) -> list[Order]:
        return [each for each in await self._ports.blotter.unsettled() if each.intent.deployment_id in deployments]

    async def _orders(
        self, before: Before, report: VenueReport, held: Sequence[HeldOrder]
    ) -> tuple[tuple[Order, ...], frozenset[str]]:
        """Orders that the report may show something new of, and the fills that are counted in its time, and in that of
        what waits."""
        blotter = self._ports.blotter
        waiting = [fill.executed_at for each in held for listed in each.candidates for fill in listed.fills]
        since = min([report.since, *waiting])
        owned = {each.id for each in before.deployments}
        counted = await blotter.fill_ids(owned, since - FIRST)
        named = {each.venue_order_id for each in report.fills} | {each.venue_order_id for each in report.working}
        listed = await blotter.placed_as([each for each in named if each is not None])
        found = {each.intent.client_order_id: each for each in listed if each.intent.deployment_id in owned}
        found |= {each.intent.client_order_id: each for each in before.unsettled}
        return tuple(found.values()), counted

    async def _opened(
        self, deployment: Deployment, ours: Ours, report: VenueReport, accounts: Mapping[UUID, Account]
    ) -> Known:
        """The account, looked at for the first time. What an owner's account holds beyond our books is the owner's;
        what it lists that is not ours was there before."""
        account, book = deployment.account, self._ports.venue_book
        opening: dict[str, Decimal] = {}
        before: frozenset[str] = frozenset()
        if ours.owner_trades:
            first = steps(ours, report, terms=self._ports.terms)
            if any(isinstance(step, LookAgain | Hold) for step in first):
                raise Unavailable("the account is first looked at when none of its orders is in doubt")
            fresh = [fill for step in first if isinstance(step, Settle | AddFills) for fill in step.fills]
            opening = books.less(report.balances, books.summed(earned(accounts), books.moved(fresh)))
            before = frozenset(strangers(first))
        await book.open(account, deployment.user_id, opening, before, report.since)
        known = await book.known(account)
        if known is None:
            raise Unavailable(f"account {account} was opened and is not there")
        return known

    async def _asked_alone(self, sender: Sender, ours: Ours, report: VenueReport) -> frozenset[str]:
        """Orders that wait for a person because of what they were asked for, and that the venue was asked about again,
        one by one, in vain. Of all others under way, their sender takes care."""
        first = steps(ours, report, terms=self._ports.terms)
        vague = {step.client_order_id for step in first if isinstance(step, LookAgain)}
        waiting = [
            order
            for order in ours.orders
            if _name(order) in vague and order.status is OrderStatus.UNRESOLVED and not ours.held.get(_name(order))
        ]
        # Nothing has happened to an order for as long as this desk has known that a person must say what became of it.
        quiet_s = self._quiet.setdefault(ours.account, Lasting()).of(map(_name, waiting))
        alone: set[str] = set()
        for order in waiting:
            found = await sender.find(order)
            gone = isinstance(found, Absent) or not found.open
            search = Search(closed_too=True, quiet_s=quiet_s[_name(order)], asked_alone=gone)
            alone |= {_name(order)} if doubts(search, threshold_s=await self._slow_s(sender, order)) is None else set()
        return frozenset(alone)

    async def _slow_s(self, sender: Sender, order: Order) -> float:
        """How long an order must have been quiet before its absence says anything."""
        deployment = await self._ports.deployments.get(order.intent.deployment_id)
        async with sender.door.sending(deployment) as venue:
            return max(self._ports.reconcile_quiet_s, venue.slow_s)

    def forget(self, account: str) -> None:
        """An account that nobody looks at any more."""
        self._quiet.pop(account, None)

    async def decision(self, order: Order) -> HeldOrder | None:
        """What a person decided about an order."""
        intent = order.intent
        try:
            which = row_id(intent.deployment_id, intent.client_order_id)
            held = await self._ports.venue_book.held_order(which, intent.user_id)
        except NotFound:
            return None
        return held if held.resolution is not None else None

    async def undone(self, deployment: Deployment) -> list[tuple[Order, HeldOrder]]:
        """Decisions of persons that were not carried out, because whoever was to do it died."""
        owned = {each.id for each in await self.sharing(deployment)}
        found: list[tuple[Order, HeldOrder]] = []
        for order in await self._unsettled(owned):
            held = await self.decision(order) if order.status is OrderStatus.UNRESOLVED else None
            found += [(order, held)] if held is not None else []
        return found


def _name(order: Order) -> str:
    return order.intent.client_order_id
