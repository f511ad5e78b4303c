"""The prices that a simulation needs: its window, and the rows before it that warm its algorithm up."""

import asyncio
from datetime import timedelta

from omc.backtest.run import BacktestSpec
from omc.backtest.study import needed_bars
from omc.feature.frame import Frame
from omc.ledger.catalyst import Catalyst, CatalystLedger
from omc.ledger.exchange import PriceArchive
from omc.strategy import registry
from omc.strategy.maker import Make
from omc.strategy.trigger import follow_catalysts


async def window_of(
    archive: PriceArchive, spec: BacktestSpec, make: Make = registry.make, fewest_bars: int = 0
) -> Frame:
    """InvalidInput for a spec that cannot be carried out; NotFound for a coin that was never stored. At least
    `fewest_bars` warm up, where there are as many."""
    just_before = spec.start - timedelta(microseconds=1)
    bars = max(fewest_bars, await asyncio.to_thread(needed_bars, spec, make))
    warm_up = await archive.tail(spec.coins, just_before, bars)
    return warm_up.followed_by(await archive.read(spec.coins, spec.start, spec.end))


async def events_of(catalysts: CatalystLedger, spec: BacktestSpec, frame: Frame) -> tuple[Catalyst, ...]:
    """What became known in the window that `window_of` read, where its triggers look at that."""
    if not follow_catalysts(spec.triggers) or not len(frame):
        return ()
    return tuple(await catalysts.seen(frame.time(0), frame.time(len(frame) - 1)))
