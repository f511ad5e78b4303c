"""All that a verdict on an order depends on, gathered as of one moment, and what follows from a no."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from actors.halts.known import Halts
from actors.limits.marks import Marks
from actors.limits.newest import Newest
from actors.limits.places import Places
from actors.limits.recent import Recent
from omc.errors import Unavailable
from omc.market.money import ZERO
from omc.market.quote import QuoteBoard
from omc.market.terms import Terms
from omc.portfolio.account import Account
from omc.risk.book import RiskBook
from omc.risk.exposure import Exposure, Figures, Level, Market, Reserved
from omc.risk.limits import LIVE_QUOTE_AGE_S, AccountLimits, Bounds
from omc.risk.standing import Streak
from omc.risk.store import Holdings, Place
from omc.risk.verdict import Approved, Denied, Verdict
from omc.trading.deployment import Deployment, Mode
from omc.trading.fill import Side
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.settlement import settle

if TYPE_CHECKING:
    from actors.orders.sender import RiskPorts

_SALES = 500
"""How many of the newest sales tell of losses in a row."""


class Exposures:
    """One for all senders of a risk desk. `under_way` tells what they have sent that is not final."""

    def __init__(self, ports: "RiskPorts", under_way: Callable[[], Iterable[Order]] = lambda: ()) -> None:
        self._ports = ports
        self._under_way = under_way
        self._book = RiskBook()
        self._approved: dict[str, OrderIntent] = {}
        self._over: set[str] = set()
        self._modes: dict[UUID, Mode] = {}
        self.halts = Halts(ports.halt_files)
        self.places = Places(ports, self.halts)
        self.recent = Recent()
        self.marks = Marks(ports.archive)
        self.newest = Newest(ports.quotes.newest)

    async def assess(self, intent: OrderIntent, deployment: Deployment, liquidating: bool) -> Verdict:
        """Our risk book's answer. Whoever asks keeps the account's lock, so that it does not change until the order is
        written ahead; what other accounts were promised meanwhile counts, though it may not be written yet."""
        exposure = await self.of(intent, deployment, liquidating)
        verdict = self._book.assess(intent, exposure)
        match verdict:
            case Approved():
                self._promise(intent)
                self.recent.sent(deployment, intent)
            case Denied(breach=breach) if breach is not None:
                await self.places.breached(deployment, breach, verdict.reason, verdict.message)
        return verdict

    def _promise(self, intent: OrderIntent) -> None:
        """A slice takes its part of what its parent was promised."""
        self._approved[intent.client_order_id] = intent
        parent = self._approved.pop(intent.slice_of, None) if intent.slice_of else None
        if parent is not None and parent.quantity > intent.quantity:
            self._approved[parent.client_order_id] = replace(parent, quantity=parent.quantity - intent.quantity)

    def forget(self, deployments: Iterable[UUID]) -> None:
        """They have nothing under way, and are not traded any more."""
        for each in deployments:
            self._modes.pop(each, None)

    def over(self, client_order_id: str) -> None:
        """An order has come to its end: from the next look on, the books tell what became of it."""
        if client_order_id in self._approved:
            self._over.add(client_order_id)

    async def of(self, intent: OrderIntent, deployment: Deployment, liquidating: bool) -> Exposure:
        """Of a deployment as it is now. Nothing is awaited after the last look at what is on its way, nor between that
        and the verdict."""
        ports = self._ports
        for name in self._over:
            self._approved.pop(name, None)
        self._over.clear()
        self._modes[deployment.id] = deployment.mode
        before = list(self._under_way())
        (deployment, account), limits, board = await asyncio.gather(
            ports.blotter.brief(deployment.id),
            ports.risk.limits(deployment.user_id),
            self.newest.of(intent.client_order_id, intent.quoted_at),
        )
        if isinstance(board, Unavailable):
            # What nobody says keeps nobody from selling, nor from buying with nothing at stake.
            if intent.side is Side.BUY and any(position.quantity for position in account.positions.values()):
                raise board
            board = None
        places = self._limited(deployment, limits)
        measured = await self._measured(intent, places, account, board, limits)
        pending: dict[str, OrderIntent | None] = dict(self._approved)
        pending |= {order.intent.client_order_id: _left(order) for order in (*before, *self._under_way())}
        for name in (intent.client_order_id, intent.slice_of or ""):
            pending.pop(name, None)
        others = [(each, self._modes.get(each.deployment_id)) for each in pending.values() if each is not None]
        return Exposure(
            account=account,
            status=deployment.status,
            levels=tuple(
                self._figures(intent, place, bounds, measured[place], others) for place, bounds in places.items()
            ),
            halt=self.halts.halted(intent.user_id, intent.deployment_id, adding=intent.side is Side.BUY),
            terms=ports.terms,
            market=self._market(board, intent.coin),
            reserved=_reserved(intent, (each for each, _ in others), ports.terms),
            repeats=self.recent.repeats(intent),
            liquidating=liquidating,
        )

    def _market(self, board: QuoteBoard | None, coin: str) -> Market:
        if board is None:
            return Market()
        quote = board.quotes.get(coin)
        # A tape that is played has its own time.
        behind = None if self._ports.tape is not None else self._ports.clock.now() - board.time
        if quote is None:
            return Market(board.time, behind=behind)
        return Market(board.time, quote.bid_aud, quote.ask_aud, behind)

    def _limited(self, deployment: Deployment, limits: AccountLimits) -> dict[Place, Bounds]:
        """The levels that limit anything."""
        own: Bounds = deployment.limits
        if deployment.mode is Mode.LIVE and own.quote_age_s is None:
            own = replace(own, quote_age_s=LIVE_QUOTE_AGE_S)
        bounds = (own, limits.bounds, self._ports.platform)
        return {place: each for place, each in zip(Place.all_of(deployment), bounds, strict=True) if each.set()}

    async def _measured(
        self,
        intent: OrderIntent,
        places: Mapping[Place, Bounds],
        account: Account,
        board: QuoteBoard | None,
        limits: AccountLimits,
    ) -> dict[Place, tuple[Holdings, Figures]]:
        """What each level holds and has lost. Of what is only sold nothing is asked but whether it is there."""
        measured: dict[Place, tuple[Holdings, Figures]] = {}
        for place, bounds in places.items():
            if intent.side is Side.SELL:
                measured[place] = Holdings(), Figures(place.level, bounds, ZERO)
                continue
            alone = place.level is Level.DEPLOYMENT
            holdings = holdings_of(account) if alone else await self._ports.risk.holdings(place)
            now = max(board.time, intent.quoted_at) if board else intent.quoted_at
            bids = await self.marks.of(holdings.coins, board, now)
            equity = holdings.equity_aud(bids)
            standing = await self.places.stand(place, equity, holdings.capital_aud, now, limits.zone_of(place.level))
            figures = Figures(
                place.level,
                bounds,
                equity,
                day_result_aud=standing.day_result_aud(equity),
                drawdown=standing.drawdown(equity),
                gross_aud=holdings.worth_aud(bids),
                streak=await self._streak(place, bounds, limits),
            )
            measured[place] = holdings, figures
        return measured

    async def _streak(self, place: Place, bounds: Bounds, limits: AccountLimits) -> Streak:
        if bounds.losses_in_a_row is None and bounds.cool_down_s is None:
            return Streak()
        sales = await self._ports.risk.sales(place, _SALES)
        return Streak.of(sales, int(bounds.losses_in_a_row or 1), bounds.cool_down_s, limits.zone_of(place.level))

    def _figures(
        self,
        intent: OrderIntent,
        place: Place,
        bounds: Bounds,
        measured: tuple[Holdings, Figures],
        others: list[tuple[OrderIntent, Mode | None]],
    ) -> Figures:
        """With what is being bought by others of that level, which counts as if it were filled."""
        holdings, figures = measured
        mine = [each for each, mode in others if each.side is Side.BUY and _is_of(place, each, mode)]
        return replace(
            figures,
            held=holdings.held(intent.coin) + sum((each.quantity for each in mine if each.coin == intent.coin), ZERO),
            gross_aud=figures.gross_aud + sum((each.notional_aud for each in mine), ZERO),
            orders=self.recent.orders(place, intent),
        )


def holdings_of(account: Account) -> Holdings:
    coins = {coin: (position.quantity, position.cost_aud) for coin, position in account.positions.items()}
    held = {coin: each for coin, each in coins.items() if each[0]}
    return Holdings(account.cash_aud, account.deposited_aud, account.deposited_aud, held)


def _left(order: Order) -> OrderIntent | None:
    """What an order on its way may still do, where its limit stands now; at the worse price while it is being moved."""
    left = order.intent.quantity - order.filled_quantity
    price_aud = order.price_aud
    if order.status is OrderStatus.REPLACING:
        price_aud = max(price_aud, order.intent.quote_price_aud)
    return replace(order.intent, quantity=left, quote_price_aud=price_aud) if left > 0 else None


def _is_of(place: Place, intent: OrderIntent, mode: Mode | None) -> bool:
    """An order whose mode is not known yet counts in both."""
    if place.mode is not (mode or place.mode):
        return False
    return place.user_id in (None, intent.user_id) and place.deployment_id in (None, intent.deployment_id)


def _reserved(intent: OrderIntent, others: Iterable[OrderIntent], terms: Terms) -> Reserved:
    cash = coins = ZERO
    for each in others:
        if each.deployment_id == intent.deployment_id and each.side is Side.BUY:
            fee_bps = terms.fee_bps_of(each.kind)
            cash += settle(each.side, each.quantity, each.quote_price_aud, fee_bps).total_aud
        elif each.deployment_id == intent.deployment_id and each.coin == intent.coin:
            coins += each.quantity
    return Reserved(cash, coins)
