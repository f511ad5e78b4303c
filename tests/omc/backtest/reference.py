"""The order of events once more: slow, plain, with the books in Decimal as the floor keeps them.

Written from `docs/concepts/fills.md` and from nothing else: it shares no arithmetic with the kernel. Where the rules
speak of floats (how much is wanted for a weight), it uses Python's; wherever money or coins move, decimals.
"""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from math import floor, inf, isinf, isnan, nan
from typing import NamedTuple

from omc.backtest.cost import Costs
from omc.backtest.market import Market
from omc.backtest.orders import Orders
from omc.feature.frame import FloatArray
from omc.trading.exits import Exits

UNIT = Decimal("0.00000001")
MOST_COINS = 20_000_000.0


class Trade(NamedTuple):
    row: int
    coin: int
    side: int
    quantity: Decimal
    total: Decimal
    price: Decimal
    reason: str


class Bar(NamedTuple):
    bid: float
    ask: float
    high: float
    low: float
    close: float
    volume: float

    @property
    def quoted(self) -> bool:
        return not isnan(self.bid)


@dataclass
class Coin:
    fee: int
    held: Decimal = Decimal(0)
    mark: float = nan
    opening: float = nan
    opened: int = 0
    trail: float = nan
    stop: float = nan
    take: float = nan
    bracket: tuple[float, float] = (nan, nan)
    """Stop and take that the next opening gets."""
    target: float = nan
    limit: float = nan
    trigger: float = nan
    volume_left: float = inf
    out: bool = False
    ready: bool = False
    unfinished: bool = False
    leaving: str = "SIGNAL"
    """Why what is left of it leaves."""

    @property
    def sign(self) -> int:
        return (self.held > 0) - (self.held < 0)


def on_grid(price: float) -> float:
    return round(price * 1e8) / 1e8


def decimal(value: float) -> Decimal:
    return Decimal(round(value * 1e8)) * UNIT


def total(side: int, quantity: Decimal, price: float, fee: int) -> Decimal:
    gross = quantity * decimal(price) * (10_000 + side * fee) / 10_000
    return gross.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass
class Reference:
    market: Market
    decisions: FloatArray | Orders
    costs: Costs
    cash: Decimal
    exits: Exits
    close_at_end: bool = False
    trades: list[Trade] = field(default_factory=list)
    equity: list[float] = field(default_factory=list)
    cash_curve: list[Decimal] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.coins = [Coin(int(fee)) for fee in self.costs.fee_bps]
        self.rows = self.market.bid.shape[0]

    # What is known

    def bar(self, t: int, c: int) -> Bar:
        market = self.market
        bid = float(market.bid[t, c])
        high = bid if market.high is None else float(market.high[t, c])
        low = bid if market.low is None else float(market.low[t, c])
        volume = nan if market.volume is None else float(market.volume[t, c])
        return Bar(bid, float(market.ask[t, c]), high, low, float(market.close[t, c]), volume)

    def worth(self) -> float:
        worth = float(self.cash)
        for coin in self.coins:
            if coin.held and not isnan(coin.mark):
                worth += float(coin.held) * coin.mark
        return worth

    # A day's work

    def play(self) -> "Reference":
        for t in range(self.rows):
            last = self.close_at_end and t == self.rows - 1
            bars = [self.bar(t, c) for c in range(len(self.coins))]
            for coin, bar in zip(self.coins, bars, strict=True):
                coin.mark = bar.bid if bar.quoted else coin.mark
                if not isinf(self.costs.volume_share):
                    coin.volume_left = floor(max(self.costs.volume_share * bar.volume, 0.0) * 1e8) / 1e8
            self.carry_out(t, bars, bars, last=last, exits=True)
            worth = self.worth_at_open
            for c, bar in enumerate(bars):
                if bar.quoted:
                    self.inside(t, c, bar, worth, last=last)
            if self.costs.short and self.at_worst(bars) <= 0:
                return self.ruined(t, bars)
            if last:
                for c, bar in enumerate(bars):
                    self.close_out(t, c, self.first_price(self.coins[c], bar), "END")
            for coin, bar in zip(self.coins, bars, strict=True):
                coin.mark = coin.mark if isnan(bar.close) else bar.close
            for c in range(len(self.coins)):
                self.decide(t, c)
            if isinstance(self.decisions, Orders) and self.decisions.at_close and not last:
                closing = [bar._replace(bid=bar.close, ask=self.dear(bar.close, bar)) for bar in bars]
                self.carry_out(t, closing, bars, last=False, exits=False)
            self.equity.append(self.worth())
            self.cash_curve.append(self.cash)
        return self

    def carry_out(self, t: int, prices: list[Bar], bars: list[Bar], *, last: bool, exits: bool) -> None:
        self.worth_at_open = worth = self.worth()
        for coin, bar in zip(self.coins, prices, strict=True):
            self.look(coin, bar, worth)
        for c, (coin, bar) in enumerate(zip(self.coins, prices, strict=True)):
            if coin.ready:
                self.reduce(t, c, bar.bid, bar.ask, bar.volume, worth)
        if exits:
            for c, bar in enumerate(bars):
                self.exit_at_open(t, c, bar, worth)
        if not last:
            for c, (coin, bar) in enumerate(zip(self.coins, prices, strict=True)):
                if coin.ready:
                    self.increase(t, c, bar.bid, bar.ask, bar.volume, worth)

    def look(self, coin: Coin, bar: Bar, worth: float) -> None:
        """Whether the coin's order may trade at these prices."""
        coin.ready = False
        if isnan(coin.target) or not bar.quoted:
            return
        if isnan(coin.limit) and isnan(coin.trigger):
            coin.ready = True
            return
        away = coin.target * worth - float(coin.held) * bar.bid
        if away > 0:
            if not isnan(coin.trigger) and bar.ask >= coin.trigger:
                coin.trigger = nan
            coin.ready = isnan(coin.trigger) and (isnan(coin.limit) or bar.ask <= coin.limit)
        elif away < 0:
            if not isnan(coin.trigger) and bar.bid <= coin.trigger:
                coin.trigger = nan
            coin.ready = isnan(coin.trigger) and (isnan(coin.limit) or bar.bid >= coin.limit)

    def decide(self, t: int, c: int) -> None:
        coin, decisions, at = self.coins[c], self.decisions, t - self.costs.latency_bars
        orders = decisions if isinstance(decisions, Orders) else None
        targets = decisions.targets if isinstance(decisions, Orders) else decisions
        weight = float(targets[at, c]) if at >= 0 else nan
        limit, trigger, stop, take = (
            nan if prices is None or at < 0 else float(prices[at, c])
            for prices in ((orders.limits, orders.triggers, orders.stops, orders.takes) if orders else (None,) * 4)
        )
        if isnan(weight):
            coin.out = False
            if coin.held or not isnan(coin.target):
                if not isnan(stop):
                    coin.stop, coin.bracket = stop, (stop, coin.bracket[1])
                if not isnan(take):
                    coin.take, coin.bracket = take, (coin.bracket[0], take)
            return
        if weight == 0:
            coin.out = False
        coin.target = 0.0 if coin.out else weight
        coin.leaving = coin.leaving if coin.target == 0 else "SIGNAL"
        if orders:
            coin.limit, coin.trigger, coin.bracket = limit, trigger, (stop, take)
            if coin.sign * weight > 0:
                coin.stop, coin.take = stop, take

    # How much

    def slipped(self, side: int, quote: float, quantity: float | None, volume: float) -> float:
        slippage = self.costs.slippage
        bps = slippage.bps
        if quantity is not None and slippage.volume_bps > 0:
            bps += slippage.volume_bps * min(quantity / volume, 1.0) if volume > 0 else slippage.volume_bps
        units, step = round(quote * (1 + side * bps / 10_000) * 1e8), round(self.costs.price_step * 1e8)
        units = -(-units // step) * step if side > 0 else units // step * step
        return max(units, 1) / 1e8

    def stepped(self, quantity: float) -> float:
        step = round(self.costs.quantity_step * 1e8)
        return round(quantity * 1e8) // step * step / 1e8

    def capped(self, weight: float, worth: float) -> float:
        limits = self.costs.limits
        weight = min(weight, limits.max_weight)
        return min(weight, limits.max_notional_aud / worth) if worth > 0 else weight

    def to_give_up(self, coin: Coin, goal: float, quote: float, worth: float) -> float:
        held, kept = float(abs(coin.held)), self.capped(max(goal * coin.sign, 0.0), worth)
        if kept <= 0:
            quantity = held
        else:
            excess = held * quote - kept * worth
            if excess <= self.costs.band * worth:
                return 0.0
            quantity = min(floor(excess / quote * 1e8) / 1e8, held)
        return quantity if quantity * quote >= self.costs.min_order_aud else 0.0

    def to_add(self, coin: Coin, goal: float, value: float, price: float, worth: float) -> float:
        held, weight = float(abs(coin.held)), self.capped(abs(goal), worth)
        shortfall = weight * worth - held * value
        if weight <= 0 or shortfall <= self.costs.band * worth:
            return 0.0
        funds = self.cash if goal > 0 else Decimal("Infinity")
        each = price * (10_000 + coin.fee) / 10_000
        quantity = min(floor(min(shortfall, float(funds)) / each * 1e8) / 1e8, on_grid(max(MOST_COINS - held, 0.0)))
        while quantity > 0 and total(1, decimal(quantity), price, coin.fee) > funds:
            quantity = on_grid(quantity - 1e-8)
        return quantity if quantity * price >= self.costs.min_order_aud else 0.0

    def fitting(self, room: float, price: float) -> float:
        return inf if isinf(room) else max(floor(room / price * 1e8) / 1e8, 0.0)

    def room(self, c: int, worth: float) -> float:
        held = [coin for coin in self.coins if coin.held]
        most = self.costs.limits.max_positions
        if not self.coins[c].held and most is not None and len(held) >= most:
            return 0.0
        if self.costs.limits.max_gross >= 1.0 and not self.costs.short:
            return inf
        gross = 0.0
        for coin in held:
            gross += 0.0 if isnan(coin.mark) else float(abs(coin.held)) * coin.mark
        return self.costs.limits.max_gross * worth - gross

    # Trades

    def reduce(self, t: int, c: int, bid: float, ask: float, volume: float, worth: float) -> None:
        coin = self.coins[c]
        if coin.held:
            quote = bid if coin.held > 0 else ask
            coin.unfinished = self.give_up(t, c, coin.target, quote, coin.leaving, isnan(coin.limit), volume, worth)

    def give_up(
        self, t: int, c: int, goal: float, quote: float, reason: str, slips: bool, volume: float, worth: float
    ) -> bool:
        """Whether volume held some of it back."""
        coin = self.coins[c]
        quantity = self.to_give_up(coin, goal, quote, worth)
        fits = min(quantity, coin.volume_left)
        price = self.slipped(-coin.sign, quote, fits, volume) if slips and fits > 0 and not self.costs.plain else quote
        done = self.stepped(fits)
        if done > 0 and done * quote >= self.costs.min_order_aud:
            self.book(t, c, -coin.sign, done, price, reason)
        return fits < quantity

    def increase(self, t: int, c: int, bid: float, ask: float, volume: float, worth: float) -> None:
        coin = self.coins[c]
        unfinished, coin.unfinished = coin.unfinished, False
        if isnan(coin.target):
            return
        if coin.target != 0 and coin.sign * coin.target >= 0:
            unfinished |= self.add(t, c, bid, ask, volume, worth)
        if not unfinished:
            coin.target = coin.limit = coin.trigger = nan

    def add(self, t: int, c: int, bid: float, ask: float, volume: float, worth: float) -> bool:
        coin, plain = self.coins[c], self.costs.plain
        side, slips = (1 if coin.target > 0 else -1), isnan(coin.limit) and not self.costs.plain
        quote, room = (ask if side > 0 else bid), self.room(c, worth)
        price = self.slipped(side, quote, None, volume) if slips else quote
        quantity = self.to_add(coin, coin.target, bid, price, worth)
        if not plain:
            quantity = min(quantity, self.fitting(room, price))
        fits = min(quantity, coin.volume_left)
        if slips and self.costs.slippage.volume_bps > 0 and fits > 0:
            price = self.slipped(side, quote, fits, volume)
            fits = min(fits, self.to_add(coin, coin.target, bid, price, worth), self.fitting(room, price))
        done, held_back = self.stepped(fits), coin.volume_left < quantity
        if done > 0 and done * price >= self.costs.min_order_aud:
            self.book(t, c, side, done, price, "SIGNAL")
        return held_back

    def book(self, t: int, c: int, side: int, quantity: float, price: float, reason: str) -> None:
        coin, amount = self.coins[c], decimal(quantity)
        opens = self.opens(coin, side, price)
        moved = total(side, amount, price, coin.fee)
        self.cash -= side * moved
        coin.held += side * amount
        coin.volume_left -= quantity
        if not isinf(coin.volume_left):
            coin.volume_left = on_grid(coin.volume_left)
        if not coin.held:
            coin.opening = coin.trail = coin.stop = coin.take = nan
            coin.leaving = "SIGNAL"
        elif opens:
            coin.opening, coin.opened, coin.trail = price, t, nan
            coin.stop, coin.take = coin.bracket
        self.trades.append(Trade(t, c, side, amount, moved, decimal(price), reason))

    def opens(self, coin: Coin, side: int, price: float) -> bool:
        """Whether what is bought, or sold short, stands on nothing, or on too little to be sold."""
        if not coin.held:
            return True
        return side == coin.sign and float(abs(coin.held)) * price < self.costs.min_order_aud

    def close(self, t: int, c: int, price: float, reason: str, slips: bool, volume: float, worth: float) -> None:
        coin, made = self.coins[c], len(self.trades)
        self.give_up(t, c, 0.0, price, reason, slips, volume, worth)
        if len(self.trades) > made:
            coin.unfinished = bool(coin.held)
            coin.leaving = reason if coin.held else "SIGNAL"
            coin.target, coin.limit, coin.trigger = (0.0 if coin.held else nan), nan, nan
            coin.out = not self.exits.reentry

    def close_out(self, t: int, c: int, price: float, reason: str) -> None:
        coin = self.coins[c]
        if coin.held:
            price = price if self.costs.plain else self.slipped(-coin.sign, price, None, nan)
            self.book(t, c, -coin.sign, float(abs(coin.held)), price, reason)

    def first_price(self, coin: Coin, bar: Bar) -> float:
        return (bar.bid if coin.held > 0 else bar.ask) if bar.quoted else coin.mark

    def worst_price(self, coin: Coin, bar: Bar) -> float:
        return (bar.low if coin.held > 0 else self.dear(bar.high, bar)) if bar.quoted else coin.mark

    def at_worst(self, bars: list[Bar]) -> float:
        worth = float(self.cash)
        for coin, bar in zip(self.coins, bars, strict=True):
            worth += float(coin.held) * self.worst_price(coin, bar) if coin.held else 0.0
        return worth

    def ruined(self, t: int, bars: list[Bar]) -> "Reference":
        for c, bar in enumerate(bars):
            self.close_out(t, c, self.worst_price(self.coins[c], bar), "LIQUIDATION")
        self.equity += [float(self.cash)] * (self.rows - t)
        self.cash_curve += [self.cash] * (self.rows - t)
        return self

    # Exits

    def dear(self, bid: float, bar: Bar) -> float:
        return bid if isnan(bid) or bar.ask == bar.bid else on_grid(bid + (bar.ask - bar.bid))

    def stop_level(self, coin: Coin) -> float:
        """The nearer of the fixed stop and the one that was set for this position."""
        exits, levels = self.exits, []
        if not isnan(exits.stop_loss):
            levels.append(on_grid(coin.opening * (1 - coin.sign * exits.stop_loss)))
        if not isnan(coin.stop):
            levels.append(coin.stop)
        return (max(levels) if coin.sign > 0 else min(levels)) if levels else nan

    def is_raised(self, coin: Coin, fixed: float) -> bool:
        return not isnan(coin.trail) and (isnan(fixed) or coin.sign * coin.trail > coin.sign * fixed)

    def exit_at_open(self, t: int, c: int, bar: Bar, worth: float) -> None:
        coin, exits = self.coins[c], self.exits
        if not coin.held or coin.opened >= t or not bar.quoted:
            return
        price = bar.bid if coin.sign > 0 else bar.ask
        fixed = self.stop_level(coin)
        raised = self.is_raised(coin, fixed)
        stop = coin.trail if raised else fixed
        if exits.time_stop_bars and t - coin.opened >= exits.time_stop_bars:
            self.close(t, c, price, "TIME_STOP", True, bar.volume, worth)
        elif exits.gaps_at_open and coin.sign * price <= coin.sign * stop:
            self.close(t, c, price, "TRAILING_STOP" if raised else "STOP_LOSS", True, bar.volume, worth)
        elif coin.sign * price >= coin.sign * coin.take:
            self.close(t, c, price, "TAKE_PROFIT", False, bar.volume, worth)

    def inside(self, t: int, c: int, bar: Bar, worth: float, *, last: bool) -> None:
        coin, made = self.coins[c], len(self.trades)
        if coin.held:
            self.exit_inside(t, c, bar, bar, worth)
        if len(self.trades) == made and not last and not isnan(coin.target):
            self.fill_inside(t, c, bar, worth)

    def fill_inside(self, t: int, c: int, bar: Bar, worth: float) -> None:
        coin = self.coins[c]
        before, waited, made = coin.held, not isnan(coin.trigger), len(self.trades)
        price = self.price_inside(coin, bar, worth)
        if isnan(price):
            return
        self.reduce(t, c, price, price, bar.volume, worth)
        self.increase(t, c, price, price, bar.volume, worth)
        bought = [trade for trade in self.trades[made:] if trade.side == coin.sign]
        dust = bought and float(abs(before)) * float(bought[-1].price) < self.costs.min_order_aud
        if not coin.held or (before * coin.held > 0 and not dust):
            return
        start = self.dear(price, bar._replace(bid=bar.ask, ask=bar.bid)) if coin.held > 0 else price
        seen = bar._replace(bid=start)
        if not waited:
            seen = (
                seen._replace(high=max(start, bar.close)) if coin.held > 0 else seen._replace(low=min(start, bar.close))
            )
        self.exit_inside(t, c, bar, seen, worth)

    def price_inside(self, coin: Coin, bar: Bar, worth: float) -> float:
        away = coin.target * worth - float(coin.held) * bar.bid
        if away == 0:
            return nan
        buys = away > 0
        high, low = (self.dear(bar.high, bar), self.dear(bar.low, bar)) if buys else (bar.high, bar.low)
        if not isnan(coin.trigger):
            trigger = coin.trigger
            if (buys and high < trigger) or (not buys and low > trigger):
                return nan
            coin.trigger = nan
            good = isnan(coin.limit) or (trigger <= coin.limit if buys else trigger >= coin.limit)
            return trigger if good else nan
        crossed = low < coin.limit < bar.ask if buys else high > coin.limit > bar.bid
        return coin.limit if crossed else nan

    def exit_inside(self, t: int, c: int, bar: Bar, seen: Bar, worth: float) -> None:
        price, reason = self.look_inside(self.coins[c], t, bar, seen)
        if not isnan(price):
            first = seen.bid if self.coins[c].held > 0 else self.dear(seen.bid, bar)
            self.close(t, c, price, reason, reason != "TAKE_PROFIT" or price == first, bar.volume, worth)

    def look_inside(self, coin: Coin, t: int, bar: Bar, seen: Bar) -> tuple[float, str]:
        """Shorts are looked at in a mirror: prices are negative, so that the best is the highest for both."""
        exits, s = self.exits, coin.sign
        first, high, low = (
            s * (price if s > 0 else self.dear(price, bar)) for price in (seen.bid, seen.high, seen.low)
        )
        best, worst = (high, low) if s > 0 else (low, high)

        def stopped(level: float) -> float:
            if exits.gaps_at_open:
                return s * max(min(level, first), worst)
            return s * first if level > best else s * max(level, worst)

        fixed = self.stop_level(coin)
        if not self.is_raised(coin, fixed) and worst <= s * fixed:
            return stopped(s * fixed), "STOP_LOSS"
        offers = [
            offer
            for offer in (self.resting(coin, first, best), self.of_age(coin, t, first, best, worst))
            if offer is not None
        ]
        if offers:
            return s * min(offers), "TAKE_PROFIT"
        if self.is_raised(coin, fixed) and worst <= s * coin.trail:
            return stopped(s * coin.trail), "TRAILING_STOP"
        armed = not isnan(exits.trailing_tight) and best > s * on_grid(coin.opening * (1 + s * exits.trailing_offset))
        distance = exits.trailing_tight if armed else exits.trailing
        if isnan(distance):
            return nan, ""
        level = on_grid(s * best * (1 - s * distance))
        if isnan(coin.trail) or s * level > s * coin.trail:
            coin.trail = level
        if not self.is_raised(coin, fixed) or worst > s * coin.trail:
            return nan, ""
        if t > coin.opened:
            return coin.trail, "TRAILING_STOP"
        rise = exits.trailing_offset if isnan(exits.trailing) else 0.0
        least = s * on_grid(coin.opening * (1 + s * (rise - distance)))
        return s * max(min(least, s * coin.trail), worst), "TRAILING_STOP"

    def resting(self, coin: Coin, first: float, best: float) -> float | None:
        if isnan(coin.take) or best <= coin.sign * coin.take:
            return None
        return max(coin.sign * coin.take, first)

    def of_age(self, coin: Coin, t: int, first: float, best: float, worst: float) -> float | None:
        age = t - coin.opened
        reached = [(since, gain) for since, gain in self.exits.take_profit if since <= age]
        if not reached:
            return None
        since, gain = reached[-1]
        level = coin.sign * on_grid(coin.opening * (1 + coin.sign * gain))
        if best <= level:
            return None
        if since == age and (gain <= -1 or (age > 0 and first > level)):
            return first
        return max(min(level, best), worst)
