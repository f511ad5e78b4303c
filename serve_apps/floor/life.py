"""What a deployment has lived through, and the backtest of the very same."""

from dataclasses import dataclass
from datetime import timedelta

from omc.backtest.run import BacktestSpec
from omc.backtest.study import Study, study
from omc.feature.frame import FloatArray, Frame
from omc.portfolio.equity import equity_curve
from omc.strategy.maker import Maker
from omc.trading.deployed_code import code_of, make_of
from omc.trading.deployment import Deployment
from omc.trading.fill import Fill
from serve_apps.floor.books import time_of
from serve_apps.floor.owned import fills_of
from serve_apps.floor.paid import paid
from serve_apps.floor.ports import FloorPorts
from serve_apps.making import apart
from serve_apps.window import window_of


@dataclass(frozen=True, slots=True)
class Life:
    """The bars that a deployment has finished, from the first that it decided on, and its fills in them. `spec` is what
    a backtest of the same would be."""

    spec: BacktestSpec
    window: Frame
    fills: tuple[Fill, ...]

    def equity(self) -> FloatArray:
        """(T,) AUD after each bar of the window."""
        return equity_curve(self.window, self.spec.initial_cash_aud, self.fills)


async def life_of(ports: FloorPorts, deployment: Deployment) -> Life | None:
    """Fills of a bar that is not finished are not in it yet; None before there are two bars."""
    done_until = (await ports.blotter.recall(deployment.id)).done_until
    _, decisions = await ports.blotter.journal(deployment.user_id, deployment.id, ["decision"], 0, 1)
    if done_until is None or not decisions:
        return None
    oldest, _ = await ports.blotter.journal(deployment.user_id, deployment.id, ["decision"], decisions - 1, 1)
    start = time_of(oldest[0].data["decided_at"])
    if start >= done_until:
        return None
    spec = BacktestSpec(
        algorithm_type=deployment.algorithm_type,
        parameters=deployment.parameters,
        coins=deployment.coins,
        start=start,
        end=done_until,
        initial_cash_aud=deployment.cash_aud,
        rebalance_band=deployment.rebalance_band,
    )
    fills = await fills_of(ports.blotter, deployment, done_until + timedelta(microseconds=1))
    return Life(spec, await ports.archive.read(spec.coins, start, done_until), tuple(fills))


async def backtest_of(ports: FloorPorts, deployment: Deployment, life: Life) -> Study:
    """By the version that was deployed. NotFound when its code has been deleted since; for that code, the faults of
    `Sandbox`, and of `paid`."""

    async def simulate(maker: Maker) -> Study:
        make = await make_of(deployment, await code_of(deployment, ports.algorithms), ports.models, maker)
        frame = await window_of(ports.archive, life.spec, make)
        return await apart(study, life.spec, frame, ports.terms, lived=True, make=make)

    return await paid(ports, deployment.user_id, deployment.algorithm_type, simulate)
