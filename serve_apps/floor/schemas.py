"""Deployments, orders, trades and positions as the floor shows them."""

from decimal import Decimal
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel

from omc.portfolio.pnl import ProfitAndLoss
from omc.portfolio.position import Position
from omc.trading.blotter import OrderRow, Trade
from omc.trading.deployment import Deployment
from omc.trading.order import OrderStatus
from omc.trading.refusal import named
from omc.trading.slippage import slippage_bps
from serve_apps.floor.bounds import BoundsOut
from serve_apps.floor.execution import ExecutionOut
from serve_apps.wire import Metric, Money, Time


class LimitsOut(BoundsOut):
    """Three are always set."""

    order_notional_aud: Money
    position_notional_aud: Money
    daily_loss_aud: Money


class DeploymentOut(BaseModel):
    id: UUID
    algorithm_id: UUID
    version: int
    algorithm_type: str
    deployment_name: str
    coins: list[str]
    parameters: dict[str, Any]
    mode: Literal["paper", "live"]
    venue: str
    cash: Money
    risk_limits: LimitsOut
    rebalance_band: float
    status: Literal["active", "paused", "stopped"]
    deployed_at: Time
    heartbeat_at: Time | None
    last_executed_at: Time | None
    last_signal_at: Time | None
    execution_count: int
    last_error: str | None
    model_id: UUID | None
    execution: ExecutionOut
    triggers: list[dict[str, Any]]

    @classmethod
    def of(cls, deployment: Deployment) -> Self:
        return cls(
            id=deployment.id,
            algorithm_id=deployment.algorithm_id,
            version=deployment.algorithm_version,
            algorithm_type=deployment.algorithm_type,
            deployment_name=deployment.name,
            coins=list(deployment.coins),
            parameters=dict(deployment.parameters),
            mode=deployment.mode.value,
            venue=deployment.venue,
            cash=deployment.cash_aud,
            risk_limits=LimitsOut.of(deployment.limits),
            rebalance_band=deployment.rebalance_band,
            status=deployment.status.value,
            deployed_at=deployment.deployed_at,
            heartbeat_at=deployment.heartbeat_at,
            last_executed_at=deployment.last_executed_at,
            last_signal_at=deployment.last_signal_at,
            execution_count=deployment.execution_count,
            last_error=deployment.last_error,
            model_id=deployment.model,
            execution=ExecutionOut.of(deployment.execution),
            triggers=[each.told() for each in deployment.triggers],
        )


class TradeOut(BaseModel):
    """One execution. `total_aud` is the cash that moved, its fee included."""

    id: UUID
    deployment_id: UUID
    client_order_id: str
    venue_order_id: str | None
    coin: str
    side: Literal["buy", "sell"]
    quantity: Money
    price_aud: Money
    total_aud: Money
    fee_aud: Money
    executed_at: Time

    @classmethod
    def of(cls, trade: Trade) -> Self:
        return cls(
            id=trade.id,
            deployment_id=trade.deployment_id,
            client_order_id=trade.client_order_id,
            venue_order_id=trade.venue_order_id,
            coin=trade.fill.coin,
            side=trade.fill.side.value,
            quantity=trade.fill.quantity,
            price_aud=trade.fill.price_aud,
            total_aud=trade.fill.total_aud,
            fee_aud=trade.fill.fee_aud,
            executed_at=trade.fill.executed_at,
        )


class OrderOut(BaseModel):
    """`price_aud` is the quote that it was sized on; `decided_at` the bar whose close led to it. `limit_aud` is where
    its limit stands on the book or, while it is `replacing`, was asked to go. `slippage_bps` is how much worse than
    `price_aud` it was filled, fees left out. An order in `slices` has their fills; each names it as `slice_of`."""

    id: UUID
    deployment_id: UUID
    client_order_id: str
    venue_order_id: str | None
    coin: str
    side: Literal["buy", "sell"]
    kind: Literal["instant", "market"]
    quantity: Money
    filled_quantity: Money
    price_aud: Money
    limit_aud: Money
    good_for_s: float
    slice_of: str | None
    slices: int | None
    slippage_bps: Metric
    status: str
    refusal: str | None
    reason: str
    message: str | None
    decided_at: Time
    quoted_at: Time
    created_at: Time
    updated_at: Time

    @classmethod
    def of(cls, row: OrderRow) -> Self:
        order, intent = row.order, row.order.intent
        return cls(
            id=row.id,
            deployment_id=intent.deployment_id,
            client_order_id=intent.client_order_id,
            venue_order_id=order.venue_order_id,
            coin=intent.coin,
            side=intent.side.value,
            kind=intent.kind.value,
            quantity=intent.quantity,
            filled_quantity=order.filled_quantity,
            price_aud=intent.quote_price_aud,
            limit_aud=order.price_aud,
            good_for_s=intent.good_for_s,
            slice_of=intent.slice_of,
            slices=len(order.plan.slices) if order.plan else None,
            slippage_bps=None if (slipped := slippage_bps(order)) is None else float(slipped),
            status=order.status.value,
            refusal=named(order.message or "").value if order.status is OrderStatus.REJECTED else None,
            reason=intent.reason,
            message=order.message,
            decided_at=intent.decided_at,
            quoted_at=intent.quoted_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
        )


class PositionOut(BaseModel):
    """One coin held. `mark_aud` is the bid; without one the position is shown at its cost."""

    deployment_id: UUID
    coin: str
    quantity: Money
    average_price_aud: Money
    cost_aud: Money
    mark_aud: Money | None
    value_aud: Money
    unrealized_pnl_aud: Money
    realized_pnl_aud: Money
    fees_aud: Money

    @classmethod
    def of(cls, deployment_id: UUID, position: Position, mark_aud: Decimal | None) -> Self:
        unrealized = Decimal(0) if mark_aud is None else position.unrealized_aud(mark_aud)
        return cls(
            deployment_id=deployment_id,
            coin=position.coin,
            quantity=position.quantity,
            average_price_aud=position.average_price_aud,
            cost_aud=position.cost_aud,
            mark_aud=mark_aud,
            value_aud=position.cost_aud + unrealized,
            unrealized_pnl_aud=unrealized,
            realized_pnl_aud=position.realized_aud,
            fees_aud=position.fees_aud,
        )


class PnLOut(BaseModel):
    """Realized and unrealized are before fees; `net_pnl_aud` is after them."""

    realized_pnl_aud: Money
    unrealized_pnl_aud: Money
    fees_aud: Money
    net_pnl_aud: Money

    @classmethod
    def figures(cls, pnl: ProfitAndLoss) -> dict[str, Decimal]:
        return {
            "realized_pnl_aud": pnl.realized_aud,
            "unrealized_pnl_aud": pnl.unrealized_aud,
            "fees_aud": pnl.fees_aud,
            "net_pnl_aud": pnl.net_aud,
        }


class Latency(BaseModel):
    """From the arrival of quotes to the end of an order, in milliseconds."""

    orders: int
    p50: Metric
    p99: Metric
