"""What a trader trades on in a backtest: a tape, a risk book, and an account at a paper venue.

Everything else of a floor is missing on purpose: no journal, no clock, nothing to wait for, and nobody dies.
"""

from collections import deque
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from math import isnan

import numpy as np

from omc.backtest.execution import slipped
from omc.backtest.kernel import SELL
from omc.backtest.market import Market
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, TimeArray, read_only
from omc.market.money import ZERO, from_grid
from omc.market.quote import Quote, QuoteBoard
from omc.portfolio.account import Account
from omc.risk.book import RiskBook
from omc.risk.exposure import Exposure, Figures, Level
from omc.risk.limits import Limits
from omc.risk.standing import Standing
from omc.risk.verdict import Denied
from omc.trading import outcome
from omc.trading.blotter import TraderMemory
from omc.trading.deployment import DeploymentStatus
from omc.trading.dialogue import (
    Command,
    Decide,
    Halt,
    IntentDenied,
    OrderEnded,
    QuotesArrived,
    Submit,
    WeightsDecided,
)
from omc.trading.exits import Reason
from omc.trading.fill import Side
from omc.trading.mandate import Mandate
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.paper.exchange import MemoryAccount
from omc.trading.paper.venue import PaperVenue, Span
from omc.trading.quiet import Stretch
from omc.trading.trader import Trader


class Stage:
    """One trader, one risk book, one account at one venue, and what they did: `orders`, `curves` of equity and cash."""

    def __init__(
        self,
        mandate: Mandate,
        times: TimeArray,
        market: Market,
        weights: FloatArray,
        cash_aud: Decimal,
        limits: Limits,
        slippage_bps: float = 0.0,
    ) -> None:
        high, low = (market.bid if each is None else each for each in (market.high, market.low))
        prices = (market.bid, market.ask, high, low, market.close, weights)
        self.stretch = Stretch(times, *(read_only(each) for each in prices))
        self.trader = Trader(mandate, TraderMemory(), Account.opened_with(cash_aud))
        self.curves = np.empty((2, len(times)))
        self.orders: list[Order] = []
        self._mandate = mandate
        self._limits = limits
        self._book = RiskBook()
        self._slippage_bps = slippage_bps
        # An order is large enough at the price that it was sized on; what it slips to does not send it back.
        terms = replace(mandate.terms, min_order_aud=ZERO) if slippage_bps else mandate.terms
        self._paper = PaperVenue(terms, mandate.coins)
        self._paper.open_account(str(mandate.deployment_id), cash_aud)
        self._venue = MemoryAccount(self._paper, str(mandate.deployment_id))
        self._shown = -1
        self._cash_aud = cash_aud
        self._day: date | None = None
        self._first = self._seen = 0
        self._peak = float(cash_aud)

    def play(self, row: int) -> None:
        """One bar, from its quotes to the trader's next wishes."""
        bars, trader = self.stretch, self.trader
        time = bars.time(row)
        todo: deque[Command] = deque(
            trader.handle(
                QuotesArrived(time, bars.bid[row], bars.ask[row], bars.high[row], bars.low[row], bars.close[row])
            )
        )
        while todo:
            match todo.popleft():
                case Submit(intent):
                    todo += trader.handle(self._carry_out(intent, row))
                case Decide():
                    todo += trader.handle(WeightsDecided(time, bars.weights[row]))
                case Halt(reason):
                    raise InvalidInput(f"row {row}: {reason}")
        self.curves[:, row] = trader.worth_aud, float(trader.account.cash_aud)

    def _carry_out(self, intent: OrderIntent, row: int) -> OrderEnded | IntentDenied:
        """What the floor's risk desk does with an intent, as far as nothing is stored, lost or awaited."""
        if row != self._shown:
            self._show(row, intent.quoted_at)
        intent = self._slip(intent, row)
        order = Order(intent)
        verdict = self._book.assess(intent, self._exposure(intent, row))
        if isinstance(verdict, Denied):
            self.orders.append(verdict.of(order))
            return IntentDenied(verdict)
        order = outcome.placed(order.become(OrderStatus.SUBMITTED), self._venue.take(verdict))
        self.orders.append(order)
        return OrderEnded(order)

    def _slip(self, intent: OrderIntent, row: int) -> OrderIntent:
        """A sale at the price that it gets: only a profit that is taken inside a bar was waited for at its price."""
        if not self._slippage_bps or intent.side is Side.BUY:
            return intent
        bid, price = self.stretch.bid[row, self._mandate.coins.index(intent.coin)], float(intent.quote_price_aud)
        if price != bid and intent.reason.startswith(Reason.TAKE_PROFIT.name.lower()):
            return intent
        return replace(intent, quote_price_aud=from_grid(slipped(SELL, price, self._slippage_bps, 1)))

    def _show(self, row: int, time: datetime) -> None:
        """The bar, to the venue: it is asked only about bars in which somebody trades."""
        bars, self._shown = self.stretch, row
        quotes, spans = {}, {}
        for c, coin in enumerate(self._mandate.coins):
            bid, ask, high, low = (float(each[row, c]) for each in (bars.bid, bars.ask, bars.high, bars.low))
            if isnan(bid):
                continue
            inside = low != bid or high != bid
            if self._slippage_bps:
                bid, low = (slipped(SELL, price, self._slippage_bps, 1) for price in (bid, low))
            price = from_grid(bid)
            quotes[coin] = Quote(coin, price, price if ask == bid else from_grid(ask), price)
            if inside:
                spans[coin] = Span(from_grid(low), from_grid(high))
        self._paper.show(QuoteBoard(time, quotes), spans)

    def _exposure(self, intent: OrderIntent, row: int) -> Exposure:
        """Of a deployment alone, whose days are those of UTC. What the floor halts until somebody resets it is halted
        here until the next day, or for as long as it is lost."""
        account, limits = self.trader.account, self._limits
        if intent.side is Side.SELL:
            return Exposure.alone(account, limits, DeploymentStatus.ACTIVE, ZERO)
        equity = account.equity_aud(self._last_bids(row))
        standing = self._standing(intent.quoted_at.date(), row).at(intent.quoted_at.date(), equity, self._cash_aud)
        figures = Figures(
            Level.DEPLOYMENT,
            limits,
            equity,
            day_result_aud=standing.day_result_aud(equity),
            drawdown=standing.drawdown(equity),
            held=account.position(intent.coin).quantity,
            gross_aud=equity - account.cash_aud,
        )
        return Exposure(account, DeploymentStatus.ACTIVE, (figures,), terms=self._mandate.terms)

    def _last_bids(self, row: int) -> dict[str, Decimal]:
        """Of each coin that is quoted now, and of held ones as the floor carries them on: AUD for one."""
        known = {coin: quote.bid_aud for coin, quote in self._paper.board.quotes.items()}
        for c, coin in enumerate(self._mandate.coins):
            at = row if self.trader.account.position(coin).quantity else -1
            while coin not in known and at >= 0:
                if not isnan(bid := float(self.stretch.bid[at, c])):
                    known[coin] = from_grid(bid)
                at -= 1
        return known

    def _standing(self, day: date, row: int) -> Standing:
        """What losses are measured from on `day`: equity after the last bar of the day before, and the highest until
        `row`."""
        if day != self._day:
            self._day = day
            self._first = int(np.searchsorted(self.stretch.times, np.datetime64(day, "us")))
        self._peak = max([self._peak, *self.curves[0, self._seen : row].tolist()])
        self._seen = row
        opening = from_grid(float(self.curves[0, self._first - 1])) if self._first else self._cash_aud
        return Standing(day, opening, from_grid(self._peak), self._cash_aud)
