"""What a deployment has lived through, and the backtest of the very same."""

from dataclasses import dataclass
from datetime import timedelta

from omc.backtest.run import BacktestSpec
from omc.backtest.study import Study, study
from omc.feature.frame import FloatArray, Frame
from omc.market.terms import Terms
from omc.portfolio.equity import equity_curve
from omc.trading.deployment import Deployment
from omc.trading.fill import Fill
from serve_apps.floor.books import time_of
from serve_apps.floor.owned import fills_of
from serve_apps.floor.ports import FloorPorts
from serve_apps.window import window_of


@dataclass(frozen=True, slots=True)
class Life:
    """The bars that a deployment has finished, from the first that it decided on, and its fills in them. `spec` is what
    a backtest of the same would be; `frame` holds the rows that warm it up, too."""

    spec: BacktestSpec
    frame: Frame
    fills: tuple[Fill, ...]

    def window(self) -> Frame:
        return self.frame.rows(self.frame.first_row(self.spec.start), len(self.frame))

    def equity(self) -> FloatArray:
        """(T,) AUD after each bar of the window."""
        return equity_curve(self.window(), self.spec.initial_cash_aud, self.fills)

    def backtest(self, terms: Terms) -> Study:
        return study(self.spec, self.frame, terms, lived=True)


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
    return Life(spec, await window_of(ports.archive, spec), tuple(fills))
