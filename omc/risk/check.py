"""What must hold before an order is sent: small functions, asked in a stated order; the first no counts.

Reducing stays allowed when adding is not: a limit that traps us in a falling position is worse than none. Only the kill
switch and a paused deployment stop sales too, and a sale that gets out after an emergency stop passes those.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from omc.market.money import ZERO
from omc.market.terms import Terms
from omc.portfolio.account import Account
from omc.risk.kill_switch import Halt
from omc.risk.limits import Limits
from omc.risk.verdict import DenialReason
from omc.trading.deployment import DeploymentStatus
from omc.trading.fill import Side
from omc.trading.order import OrderIntent
from omc.trading.settlement import settle


@dataclass(frozen=True, slots=True)
class Exposure:
    """All that a verdict depends on, as it was when it was given."""

    account: Account
    limits: Limits
    status: DeploymentStatus
    day_result_aud: Decimal
    """Realized less fees since midnight UTC by the venue's clock, less what is lost but not realized yet. Gains not
    realized do not count: they may be gone before they can make up for a loss."""
    halt: Halt | None = None
    terms: Terms = field(default_factory=Terms)
    liquidating: bool = False
    """The house sells out after an emergency stop."""


No = tuple[DenialReason, str] | None
Check = Callable[[OrderIntent, Exposure], No]


def kill_switch(_: OrderIntent, exposure: Exposure) -> No:
    if exposure.halt is None or exposure.liquidating:
        return None
    halt = exposure.halt
    return DenialReason.KILL_SWITCH, f"trading is halted since {halt.since.isoformat()}: {halt.reason}"


def deployment_active(_: OrderIntent, exposure: Exposure) -> No:
    if exposure.status is DeploymentStatus.ACTIVE or exposure.liquidating:
        return None
    return DenialReason.NOT_ACTIVE, f"the deployment is {exposure.status}"


def order_size(intent: OrderIntent, exposure: Exposure) -> No:
    limit = exposure.limits.order_notional_aud
    if intent.side is Side.SELL or intent.notional_aud <= limit:
        return None
    return DenialReason.ORDER_TOO_LARGE, f"the order is worth {intent.notional_aud} AUD, the limit is {limit}"


def position_size(intent: OrderIntent, exposure: Exposure) -> No:
    """What is held is valued at the price that more of it costs now."""
    if intent.side is Side.SELL:
        return None
    limit = exposure.limits.position_notional_aud
    held = exposure.account.position(intent.coin).quantity * intent.quote_price_aud
    if held + intent.notional_aud <= limit:
        return None
    message = f"{intent.coin} would be worth {held + intent.notional_aud:.2f} AUD, the limit is {limit}"
    return DenialReason.POSITION_TOO_LARGE, message


def daily_loss(intent: OrderIntent, exposure: Exposure) -> No:
    limit = exposure.limits.daily_loss_aud
    if intent.side is Side.SELL or exposure.day_result_aud > -limit:
        return None
    return DenialReason.DAILY_LOSS, f"{-exposure.day_result_aud:.2f} AUD are lost today, the limit is {limit}"


def cash(intent: OrderIntent, exposure: Exposure) -> No:
    if intent.side is Side.SELL:
        return None
    fee_bps = exposure.terms.fee_bps_of(intent.kind)
    costs = settle(intent.side, intent.quantity, intent.quote_price_aud, fee_bps).total_aud
    if costs <= exposure.account.cash_aud:
        return None
    return DenialReason.NOT_ENOUGH_CASH, f"it costs {costs} AUD with its fee, the cash is {exposure.account.cash_aud}"


def held(intent: OrderIntent, exposure: Exposure) -> No:
    quantity = exposure.account.position(intent.coin).quantity
    if intent.side is Side.BUY or intent.quantity <= quantity:
        return None
    return DenialReason.NOT_HELD, f"{intent.quantity} {intent.coin} are to be sold, {quantity} are held"


CHECKS: tuple[Check, ...] = (kill_switch, deployment_active, order_size, position_size, daily_loss, cash, held)


def day_result(realized_aud: Decimal, unrealized_aud: Decimal) -> Decimal:
    """What the day earned for `Exposure`: `realized_aud` is after fees, `unrealized_aud` of all that is held now."""
    return realized_aud + min(unrealized_aud, ZERO)
