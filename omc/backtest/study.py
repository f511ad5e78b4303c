"""One backtest: what an algorithm would have done, as exactly as the floor would have written it down."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from omc.backtest.cost import Costs
from omc.backtest.ground import Ground, check_window
from omc.backtest.kernel import BUY, Simulation
from omc.backtest.run import BacktestSpec
from omc.backtest.tuned import Tuned, weights
from omc.feature.frame import Frame
from omc.ledger.catalyst import Catalyst
from omc.market.money import from_grid
from omc.market.terms import Terms
from omc.strategy import registry
from omc.strategy.algorithm import Algorithm
from omc.strategy.maker import Make
from omc.strategy.trigger import bars_of
from omc.trading.fill import Fill, Side
from omc.trading.settlement import settle


@dataclass(frozen=True, slots=True)
class Study:
    """`fills` in order of execution, exact in Decimal; `simulation` counts the rows of `window`; `metrics` holds finite
    numbers or None."""

    spec: BacktestSpec
    window: Frame
    costs: Costs
    simulation: Simulation
    fills: tuple[Fill, ...]
    metrics: dict[str, float | None]


def check(spec: BacktestSpec, make: Make = registry.make) -> None:
    """InvalidInput, before any price is read, for a spec that cannot be carried out."""
    needed_bars(spec, make)


def needed_bars(spec: BacktestSpec, make: Make = registry.make) -> int:
    """How many rows before `spec.start` warm the algorithm up; with fewer it stays out of the market at first.
    InvalidInput for a spec that cannot be carried out."""
    check_window(spec)
    with closing(make(spec.algorithm_type, spec.parameters)) as algorithm:
        _check(spec, algorithm)
        return max(algorithm.memory_bars, bars_of(spec.triggers)) if spec.triggers else algorithm.memory_bars


def study(
    spec: BacktestSpec,
    frame: Frame,
    terms: Terms,
    *,
    lived: bool = False,
    make: Make = registry.make,
    events: tuple[Catalyst, ...] = (),
    changes: Sequence[Tuned] = (),
) -> Study:
    """Carry out `spec` on `frame`, which holds its window and, where there are any, `needed_bars` rows before it;
    `events` became known meanwhile, and `changes`, oldest first, were made to its parameters.

    The first row at or after `spec.start` only decides. InvalidInput for a spec that cannot be carried out, and for a
    window without prices of one of its coins, unless a deployment `lived` through it.
    """
    check_window(spec)
    with closing(make(spec.algorithm_type, spec.parameters)) as algorithm:
        _check(spec, algorithm)
        ground = Ground.of(spec, frame, terms, lived=lived, events=events)
        if changes:
            wanted = ground.kept(weights(spec, ground.frame, ground.first, changes, make))
            simulation = ground.trade(wanted, algorithm.exits)
        else:
            simulation = ground.simulate(algorithm)
    return Study(
        spec=spec,
        window=ground.window,
        costs=ground.costs,
        simulation=simulation,
        fills=_fills(simulation, ground),
        metrics=ground.report(simulation),
    )


def _check(spec: BacktestSpec, algorithm: Algorithm) -> None:
    algorithm.check_coins(spec.coins)
    algorithm.check_together()


def _fills(simulation: Simulation, ground: Ground) -> tuple[Fill, ...]:
    window, fills = ground.window, []
    for row, c, sign, amount, _, price, _ in simulation.trades.tolist():
        coin, side = window.coins[c], Side.BUY if sign == BUY else Side.SELL
        settled = settle(side, from_grid(amount), from_grid(price), int(ground.costs.fee_bps[c]))
        fills.append(
            Fill(
                fill_id=f"{row}:{coin}:{side}",
                coin=coin,
                side=side,
                quantity=from_grid(amount),
                total_aud=settled.total_aud,
                fee_aud=settled.fee_aud,
                executed_at=window.time(row),
            )
        )
    return tuple(fills)
