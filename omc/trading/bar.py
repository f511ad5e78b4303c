"""One bar as a trader goes through it: what each coin's turn asks for, and what becomes of what is held."""

from collections.abc import Sequence
from math import isnan, nan
from typing import NamedTuple

from omc.market.money import from_grid
from omc.portfolio.account import Account
from omc.trading.blotter import Rebalance, TraderMemory
from omc.trading.dialogue import QuotesArrived
from omc.trading.exit_fills import gain_at, leaves_at_open, leaves_inside
from omc.trading.exits import Reason
from omc.trading.fill import Side
from omc.trading.mandate import Mandate
from omc.trading.order import Order, OrderStatus, Turn
from omc.trading.refusal import named
from omc.trading.sizing import is_dust, quantity_to_buy, quantity_to_sell

LONG = 1.0


class Wish(NamedTuple):
    """An order that a coin's turn asks for."""

    quantity: float
    price_aud: float
    reason: str


class Bar:
    """`memory` is as it was before the bar's first order, with an age for exactly what was held then."""

    def __init__(self, mandate: Mandate, memory: TraderMemory, quotes: QuotesArrived) -> None:
        self._mandate = mandate
        self._memory = memory
        self.quotes = quotes
        self.traded = False
        self.exits: dict[int, str] = {}
        """Why coins were to leave in this bar, by column."""
        self.opened: dict[int, float] = {}
        """The prices of what was opened in this bar, by column."""
        self.undone: dict[int, str] = {}
        """What kept the last order of a coin from being filled whole, by column."""
        self._trails: dict[int, float] = {}
        """Where looking inside the bar left trailing stops, by column."""

    def wish(self, turn: Turn, at: int, account: Account, rebalance: Rebalance) -> Wish | None:
        """What a coin's turn asks for; it has to be asked once, in its turn, for only then is the answer right."""
        match turn:
            case Turn.SALE:
                wish = self._sale(at, account, rebalance)
            case Turn.EXIT_AT_OPEN:
                wish = self._exit_at_open(at, account)
            case Turn.PURCHASE:
                wish = self._purchase(at, account, rebalance)
            case Turn.EXIT:
                wish = self._exit_inside(at, account)
        if wish is not None:
            self.ask(turn, at, wish.reason)
        return wish

    def ask(self, turn: Turn, at: int, reason: str) -> None:
        """Note that an order was asked for."""
        self.traded = True
        if turn in (Turn.EXIT_AT_OPEN, Turn.EXIT):
            self.exits[at] = reason

    def _sale(self, at: int, account: Account, rebalance: Rebalance) -> Wish | None:
        mandate, weight, held = self._mandate, rebalance.targets[at], held_of(account, self._mandate.coins[at])
        if weight is None or not held:
            return None
        worth, bid = rebalance.equity_aud, float(self.quotes.bid[at])
        quantity = quantity_to_sell(weight, worth, held, bid, mandate.rebalance_band, mandate.least_aud)
        if not quantity:
            return None
        leaving = self._memory.leaving[at] if self._memory.leaving and weight == 0.0 else None
        return Wish(quantity, bid, f"{leaving}; the rest of it" if leaving else _towards(weight, worth))

    def _purchase(self, at: int, account: Account, rebalance: Rebalance) -> Wish | None:
        mandate, weight = self._mandate, rebalance.targets[at]
        if not weight or at in self.exits:
            return None
        worth, ask = rebalance.equity_aud, float(self.quotes.ask[at])
        quantity = quantity_to_buy(
            weight,
            worth,
            held_of(account, mandate.coins[at]),
            float(self.quotes.bid[at]),
            ask,
            mandate.fees_bps[at],
            float(account.cash_aud),
            mandate.rebalance_band,
            mandate.least_aud,
        )
        return Wish(quantity, ask, _towards(weight, worth)) if quantity > 0.0 else None

    def _exit_at_open(self, at: int, account: Account) -> Wish | None:
        """Of a coin that was held before this bar."""
        age = self._age(at)
        if age == 0 or not self._may_leave(at, account):
            return None
        bid, opening = float(self.quotes.bid[at]), self._opening(at, account)
        levels, _, _ = self._mandate.exits.rules
        price, reason = leaves_at_open(levels, LONG, opening, age, self._trail(at), nan, nan, bid)
        return self._leave(at, account, price, reason)

    def _exit_inside(self, at: int, account: Account) -> Wish | None:
        if at in self.exits or not self._may_leave(at, account):
            return None
        price, reason = self._look_inside(at, account)
        return self._leave(at, account, price, reason)

    def _may_leave(self, at: int, account: Account) -> bool:
        if not self._mandate.exits.any or isnan(self.quotes.bid[at]):
            return False
        return held_of(account, self._mandate.coins[at]) > 0.0

    def _look_inside(self, at: int, account: Account) -> tuple[float, int]:
        """What closes a coin inside the bar, if anything; where that leaves its trailing stop is noted."""
        quotes, bid, age = self.quotes, float(self.quotes.bid[at]), self._age(at)
        levels, ages, gains = self._mandate.exits.rules
        price, reason, self._trails[at] = leaves_inside(
            levels,
            *gain_at(ages, gains, age),
            LONG,
            self._opening(at, account),
            age,
            self._trail(at),
            nan,
            nan,
            bid,
            bid if quotes.high is None else float(quotes.high[at]),
            bid if quotes.low is None else float(quotes.low[at]),
        )
        return price, reason

    def _leave(self, at: int, account: Account, price: float, reason: int) -> Wish | None:
        """Everything is sold, if that is enough for the venue."""
        if isnan(price):
            return None
        held = held_of(account, self._mandate.coins[at])
        quantity = quantity_to_sell(0.0, 0.0, held, price, 0.0, self._mandate.least_aud)
        if not quantity:
            return None
        at_price, opened = from_grid(price), from_grid(self._opening(at, account))
        return Wish(quantity, price, f"{Reason(reason).name.lower()} at {at_price:f}, opened at {opened:f}")

    def count(self, at: int, order: Order, before: Account) -> None:
        """Note what an order that has ended opened, on nothing or on dust."""
        if order.intent.side is not Side.BUY or not order.fills:
            return
        price = float(order.intent.quote_price_aud)
        if is_dust(held_of(before, order.intent.coin), price, self._mandate.least_aud):
            self.opened[at] = price

    def after(self, account: Account, targets: Sequence[float]) -> TraderMemory:
        """What is to be remembered when the bar is over and `targets` are decided, but for what is kept out."""
        ages: list[int | None] = []
        trails: list[float | None] = []
        openings: list[float | None] = []
        leaving: list[str | None] = []
        for at, coin in enumerate(self._mandate.coins):
            if not held_of(account, coin):
                for each in (ages, trails, openings, leaving):
                    each.append(None)
                continue
            if at not in self._trails and self._may_leave(at, account):
                # Its turn was before a restart, or came to nothing.
                self._look_inside(at, account)
            trail = self._trails.get(at, self._trail(at))
            before = self._memory.leaving[at] if self._memory.leaving else None
            ages.append(self._age(at))
            trails.append(None if isnan(trail) else trail)
            openings.append(self._opening(at, account))
            leaving.append(self.exits.get(at, before) if targets[at] == 0.0 else None)
        return TraderMemory(
            self.quotes.time,
            self.quotes.time,
            tuple(targets),
            ages=tuple(ages),
            trails=tuple(trails),
            openings=tuple(openings),
            leaving=tuple(leaving),
            heard=self._memory.heard,
        )

    def fell_short(self, at: int, order: Order) -> None:
        """Note why an order that has ended was not filled whole, when there is a word on it."""
        self.undone.pop(at, None)
        if order.left and order.message:
            rejected = order.status is OrderStatus.REJECTED
            self.undone[at] = f"{named(order.message)}: {order.message}" if rejected else order.message

    def why(self, at: int, wants: str, out: bool, account: Account) -> str:
        """What came of what the algorithm wants, when something came between: `out` says that the coin is kept out."""
        if at in self.undone:
            wants = f"{wants}; the last order was not filled whole: {self.undone[at]}"
        if at in self.exits:
            left = not held_of(account, self._mandate.coins[at])
            return f"{'out' if left else 'not out yet'} by {self.exits[at]}; {wants}"
        return f"kept out after its exit; {wants}" if out else wants

    def _opening(self, at: int, account: Account) -> float:
        known = self.opened.get(at, self._memory.openings[at] if self._memory.openings else None)
        return float(account.positions[self._mandate.coins[at]].opening_price_aud or nan) if known is None else known

    def _age(self, at: int) -> int:
        """Bars since a coin's opening: 0 for what is bought in this one."""
        age = self._memory.ages[at] if self._memory.ages and at not in self.opened else None
        return 0 if age is None else age + 1

    def _trail(self, at: int) -> float:
        trail = self._memory.trails[at] if self._memory.trails and at not in self.opened else None
        return nan if trail is None else trail


def held_of(account: Account, coin: str) -> float:
    position = account.positions.get(coin)
    return float(position.quantity) if position is not None else 0.0


def _towards(weight: float, worth: float) -> str:
    return f"towards {weight:.4f} of {worth:.2f} AUD"
