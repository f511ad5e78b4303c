"""Traders whose code runs behind both walls: every end that it can come to is a pause that names it, and no more."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from omc.adapters.sandbox_process.limits import Limits
from omc.adapters.sandbox_process.sandbox import Deadlines
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.trading.deployment import Deployment, DeploymentStatus
from tests.actors.mortal import House, market
from tests.actors.test_floor import floor_trades
from tests.actors.test_trader_code import CROSSOVER, HALF, SHORT, backtest_trades, code, housed, paused, until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's")

TAPE, _ = market(12, gaps=0.0)
SECOND_BAR = "if len(frame) > 1:\n    {}\nreturn frame.last * 0.0 + 0.3"


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    made = Sandboxes(
        limits=Limits(memory_bytes=512 * 2**20, cpu_s=None),
        deadlines=Deadlines(load_s=60.0, predict_s=60.0, decide_s=60.0),
    )
    made.start()
    yield made
    made.close()


def sandboxed(of: int) -> list[int]:
    """The zygote, and what was forked from it, that live below a process."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            ours = b"sandbox_process.zygote" in (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if int(parent) == of and state != "Z" and ours:
            found += [int(folder.name), *sandboxed(int(folder.name))]
    return found


def running(house: House) -> list[int]:
    """The processes of the sandboxes that its traders hold."""
    held = [trader._seat._decider._algorithm._sandbox for trader in house.crew.traders.values() if trader._seat]
    return [each._process._child.pid for each in held if each._process is not None]


async def test_code_behind_both_walls_trades_as_its_backtest_says(sandboxes: Sandboxes) -> None:
    tape, _ = market(520)
    house, ours = await housed(tape, CROSSOVER, sandboxes.of, parameters=SHORT)
    try:
        await house.play(ours)
        assert floor_trades(house) == backtest_trades(tape)
        (process,) = running(house)
        await house.deployments.set_status(ours.id, DeploymentStatus.PAUSED, "a pause")
        await until(lambda: _ended(process))
    finally:
        await house.close()


@pytest.mark.parametrize(
    ("deed", "reason"),
    [
        ("while True: pass", "did not answer within 1 s, and its sandbox was ended"),
        ("x = np.ones(2 * 10**8)\n    return x[:0]", "MemoryError"),
        ("def deep(): return deep()\n    return deep()", "RecursionError"),
        ("return frame.last * float('inf')", "not a finite number"),
        ("for _ in range(10**9): print('x' * 10_000)", "did not answer within 1 s"),
    ],
    ids=["loops", "eats memory", "recurses", "answers nonsense", "floods"],
)
async def test_what_code_does_to_itself_is_a_pause_that_names_it(sandboxes: Sandboxes, deed: str, reason: str) -> None:
    # Only what never answers is to be late.
    soon = replace(sandboxes, deadlines=Deadlines(load_s=60.0, predict_s=60.0, decide_s=1.0))
    late = "did not answer" in reason
    house, ours = await housed(TAPE, code(SECOND_BAR.format(deed)), (soon if late else sandboxes).of)
    said = await paused(house, ours)
    assert said.startswith("the algorithm failed: ")
    assert reason in said
    orders = [row.order.intent for row in house.blotter._rows_of(ours.id)]
    assert {intent.decided_at for intent in orders} <= {TAPE.frame.time(0)}


async def test_a_sandbox_that_is_killed_pauses_its_deployment(sandboxes: Sandboxes) -> None:
    async def killed() -> None:
        await until(lambda: _is(bool(running(house))))
        os.kill(running(house)[0], signal.SIGKILL)

    tape, _ = market(400, gaps=0.0)
    house, ours = await housed(tape, HALF, sandboxes.of)
    reason, _ = await asyncio.gather(paused(house, ours), killed())
    assert "killed from outside" in reason


async def test_a_zygote_that_is_killed_changes_no_trade(sandboxes: Sandboxes) -> None:
    tape, _ = market(120, gaps=0.0)
    house, ours = await housed(tape, CROSSOVER, sandboxes.of, parameters=SHORT)
    playing = asyncio.create_task(house.play(ours))
    try:
        await until(lambda: _finished(house, ours, 40))
        process = running(house)[0]
        os.kill(_parent(process), signal.SIGKILL)
        await until(lambda: _ended(process))
        await playing
        assert floor_trades(house) == backtest_trades(tape)
        kept = await house.deployments.get(ours.id)
        assert (kept.status, kept.last_error) == (DeploymentStatus.ACTIVE, None)
    finally:
        playing.cancel()
        await house.close()


async def test_nothing_is_left_of_traders_that_ended(sandboxes: Sandboxes) -> None:
    # The zygote, and the spare that it keeps.
    await until(lambda: _is(len(sandboxed(os.getpid())) <= 2))


def _parent(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])


async def _ended(process: int) -> bool:
    return not os.path.exists(f"/proc/{process}")  # noqa: ASYNC240, PTH110


async def _finished(house: House, ours: Deployment, row: int) -> bool:
    done_until = (await house.blotter.recall(ours.id)).done_until
    return done_until is not None and done_until >= house.tape.frame.time(row)


async def _is(holds: bool) -> bool:
    return holds
