"""The trades that the kernel of a backtest makes of a world's market, and those that the floor made."""

from decimal import Decimal

from omc.backtest.cost import Costs
from omc.backtest.kernel import BUY, simulate
from omc.backtest.market import Market
from omc.market.money import from_grid
from omc.trading.deployment import Deployment
from omc.trading.fill import Side
from tests.actors.mortal import COINS, TERMS
from tests.simulation.world import World

Trade = tuple[object, ...]
"""Time, coin, side, quantity, price and cash."""


def kernel_trades(world: World) -> list[Trade]:
    frame = world.tape.frame
    weights = [world.weights[time] for time in frame.times]
    import numpy as np

    twin = simulate(
        Market.quoted(frame), np.stack(weights), Costs.of(TERMS, COINS, 0.0), cash_aud=10_000.0, exits=world.exits
    )
    return [
        (
            frame.time(int(trade["row"])),
            COINS[trade["coin"]],
            Side.BUY if trade["side"] == BUY else Side.SELL,
            from_grid(float(trade["quantity"])),
            from_grid(float(trade["price_aud"])),
            Decimal(str(trade["total_aud"])).quantize(Decimal("0.01")),
        )
        for trade in twin.trades
    ]


def trades_of(world: World, of: Deployment) -> list[Trade]:
    orders = [row.order for row in world.blotter._rows_of(of.id)]
    return [
        (order.intent.quoted_at, fill.coin, fill.side, fill.quantity, order.intent.quote_price_aud, fill.total_aud)
        for order in orders
        for fill in order.fills
    ]
