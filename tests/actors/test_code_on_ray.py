"""Traders of people's own code as they really run: in processes of their own, which are killed with SIGKILL."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import ray

from actors import address
from actors.handle import RiskHandle, SupervisorHandle
from omc.adapters.postgres.algorithms import PostgresAlgorithms
from omc.adapters.postgres.database import Database
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.market.synthetic import synthetic_tape
from omc.strategy.maker import CUSTOM, Maker
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.trading.deployment import Deployment, DeploymentStatus, trader_name
from tests.actors.test_on_ray import (
    DAYS,
    FLOOR_BARS,
    PARAMETERS,
    SEED,
    TRADES,
    Platform,
    exchange,  # noqa: F401 - a fixture
    holding,
    kernel_trades,
    kill,
)
from tests.omc.adapters.postgres.house import in_postgres
from tests.omc.adapters.sandbox_process.plain import file_of

pytestmark = [
    pytest.mark.long,
    pytest.mark.ray,
    pytest.mark.postgres,
    pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's"),
]
CROSSOVER = file_of(MovingAverageCrossover)
BAD = "class It:\n    memory_bars = 1\n    def predict(self, frame):\n        raise ValueError('\\0: no such mean')\n"


@pytest.fixture
async def platform(
    ray_cluster: None,
    fresh_database: Database,
    exchange: tuple[str, Path],  # noqa: F811
    tmp_path: Path,
) -> AsyncIterator[Platform]:
    (tmp_path / "sandboxes").mkdir(0o700)
    sandboxes = Sandboxes(meeting=tmp_path / "sandboxes")
    # What traders share takes its time to start, which is nothing that a test waits for.
    await asyncio.to_thread(sandboxes.start)
    it = Platform(fresh_database, *exchange, maker=Maker(sandboxes.of))
    tape = synthetic_tape(SEED, DAYS)
    await it.prices.load(tape.frame.rows(0, len(tape.frame) - FLOOR_BARS))
    it.start()
    yield it
    await it.stop()
    sandboxes.close()


async def deployed(platform: Platform, source: str, **changes: Any) -> Deployment:
    """Of the version after the one without code."""
    house = in_postgres(platform.database)
    wanted = await house.wanted(
        coins=("BTC", "ETH", "DOGE"),
        algorithm_type=CUSTOM,
        algorithm_version=2,
        cash_aud=Decimal("10000.00"),
        **changes,
    )
    algorithms = PostgresAlgorithms(platform.database)
    record = await algorithms.get(wanted.algorithm_id, wanted.user_id)
    await algorithms.update(replace(record, algorithm_type=CUSTOM, code=source))
    made = await platform.deployments.create(wanted)
    await SupervisorHandle().nudge()
    return made


def sandbox_of(name: str) -> list[int]:
    """The processes that run the code of the trader of this name: below its own, or below the zygote that it shares."""
    actor = address.find(name)
    assert actor is not None
    held = actor.__ray_call__.remote(lambda it: it._seat and it._seat._decider._algorithm._sandbox._process._child.pid)
    found = ray.get(held)
    return [found] if found else []


async def test_code_trades_as_its_backtest_says_whoever_is_killed(platform: Platform) -> None:
    ours = await deployed(platform, CROSSOVER, parameters=PARAMETERS, limits=TRADES)
    name = trader_name(ours)
    await platform.played(ours, until=0.2)
    (first,) = sandbox_of(name)
    kill(name)
    await holding(lambda: _gone(first))
    await platform.played(ours, until=0.5)
    (second,) = sandbox_of(name)
    os.kill(_parent(second), signal.SIGKILL)
    await holding(lambda: _gone(second))
    await platform.played(ours)
    assert await platform.trades(ours) == kernel_trades()
    assert (await RiskHandle().reconcile(ours.id)).differences == ()
    (third,) = sandbox_of(name)
    await platform.deployments.set_status(ours.id, DeploymentStatus.PAUSED, "a pause")
    await SupervisorHandle().nudge()
    await holding(lambda: _gone(third))
    await holding(lambda: _is(address.find(name) is None))


async def test_code_that_fails_or_is_killed_is_paused_and_another_goes_on(platform: Platform) -> None:
    ours = await deployed(platform, CROSSOVER, parameters=PARAMETERS, limits=TRADES)
    bad, killed = (
        await deployed(platform, BAD, parameters={}, limits=TRADES),
        await deployed(platform, CROSSOVER, parameters=PARAMETERS, limits=TRADES),
    )
    await holding(lambda: _paused(platform, bad))
    kept = await platform.deployments.get(bad.id)
    assert (
        kept.last_error
        == "the algorithm failed: ValueError: \N{REPLACEMENT CHARACTER}: no such mean (line 4 in predict)"
    )
    (entry,), _ = await platform.blotter.journal(bad.user_id, bad.id, ("deployment",), 0, 1)
    assert entry.data["reason"] == kept.last_error

    await platform.played(killed, until=0.1)
    os.kill(sandbox_of(trader_name(killed))[0], signal.SIGKILL)
    await holding(lambda: _paused(platform, killed))
    assert "killed from outside" in str((await platform.deployments.get(killed.id)).last_error)
    await platform.played(ours)
    assert await platform.trades(ours) == kernel_trades()


async def _paused(platform: Platform, of: Deployment) -> bool:
    return (await platform.deployments.get(of.id)).status is DeploymentStatus.PAUSED


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])


async def _gone(process: int) -> bool:
    return not os.path.exists(f"/proc/{process}")  # noqa: ASYNC240, PTH110


async def _is(holds: bool) -> bool:
    return holds
