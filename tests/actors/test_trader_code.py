"""Traders of people's own code, constructed without Ray: the code decides, and nothing that it does goes further."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pytest

from omc.errors import SandboxDied, SandboxRefused, Unavailable
from omc.market.tape import Tape
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
from omc.strategy.maker import CUSTOM, Maker
from omc.strategy.mean_reversion import MeanReversion
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox
from omc.trading.deployment import Deployment, DeploymentStatus, Mode, trader_name
from tests.actors.mortal import START, USER, House, deployment, market
from tests.actors.test_floor import floor_trades, kernel_trades
from tests.omc.adapters.sandbox_process.plain import file_of

TAPE, _ = market(12, gaps=0.0)
CROSSOVER = file_of(MovingAverageCrossover)
SHORT = {"fast_bars": 3, "slow_bars": 9}
# On its first use numpy imports what it computes a mean with, which code behind the first wall cannot.
np.zeros(1).mean()


def code(body: str) -> str:
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return f"class It:\n    memory_bars = 2\n    def predict(self, frame):\n{lines}\n"


HALF = code("return frame.last * 0.0 + 0.3")


def backtest_trades(tape: Tape) -> list[tuple[object, ...]]:
    """Those of the crossover as it ships."""
    shipped = MovingAverageCrossover.of(**SHORT)
    return kernel_trades(tape, shipped.predict(tape.frame), shipped.exits)


async def housed(tape: Tape, source: str, sandbox: Any = MemorySandbox, **changes: Any) -> tuple[House, Deployment]:
    """A house whose deployment runs this code, of which there is a newer version."""
    house = House(tape, lambda *_: pytest.fail("no built-in is wanted"))
    house.maker = Maker(partial(sandbox, load=load) if isinstance(sandbox, type) else sandbox)
    record = AlgorithmRecord(
        deployment().algorithm_id, USER, "mine", None, CUSTOM, source, {}, AlgorithmStatus.VALIDATED, 1, START, START
    )
    await house.algorithms.create(record)
    await house.algorithms.update(replace(record, code="raise ValueError('the newer version')"))
    return house, deployment(algorithm_type=CUSTOM, **changes)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(120):
        while not await holds():  # noqa: ASYNC110 - stores tell nobody
            await asyncio.sleep(0.002)


async def paused(house: House, ours: Deployment) -> str:
    """Play until the deployment is paused: the reason."""
    playing = asyncio.create_task(house.play(ours))
    try:

        async def is_paused() -> bool:
            kept = house.deployments.kept.get(ours.id)
            return kept is not None and kept.status is DeploymentStatus.PAUSED

        await until(is_paused)
        reason = (await house.deployments.get(ours.id)).last_error or ""
        (entry,), _ = await house.blotter.journal(USER, ours.id, ("deployment",), 0, 1)
        assert entry.data == {"status": "paused", "reason": reason}
        return reason
    finally:
        playing.cancel()
        await house.close()


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (MovingAverageCrossover, SHORT),
        (MovingAverageCrossover, SHORT | {"entry_threshold": 0.001}),
        (MeanReversion, {"window_bars": 6, "entry_z": 0.8, "exit_z": 0.0, "hold_bars": 5, "stop_loss": 0.02}),
    ],
    ids=["crossover", "crossover with a threshold", "reversion with a stop"],
)
async def test_a_built_in_algorithms_own_source_trades_as_its_backtest_says(kind: Any, parameters: Any) -> None:
    tape, _ = market(520)
    house, ours = await housed(tape, file_of(kind), parameters=parameters)
    try:
        await house.play(ours)
        shipped = kind.of(**parameters)
        assert floor_trades(house) == kernel_trades(tape, shipped.predict(tape.frame), shipped.exits)
        assert len(floor_trades(house)) > 100
        assert shipped.exits.any == ("stop_loss" in parameters)
    finally:
        await house.close()


async def test_the_version_that_was_deployed_trades_and_no_newer_one() -> None:
    house, ours = await housed(TAPE, HALF)
    try:
        await house.play(ours)
        assert house.fills(ours)
    finally:
        await house.close()


ENDS = {
    "raises": (
        "raise ValueError('no such mean')",
        "the algorithm failed: ValueError: no such mean (line 4 in predict)",
    ),
    "raises what cannot be stored": ("raise ValueError('\\0 and \\ud800')", "ValueError: "),
    "answers NaN": ("return frame.last * float('nan')", "the algorithm failed: a weight is not a finite number"),
    "sells short": ("return frame.last * 0.0 - 0.5", "a weight lies outside 0 to 1"),
    "wants more than all": ("return frame.last * 0.0 + 0.9", "weights add up to more than 1"),
    "answers another shape": ("return frame.last[:, :1]", "weights have"),
    "leaves": ("raise KeyError(frame.coins[0])", "KeyError: 'BTC'"),
    "divides by zero on the second bar": ("return frame.last * 0.0 + 0.1 / (2 - len(frame))", "ZeroDivisionError"),
}


@pytest.mark.parametrize(("body", "reason"), ENDS.values(), ids=ENDS)
async def test_code_that_fails_is_paused_with_what_it_did(body: str, reason: str) -> None:
    said = await paused(*await housed(TAPE, code(body)))
    assert reason in said
    assert "\0" not in said
    assert said.encode("utf-8")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("import os", "os"),
        ("raise ValueError('when it is loaded')", "when it is loaded"),
        ("x = 1", "defines no algorithm"),
        (
            "class It:\n    memory_bars = 1_500_000\n    def predict(self, frame):\n        return frame.last * 0.0",
            "looks back",
        ),
        (
            "class It:\n    memory_bars = 'all'\n    def predict(self, frame):\n        return frame.last * 0.0",
            "memory_bars",
        ),
    ],
    ids=["refused", "raises", "nothing", "remembers all", "remembers nonsense"],
)
async def test_code_that_cannot_be_held_is_paused_before_any_bar(source: str, reason: str) -> None:
    assert reason in await paused(*await housed(TAPE, source))


async def test_parameters_that_code_does_not_have_are_a_pause() -> None:
    assert "has no parameter 'speed'" in await paused(*await housed(TAPE, HALF, parameters={"speed": 1}))


async def test_code_without_a_sandbox_is_a_pause_that_says_why() -> None:
    house, ours = await housed(TAPE, HALF)
    house.maker = Maker(why="this kernel has no Landlock")
    assert "this kernel has no Landlock" in await paused(house, ours)


async def test_a_machine_that_cannot_confine_code_is_a_pause_that_says_why() -> None:
    class Refuses(MemorySandbox):
        def describe(self) -> Any:
            raise SandboxRefused("this machine has no seccomp")

    assert await paused(*await housed(TAPE, HALF, Refuses)) == "this machine has no seccomp"


async def test_code_that_is_gone_is_a_pause() -> None:
    house, ours = await housed(TAPE, HALF, algorithm_version=3)
    assert "no version 3" in await paused(house, ours)


async def test_live_code_behind_one_wall_is_a_pause() -> None:
    house, ours = await housed(TAPE, HALF, mode=Mode.LIVE)
    house.maker = replace(house.maker, unsafe=True)
    assert "behind both walls" in await paused(house, ours)


async def test_what_code_printed_last_is_told_when_it_fails() -> None:
    body = "print('a mean of', len(frame), '\\0')\nraise ValueError('no')"
    assert "; it printed last: a mean of 1 \N{REPLACEMENT CHARACTER}" in await paused(*await housed(TAPE, code(body)))


async def test_what_code_prints_is_journaled_with_the_decision_after_it() -> None:
    house, ours = await housed(TAPE, code("print('at', frame.times[-1])\nreturn frame.last * 0.0 + 0.3"))
    try:
        await house.play(ours)
        entries, _ = await house.blotter.journal(USER, ours.id, ("decision",), 0, 100)
        told = "".join(entry.data["printed"] for entry in reversed(entries)).split("\n")
        assert "2025-01-01T00:05:00" in told[1]
        assert max(len(entry.data["printed"]) for entry in entries) < 2_010
    finally:
        await house.close()


async def test_code_that_floods_its_output_is_journaled_in_short() -> None:
    house, ours = await housed(TAPE, code("for _ in range(2000): print('x' * 99)\nreturn frame.last * 0.0 + 0.3"))
    try:
        await house.play(ours)
        entries, _ = await house.blotter.journal(USER, ours.id, ("decision",), 0, 100)
        assert {len(entry.data["printed"]) for entry in entries} == {2_001}
    finally:
        await house.close()


class Counted(MemorySandbox):
    """Knows how many of its kind are open."""

    alive: ClassVar[set[int]] = set()

    def describe(self) -> Any:
        self.alive.add(id(self))
        return super().describe()

    def close(self) -> None:
        self.alive.discard(id(self))
        super().close()


@pytest.fixture
def counted() -> Iterator[type[Counted]]:
    Counted.alive.clear()
    yield Counted
    assert Counted.alive == set()


async def test_one_sandbox_is_held_while_it_trades_and_none_after_it_was_stopped(counted: type[Counted]) -> None:
    house, ours = await housed(TAPE, HALF, counted)
    try:
        await house.play(ours)
        assert len(counted.alive) == 1
        await house.deployments.set_status(ours.id, DeploymentStatus.PAUSED, "a pause")
        await until(lambda: _is(not house.crew.traders))
        assert counted.alive == set()
    finally:
        await house.close()


async def test_a_trader_that_was_replaced_leaves_no_sandbox(counted: type[Counted]) -> None:
    house, ours = await housed(TAPE, HALF, counted)
    try:
        await house.deployments.create(ours)
        await house.crew.start(ours)
        trader = house.crew.traders[trader_name(ours)]
        await until(lambda: _is(trader.state().state == "running"))
        assert len(counted.alive) == 1
        await house.leases.take(trader_name(ours), "its successor")
        await asyncio.wait([trader._task], timeout=120)
        assert trader.state().state == "stopped"
    finally:
        await house.close()


async def test_a_pause_leaves_no_sandbox(counted: type[Counted]) -> None:
    assert "too late" in await paused(*await housed(TAPE, code("raise ValueError('too late')"), counted))


async def test_a_sandbox_that_died_pauses_its_deployment() -> None:
    class Dies(MemorySandbox):
        def decide(self, *_: Any) -> Any:
            raise SandboxDied("the sandbox was killed from outside, as a machine does that runs out of memory")

    reason = await paused(*await housed(TAPE, HALF, Dies))
    assert reason.startswith("the algorithm failed: the sandbox was killed from outside")


@pytest.mark.parametrize(
    "fault",
    [Unavailable("the process that sandboxes are forked from has ended"), OSError(24, "Too many open files")],
    ids=["unavailable", "files"],
)
async def test_what_is_no_fault_of_the_code_is_tried_again(fault: Exception, counted: type[Counted]) -> None:
    tape, _ = market(40, gaps=0.0)
    faults = [fault, None, None, None, fault, fault]

    class Falters(counted):  # type: ignore[misc, valid-type]
        def decide(self, *bar: Any) -> Any:
            found = faults.pop() if faults else None
            if found is not None:
                raise found
            return super().decide(*bar)

        def describe(self) -> Any:
            if len(faults) == 1:
                raise faults.pop()
            return super().describe()

    house, ours = await housed(tape, CROSSOVER, Falters, parameters=SHORT)
    try:
        await house.play(ours)
        assert faults == []
        assert floor_trades(house) == backtest_trades(tape)
        kept = await house.deployments.get(ours.id)
        assert (kept.status, kept.last_error) == (DeploymentStatus.ACTIVE, None)
    finally:
        await house.close()


async def test_a_trader_answers_while_its_code_runs_and_trades_nothing_once_it_is_to_stop() -> None:
    inside, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    class Slow(MemorySandbox):
        def begin(self, *tail: Any) -> Any:
            loop.call_soon_threadsafe(inside.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
            return super().begin(*tail)

    house, ours = await housed(TAPE, HALF, Slow)
    playing = asyncio.create_task(house.play(ours))
    try:
        await inside.wait()
        trader = house.crew.traders[trader_name(ours)]
        assert trader.ping().endswith("running")
        assert (await trader.stats()).bars == 0
        stopping = asyncio.create_task(trader.stop())
        await asyncio.sleep(0)
        assert trader.state().state == "running"
        go_on.set()
        await stopping
        assert trader.state().state == "stopped"
        assert (await house.blotter.recall(ours.id)).done_until is None
    finally:
        go_on.set()
        playing.cancel()
        await house.close()


async def test_code_that_looks_back_too_far_on_so_many_coins_is_paused_before_anything_is_read() -> None:
    tape, _ = market(6, gaps=0.0)
    coins = tuple(f"C{number:03d}" for number in range(100))
    far = "class It:\n    memory_bars = 30_001\n    def predict(self, frame):\n        return frame.last * 0.0"
    house, ours = await housed(tape, far, coins=coins)
    reason = await paused(house, ours)
    assert reason == "it looks back 30,001 bars: at most 30,000 are kept on the floor of 100 coins"


async def test_code_that_fails_touches_no_other_trader() -> None:
    tape, _ = market(40, gaps=0.0)
    bad = "if len(frame) < 2: return frame.last * 0.0\nraise ValueError('the second bar')"
    house, ours = await housed(tape, CROSSOVER, parameters=SHORT)
    record = await house.algorithms.get(ours.algorithm_id, USER)
    other = deployment(2, algorithm_type=CUSTOM, algorithm_id=deployment(3).id)
    await house.algorithms.create(replace(record, id=other.algorithm_id, code=code(bad), version=1))
    try:
        playing = asyncio.create_task(house.play(ours, other))
        await until(lambda: _finished(house, ours, tape))
        playing.cancel()
        assert floor_trades(house) == backtest_trades(tape)
        assert (await house.deployments.get(other.id)).status is DeploymentStatus.PAUSED
    finally:
        await house.close()


async def _finished(house: House, ours: Deployment, tape: Any) -> bool:
    return (await house.blotter.recall(ours.id)).done_until == tape.frame.time(-1)


async def _is(holds: bool) -> bool:
    return holds
