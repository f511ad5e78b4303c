"""What must hold before an order is sent: small functions, asked in a stated order; the first no counts.

Reducing stays allowed when adding is not: a limit that traps us in a falling position is worse than none. Only the kill
switch, a paused deployment, a price far from the market and what is not held stop sales too; a sale that gets out after
an emergency stop passes all of these but the last.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

from omc.market.terms import BPS
from omc.risk.exposure import Exposure, Figures
from omc.risk.kill_switch import denied_by
from omc.risk.losses import drawn_down, lost_today
from omc.risk.no import No, limit_of
from omc.risk.verdict import Breach, DenialReason
from omc.trading.deployment import DeploymentStatus
from omc.trading.fill import Side
from omc.trading.order import OrderIntent
from omc.trading.settlement import settle

Check = Callable[[OrderIntent, Exposure], No | None]


def kill_switch(intent: OrderIntent, exposure: Exposure) -> No | None:
    halt = exposure.halt
    if halt is None or exposure.liquidating:
        return None
    if not halt.binds(intent.user_id, intent.deployment_id, adding=intent.side is Side.BUY):
        return None
    return No(denied_by(halt.fault()), str(halt))


def deployment_active(_: OrderIntent, exposure: Exposure) -> No | None:
    if exposure.status is DeploymentStatus.ACTIVE or exposure.liquidating:
        return None
    return No(DenialReason.NOT_ACTIVE, f"the deployment is {exposure.status}")


def venue_open(intent: OrderIntent, exposure: Exposure) -> No | None:
    """Asked where fresh quotes are: nobody can tell without them whether the venue trades the coin. Quotes that do not
    move on tell of a venue that is closed, or of nobody who looks; what was sized on them is as old as they are."""
    market = exposure.market
    for figures, limit in _bound(intent, exposure, "quote_age_s"):
        if market.behind is not None and market.behind > timedelta(seconds=float(limit)):
            ago = f"the newest quotes are {market.behind.total_seconds():.0f} s old"
            return No(DenialReason.STALE_QUOTES, f"{ago}, {limit_of(figures)} is {limit} s")
        if market.time is None or market.ask_aud is None:
            return No(DenialReason.VENUE_CLOSED, f"{intent.coin} is not quoted now")
        if market.time - intent.quoted_at > timedelta(seconds=float(limit)):
            age = market.time - intent.quoted_at
            message = (
                f"its quote is {age.total_seconds():.0f} s older than the newest, {limit_of(figures)} is {limit} s"
            )
            return No(DenialReason.STALE_QUOTES, message)
    return None


def order_size(intent: OrderIntent, exposure: Exposure) -> No | None:
    for figures, limit in _bound(intent, exposure, "order_notional_aud"):
        if intent.notional_aud > limit:
            message = f"the order is worth {intent.notional_aud} AUD, {limit_of(figures)} is {limit}"
            breach = Breach(figures.level, "order_notional_aud", intent.notional_aud, limit)
            return No(DenialReason.ORDER_TOO_LARGE, message, breach)
    return None


def position_size(intent: OrderIntent, exposure: Exposure) -> No | None:
    """What is held is valued at the price that more of it costs now."""
    for figures, limit in _bound(intent, exposure, "position_notional_aud"):
        worth = _position(intent, figures)
        if worth > limit:
            message = f"{intent.coin} would be worth {worth:.2f} AUD, {limit_of(figures)} is {limit}"
            breach = Breach(figures.level, "position_notional_aud", worth, limit)
            return No(DenialReason.POSITION_TOO_LARGE, message, breach)
    return None


def concentration(intent: OrderIntent, exposure: Exposure) -> No | None:
    for figures, limit in _bound(intent, exposure, "concentration"):
        worth = _position(intent, figures)
        if worth > limit * figures.equity_aud:
            share = worth / figures.equity_aud if figures.equity_aud > 0 else Decimal(1)
            message = f"{intent.coin} would be {share:.4f} of the equity, {limit_of(figures)} is {limit}"
            return No(DenialReason.CONCENTRATED, message, Breach(figures.level, "concentration", share, limit))
    return None


def gross(intent: OrderIntent, exposure: Exposure) -> No | None:
    return _notional(intent, exposure, "gross_notional_aud", DenialReason.GROSS_TOO_LARGE)


def net(intent: OrderIntent, exposure: Exposure) -> No | None:
    """Everything held is long, so what counts against it is nothing."""
    return _notional(intent, exposure, "net_notional_aud", DenialReason.NET_TOO_LARGE)


def leverage(intent: OrderIntent, exposure: Exposure) -> No | None:
    cash = exposure.account.cash_aud
    if intent.side is Side.SELL or cash >= 0:
        return None
    return No(DenialReason.LEVERAGE, f"nothing is bought on credit, and {-cash} AUD are owed")


def cash(intent: OrderIntent, exposure: Exposure) -> No | None:
    if intent.side is Side.SELL:
        return None
    fee_bps = exposure.terms.fee_bps_of(intent.kind)
    costs = settle(intent.side, intent.quantity, intent.quote_price_aud, fee_bps).total_aud
    reserved = exposure.reserved.cash_aud
    if costs <= exposure.account.cash_aud - reserved:
        return None
    open_orders = f", of which open orders hold {reserved}" if reserved else ""
    message = f"it costs {costs} AUD with its fee, the cash is {exposure.account.cash_aud}{open_orders}"
    return No(DenialReason.NOT_ENOUGH_CASH, message)


def held(intent: OrderIntent, exposure: Exposure) -> No | None:
    """What open orders sell already cannot be sold again, not even to get out: the venue may hold more than is ours."""
    free = exposure.account.position(intent.coin).quantity - exposure.reserved.coins
    if intent.side is Side.BUY or intent.quantity <= free:
        return None
    return No(DenialReason.NOT_HELD, f"{intent.quantity} {intent.coin} are to be sold, {free} are held")


def price_band(intent: OrderIntent, exposure: Exposure) -> No | None:
    """A price that is worse for us than the newest quote by more than this is nobody's wish."""
    buys, market = intent.side is Side.BUY, exposure.market
    newest = market.ask_aud if buys else market.bid_aud
    if newest is None or exposure.liquidating:
        return None
    worse = (intent.quote_price_aud - newest if buys else newest - intent.quote_price_aud) * BPS / newest
    for figures in exposure.levels:
        limit = figures.bounds.price_band_bps
        if limit is not None and worse > limit:
            message = f"{intent.quote_price_aud} is {worse:.0f} bps worse than {newest}, {limit_of(figures)} is {limit}"
            return No(DenialReason.OUT_OF_BAND, message, Breach(figures.level, "price_band_bps", worse, limit))
    return None


def order_rate(intent: OrderIntent, exposure: Exposure) -> No | None:
    for figures, limit in _bound(intent, exposure, "orders_a_minute"):
        if figures.orders >= limit:
            message = f"{figures.orders} orders were sent within a minute, {limit_of(figures)} is {limit}"
            breach = Breach(figures.level, "orders_a_minute", Decimal(figures.orders + 1), limit)
            return No(DenialReason.TOO_MANY_ORDERS, message, breach)
    return None


def duplicate(intent: OrderIntent, exposure: Exposure) -> No | None:
    """Slices of one order are alike by their nature."""
    if intent.side is Side.SELL or exposure.repeats is None or intent.slice_of is not None:
        return None
    ago = exposure.repeats.total_seconds()
    within = max((limit for _, limit in _bound(intent, exposure, "duplicate_s")), default=Decimal(0))
    if ago > within:
        return None
    return No(DenialReason.DUPLICATE, f"the very same order was sent {ago:.0f} s before it")


def daily_loss(intent: OrderIntent, exposure: Exposure) -> No | None:
    return _first(intent, exposure, lost_today)


def drawdown(intent: OrderIntent, exposure: Exposure) -> No | None:
    return _first(intent, exposure, drawn_down)


def consecutive_losses(intent: OrderIntent, exposure: Exposure) -> No | None:
    for figures, limit in _bound(intent, exposure, "losses_in_a_row"):
        until = figures.streak.cooling_until
        if until is not None and intent.quoted_at < until and figures.bounds.cool_down_s is None:
            message = (
                f"{figures.streak.losses} losses in a row, {limit_of(figures)} is {limit}: until {until.isoformat()}"
            )
            breach = Breach(figures.level, "losses_in_a_row", Decimal(figures.streak.losses), limit)
            return No(DenialReason.LOSING_STREAK, message, breach)
    return None


def cool_down(intent: OrderIntent, exposure: Exposure) -> No | None:
    for figures, limit in _bound(intent, exposure, "cool_down_s"):
        until = figures.streak.cooling_until
        if until is not None and intent.quoted_at < until:
            message = f"nothing is added until {until.isoformat()}, after {figures.streak.losses} losses in a row"
            breach = Breach(figures.level, "cool_down_s", Decimal(figures.streak.losses), limit)
            return No(DenialReason.COOLING, message, breach)
    return None


CHECKS: tuple[Check, ...] = (
    kill_switch,
    deployment_active,
    venue_open,
    order_size,
    position_size,
    concentration,
    gross,
    net,
    leverage,
    cash,
    held,
    price_band,
    order_rate,
    duplicate,
    daily_loss,
    drawdown,
    consecutive_losses,
    cool_down,
)


def _first(intent: OrderIntent, exposure: Exposure, asked: Callable[[Figures], No | None]) -> No | None:
    if intent.side is Side.SELL:
        return None
    return next((no for figures in exposure.levels if (no := asked(figures)) is not None), None)


def _bound(intent: OrderIntent, exposure: Exposure, limit: str) -> Iterator[tuple[Figures, Decimal]]:
    """The levels at which that limit is set, for what adds to a position; none for what reduces one."""
    if intent.side is Side.BUY:
        for figures in exposure.levels:
            value = getattr(figures.bounds, limit)
            if value is not None:
                yield figures, value


def _notional(intent: OrderIntent, exposure: Exposure, name: str, reason: DenialReason) -> No | None:
    for figures, limit in _bound(intent, exposure, name):
        worth = figures.gross_aud + intent.notional_aud
        if worth > limit:
            message = f"all positions would be worth {worth:.2f} AUD, {limit_of(figures)} is {limit}"
            return No(reason, message, Breach(figures.level, name, worth, limit))
    return None


def _position(intent: OrderIntent, figures: Figures) -> Decimal:
    return figures.held * intent.quote_price_aud + intent.notional_aud
