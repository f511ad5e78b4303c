"""An exchange in memory: CoinSpot's accounts, orders and arithmetic, against quotes and a time that are handed in.

It is the twin behind tests, replay and the sandbox exchange. Instant orders trade against the house at its quote.
Market orders are limits: one that reaches the other side's quote fills there at once, the rest waits on the book and
fills at its own limit when the quotes come to it. Simplifications, all of them stated: one quote serves both kinds of
order; the book is as deep as `depth_aud` a coin, side and bar, without limit when that is None; customers do not trade
with each other, and their orders never move a quote. A refusal is VenueRefused and changes nothing.

Where bars are candles, the quotes are those at a bar's open and `spans` say how far each price went in it: resting
limits within are filled, and stops and targets that worked through the bar trade at their own price, or not at all.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from omc.errors import InvalidInput, Unavailable, VenueRefused
from omc.market.money import ZERO, cents, eight_places, floor_eight_places
from omc.market.quote import Quote, QuoteBoard
from omc.market.terms import BPS, OrderKind, Terms
from omc.trading.fill import Side
from omc.trading.paper.order import Execution, Protection, RestingOrder, Swapped, Unit
from omc.trading.paper.wallet import PaperWallet
from omc.trading.settlement import Settlement, settle

LARGEST_AUD = Decimal(90_000_000)
"""Of a deposit or an order's value: beyond it Decimal's 28 digits would not be exact."""


@dataclass(frozen=True, slots=True)
class InstantQuote:
    """What an instant order would do now. `rate` is cash a coin, fee included."""

    quantity: Decimal
    price_aud: Decimal
    settlement: Settlement

    @property
    def rate(self) -> Decimal:
        return eight_places(self.settlement.total_aud / self.quantity)


@dataclass(frozen=True, slots=True)
class SwapQuote:
    """What a swap would do now. `rate` is coins bought for one coin sold, before the fee."""

    bought: Decimal
    rate: Decimal
    settlement: Settlement


@dataclass(frozen=True, slots=True)
class Span:
    """How far a coin's price went in a bar."""

    low_aud: Decimal
    high_aud: Decimal


class PaperVenue:
    """`coins` are those that the venue knows of, quoted at the moment or not. `run`, six hexadecimal digits, is part of
    every order's id: a venue that is started anew on the same tape must not give out the same ids again."""

    def __init__(
        self, terms: Terms, coins: Iterable[str] = (), depth_aud: Decimal | None = None, run: str = "000000"
    ) -> None:
        self.terms = terms
        self._run = run
        self.coins = frozenset(coins)
        self._depth_aud = depth_aud
        self._depth_used: dict[tuple[str, Side], Decimal] = {}
        self._thinned_aud: Decimal | None = None
        self._wallets: dict[str, PaperWallet] = {}
        self._board: QuoteBoard | None = None
        self._spans: Mapping[str, Span] = {}
        self._orders_taken = 0
        self.executions: list[Execution] = []
        """Everybody's, oldest first."""

    # Quotes and time

    def show(self, board: QuoteBoard, spans: Mapping[str, Span] | None = None) -> None:
        """The next quotes. Resting orders that they, or the bar's `spans`, reach are filled, the oldest first."""
        self._board, self._spans = board, spans or {}
        if not board.quotes.keys() <= self.coins:
            self.coins |= board.quotes.keys()
        self._depth_used.clear()
        for order in self.resting():
            quote = board.quotes.get(order.coin)
            if quote and (_reaches(order.side, order.price_aud, quote) or self._traded_at(order.coin, order.price_aud)):
                self._execute(order, order.price_aud)

    @property
    def board(self) -> QuoteBoard:
        if self._board is None:
            raise Unavailable("the venue has no quotes yet")
        return self._board

    @property
    def time(self) -> datetime:
        return self.board.time

    def quote(self, coin: str) -> Quote:
        quote = self.board.quotes.get(coin)
        if quote is None:
            raise VenueRefused("No price for this coin at the moment" if coin in self.coins else "Coin not found")
        return quote

    # Accounts

    def open_account(self, name: str, cash_aud: Decimal) -> PaperWallet:
        """The account of that name; it is opened with `cash_aud` the first time, and only then."""
        if name not in self._wallets:
            if not cash_aud.is_finite() or not ZERO <= cash_aud <= LARGEST_AUD or cash_aud != cents(cash_aud):
                raise InvalidInput(f"an account opens with whole cents from 0 to {LARGEST_AUD}, not {cash_aud}")
            self._wallets[name] = PaperWallet(cash_aud)
        return self._wallets[name]

    def wallet(self, account: str) -> PaperWallet:
        if account not in self._wallets:
            raise VenueRefused("No such account")
        return self._wallets[account]

    # Instant orders

    def quote_now(self, side: Side, coin: str, amount: Decimal, unit: Unit) -> InstantQuote:
        """What `amount` coins, or `amount` AUD (paid in all when buying, worth at the bid when selling) would do."""
        quote, fee = self.quote(coin), self.terms.instant_fee_bps
        price = quote.ask_aud if side is Side.BUY else quote.bid_aud
        if unit is Unit.COIN:
            quantity = _checked(amount, 8, "amount")
        else:
            each = price * (BPS + fee) / BPS if side is Side.BUY else price
            quantity = floor_eight_places(_checked(amount, 2, "amount") / each)
        self._check_value(quantity * price if unit is Unit.COIN else amount)
        if not quantity:
            raise VenueRefused("Amount is too small")
        return InstantQuote(quantity, price, settle(side, quantity, price, fee))

    def trade_now(
        self, account: str, side: Side, coin: str, *, amount: Decimal, unit: Unit, protection: Protection | None = None
    ) -> Execution:
        """Buy from or sell to the house at once."""
        now = self.quote_now(side, coin, amount, unit)
        if protection:
            protection.check(now.rate)
        wallet = self.wallet(account)
        wallet.need(*(("AUD", now.settlement.total_aud) if side is Side.BUY else (coin, now.quantity)))
        order_id = self._next_id()
        execution = Execution(
            execution_id=f"{order_id}-1",
            order_id=order_id,
            account=account,
            coin=coin,
            side=side,
            kind=OrderKind.INSTANT,
            quantity=now.quantity,
            price_aud=now.price_aud,
            settlement=now.settlement,
            executed_at=self.time,
        )
        self._record(execution)
        return execution

    def quote_swap(self, coin: str, other: str, amount: Decimal) -> SwapQuote:
        """What `amount` of `coin` would fetch in `other`; one fee is paid, on the sale."""
        if coin == other:
            raise VenueRefused("Cannot swap a coin for itself")
        sold, ask = self.quote_now(Side.SELL, coin, amount, Unit.COIN), self.quote(other).ask_aud
        bought = floor_eight_places(sold.settlement.total_aud / ask)
        if not bought:
            raise VenueRefused("Amount is too small")
        return SwapQuote(bought, eight_places(sold.price_aud / ask), sold.settlement)

    def swap_now(
        self, account: str, coin: str, other: str, *, amount: Decimal, protection: Protection | None = None
    ) -> Execution:
        """Sell `coin` and be paid in `other`."""
        now = self.quote_swap(coin, other, amount)
        if protection:
            protection.check(now.rate)
        self.wallet(account).need(coin, amount)
        order_id = self._next_id()
        execution = Execution(
            execution_id=f"{order_id}-1",
            order_id=order_id,
            account=account,
            coin=coin,
            side=Side.SELL,
            kind=OrderKind.INSTANT,
            quantity=amount,
            price_aud=self.quote(coin).bid_aud,
            settlement=now.settlement,
            executed_at=self.time,
            swapped=Swapped(other, now.bought),
        )
        self._record(execution)
        return execution

    def is_inside(self, side: Side, coin: str, price_aud: Decimal) -> bool:
        """Whether an order at that price is not one for the open of a candle, but a stop or a target inside it."""
        if coin not in self._spans:
            return False
        quote = self.quote(coin)
        return price_aud != (quote.ask_aud if side is Side.BUY else quote.bid_aud)

    def trade_inside(self, account: str, side: Side, coin: str, *, quantity: Decimal, price_aud: Decimal) -> Execution:
        """What a stop or a target did that worked through the bar: all of `quantity` at exactly `price_aud`, and
        refused where nothing was traded at that price."""
        self.quote(coin)
        _checked(quantity, 8, "amount")
        _checked(price_aud, 8, "rate")
        self._check_value(quantity * price_aud)
        if not self._traded_at(coin, price_aud):
            raise VenueRefused("Nothing was traded at that price")
        kind = self.terms.kind(coin)
        settlement = settle(side, quantity, price_aud, self.terms.fee_bps_of(kind))
        self.wallet(account).need(*(("AUD", settlement.total_aud) if side is Side.BUY else (coin, quantity)))
        order_id = self._next_id()
        execution = Execution(
            execution_id=f"{order_id}-1",
            order_id=order_id,
            account=account,
            coin=coin,
            side=side,
            kind=kind,
            quantity=quantity,
            price_aud=price_aud,
            settlement=settlement,
            executed_at=self.time,
        )
        self._record(execution)
        return execution

    # Market orders

    def place(self, account: str, side: Side, coin: str, *, quantity: Decimal, price_aud: Decimal) -> RestingOrder:
        """A limit order: filled at once as far as the quote reaches it, and resting beyond. It is returned as it was
        taken, before any fill."""
        if coin not in self.terms.market_coins:
            raise VenueRefused("Invalid market" if coin in self.coins else "Coin not found")
        self.quote(coin)
        _checked(quantity, 8, "amount")
        _checked(price_aud, 8, "rate")
        self._check_value(quantity * price_aud)
        held = self._hold(side, quantity, price_aud)
        wallet = self.wallet(account)
        wallet.need(*(("AUD", held) if side is Side.BUY else (coin, quantity)))
        order = RestingOrder(
            order_id=self._next_id(),
            account=account,
            coin=coin,
            side=side,
            quantity=quantity,
            price_aud=price_aud,
            held_aud=held,
            created_at=self.time,
        )
        self._work(order)
        return order

    def edit(
        self, account: str, side: Side, order_id: str, *, price_aud: Decimal, new_price_aud: Decimal
    ) -> RestingOrder:
        """Move an open order from its rate to another; it may fill at once there."""
        wallet, order = self.wallet(account), self._own(account, side, order_id)
        if price_aud != order.price_aud:
            raise VenueRefused("The rate is not this order's rate")
        _checked(new_price_aud, 8, "newrate")
        self._check_value(order.quantity * new_price_aud)
        held = self._hold(side, order.quantity, new_price_aud)
        if side is Side.BUY:
            wallet.need("AUD", held - order.held_aud)
        moved = replace(order, price_aud=new_price_aud, held_aud=held)
        self._work(moved)
        return moved

    def cancel(self, account: str, side: Side, order_id: str) -> None:
        self._own(account, side, order_id)
        del self.wallet(account).orders[order_id]

    def cancel_all(self, account: str, side: Side, coin: str | None = None) -> int:
        """How many were cancelled."""
        orders = self.wallet(account).orders
        gone = [each.order_id for each in orders.values() if each.side is side and coin in (None, each.coin)]
        for order_id in gone:
            del orders[order_id]
        return len(gone)

    def deep(self, coin: str, side: Side) -> tuple[Decimal, Decimal]:
        """The price that a market order of that side would trade at now, and how many coins are to be had there."""
        quote = self.quote(coin)
        price = quote.ask_aud if side is Side.BUY else quote.bid_aud
        left = LARGEST_AUD if self._depth_aud is None else self._depth_aud - self._depth_used.get((coin, side), ZERO)
        return price, floor_eight_places(max(left, ZERO) / price)

    def resting(self) -> Sequence[RestingOrder]:
        """Everybody's open orders, oldest first."""
        return sorted(
            (order for wallet in self._wallets.values() for order in wallet.orders.values()),
            key=lambda order: order.order_id,
        )

    @contextmanager
    def thinned(self, left_aud: Decimal) -> Iterator[None]:
        """Meanwhile, books that hold `left_aud` at their quotes and no more."""
        former, self._thinned_aud = self._thinned_aud, left_aud
        try:
            yield
        finally:
            self._thinned_aud = former

    # Inside

    def _traded_at(self, coin: str, price: Decimal) -> bool:
        span = self._spans.get(coin)
        return span is not None and span.low_aud <= price <= span.high_aud

    def _own(self, account: str, side: Side, order_id: str) -> RestingOrder:
        order = self.wallet(account).orders.get(order_id)
        if order is None or order.side is not side:
            raise VenueRefused("Order not found")
        return order

    def _work(self, order: RestingOrder) -> None:
        """Put an order on the book, and fill it at the quote as far as it reaches."""
        self.wallet(order.account).orders[order.order_id] = order
        quote = self.board.quotes.get(order.coin)
        if quote and _reaches(order.side, order.price_aud, quote):
            self._execute(order, quote.ask_aud if order.side is Side.BUY else quote.bid_aud)

    def _execute(self, order: RestingOrder, price: Decimal) -> None:
        wallet = self.wallet(order.account)
        quantity = min(order.quantity, self._depth(order, price))
        if not quantity:
            return
        settlement = settle(order.side, quantity, price, self.terms.market_fee_bps)
        left = order.quantity - quantity
        held = self._hold(order.side, left, order.price_aud) if left else ZERO
        free = wallet.available("AUD") + order.held_aud
        del wallet.orders[order.order_id]
        if order.side is Side.BUY and settlement.total_aud > free:
            # Every partial fill is rounded to cents on its own: after several, the last cent may be missing.
            return
        number = order.filled + 1
        execution = Execution(
            execution_id=f"{order.order_id}-{number}",
            order_id=order.order_id,
            account=order.account,
            coin=order.coin,
            side=order.side,
            kind=OrderKind.MARKET,
            quantity=quantity,
            price_aud=price,
            settlement=settlement,
            executed_at=self.time,
        )
        self._record(execution)
        self._use_depth(execution)
        if left and (order.side is Side.SELL or settlement.total_aud + held <= free):
            wallet.orders[order.order_id] = replace(order, quantity=left, held_aud=held, filled=number)

    def _depth(self, order: RestingOrder, price: Decimal) -> Decimal:
        """How much the book still gives at `price` in this bar."""
        left = self._thinned_aud
        if self._depth_aud is not None:
            rest = max(self._depth_aud - self._depth_used.get((order.coin, order.side), ZERO), ZERO)
            left = rest if left is None else min(left, rest)
        return order.quantity if left is None else floor_eight_places(left / price)

    def _use_depth(self, execution: Execution) -> None:
        at = (execution.coin, execution.side)
        self._depth_used[at] = self._depth_used.get(at, ZERO) + execution.quantity * execution.price_aud

    def _hold(self, side: Side, quantity: Decimal, price: Decimal) -> Decimal:
        return settle(side, quantity, price, self.terms.market_fee_bps).total_aud if side is Side.BUY else ZERO

    def _check_value(self, value_aud: Decimal) -> None:
        # In whole cents: a backtest compares floats, and a venue stricter in the last bit would refuse its orders.
        if cents(value_aud) < self.terms.min_order_aud:
            raise VenueRefused(f"Amount is below the minimum of {self.terms.min_order_aud} AUD")
        if value_aud > LARGEST_AUD:
            raise VenueRefused(f"Amount is above the maximum of {LARGEST_AUD} AUD")

    def _record(self, execution: Execution) -> None:
        self.wallet(execution.account).book(execution)
        self.executions.append(execution)

    def _next_id(self) -> str:
        """24 hexadecimal digits that rise with time, as CoinSpot's do."""
        self._orders_taken += 1
        return f"{int(self.time.timestamp()):08x}{self._run}{self._orders_taken:010x}"


def _reaches(side: Side, price: Decimal, quote: Quote) -> bool:
    return price >= quote.ask_aud if side is Side.BUY else price <= quote.bid_aud


def _checked(value: Decimal, places: int, name: str) -> Decimal:
    """`value`, when it is a positive number of at most `places` decimals."""
    if not value.is_finite() or value <= 0:
        raise VenueRefused(f"Invalid {name}")
    if value > 10**15 or value != value.quantize(Decimal(1).scaleb(-places)):
        raise VenueRefused(f"Invalid {name}: at most {places} decimals")
    return value
