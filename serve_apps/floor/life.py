"""What a deployment has lived through, and the backtest of the very same."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self

from omc.backtest.run import BacktestSpec
from omc.backtest.study import Study, needed_bars, study
from omc.backtest.tuned import Tuned
from omc.feature.frame import FloatArray, Frame
from omc.portfolio.equity import equity_curve
from omc.strategy.maker import Maker
from omc.trading.deployed_code import code_of, make_of
from omc.trading.deployment import Deployment
from omc.trading.fill import Fill
from omc.trading.tuning import Tuning
from serve_apps.floor.books import time_of
from serve_apps.floor.owned import fills_of
from serve_apps.floor.paid import paid
from serve_apps.floor.ports import FloorPorts
from serve_apps.making import apart
from serve_apps.window import events_of, window_of

_PAGE = 200


@dataclass(frozen=True, slots=True)
class Life:
    """The bars that a deployment has finished, from the first that it decided on, and its fills in them. `spec` is what
    a backtest of the same would be."""

    spec: BacktestSpec
    window: Frame
    fills: tuple[Fill, ...]
    changes: tuple[Tuned, ...] = ()
    """To the parameters of `spec`, while it lasted."""

    def same(self, other: Self) -> bool:
        """Whether the backtest of both is one."""
        return (self.spec, self.fills, self.changes) == (other.spec, other.fills, other.changes)

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
    # After the last bar was: whatever was changed before that bar is known now.
    tunings = await tunings_of(ports, deployment)
    spec = BacktestSpec(
        algorithm_type=deployment.algorithm_type,
        parameters=_held_at(start, tunings, deployment),
        coins=deployment.coins,
        start=start,
        end=done_until,
        initial_cash_aud=deployment.cash_aud,
        rebalance_band=deployment.rebalance_band,
        triggers=deployment.triggers,
    )
    fills = await fills_of(ports.blotter, deployment, done_until + timedelta(microseconds=1))
    window = await ports.archive.read(spec.coins, start, done_until)
    changes = [
        Tuned(each.last_bar, each.parameters)
        for each in tunings
        if each.last_bar is not None and start <= each.last_bar < done_until
    ]
    return Life(spec, window, tuple(fills), tuple(changes))


async def backtest_of(ports: FloorPorts, deployment: Deployment, life: Life) -> Study:
    """By the version that was deployed. NotFound when its code has been deleted since; for that code, the faults of
    `Sandbox`, and of `paid`."""

    async def simulate(maker: Maker) -> Study:
        make = await make_of(deployment, await code_of(deployment, ports.algorithms), ports.models, maker)
        anew = [replace(life.spec, parameters=each.parameters) for each in life.changes]
        fewest = max([await asyncio.to_thread(needed_bars, each, make) for each in anew], default=0)
        frame = await window_of(ports.archive, life.spec, make, fewest)
        events = await events_of(ports.catalysts, life.spec, frame)
        return await apart(
            study, life.spec, frame, ports.terms, lived=True, make=make, events=events, changes=life.changes
        )

    return await paid(ports, deployment.user_id, deployment.algorithm_type, simulate)


async def tunings_of(ports: FloorPorts, deployment: Deployment) -> list[Tuning]:
    """Every change of its parameters, oldest first."""
    found: list[Tuning] = []
    read = 0
    while True:
        page, total = await ports.blotter.journal(deployment.user_id, deployment.id, ["deployment"], read, _PAGE)
        found += [each for each in (Tuning.told_in(entry.data) for entry in page) if each is not None]
        read += len(page)
        if not page or read >= total:
            return found[::-1]


def _held_at(start: datetime, tunings: Sequence[Tuning], deployment: Deployment) -> Mapping[str, Any]:
    """The parameters that the bar at `start` was decided with."""
    later = next((each for each in tunings if each.last_bar is not None and each.last_bar >= start), None)
    if later is not None:
        return later.before
    return tunings[-1].parameters if tunings else deployment.parameters
