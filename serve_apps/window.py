"""The prices that a simulation needs: its window, and the rows before it that warm its algorithm up."""

import asyncio
from datetime import timedelta

from omc.backtest.run import BacktestSpec
from omc.backtest.study import needed_bars
from omc.feature.frame import Frame
from omc.ledger.exchange import PriceArchive
from omc.strategy import registry
from omc.strategy.maker import Make


async def window_of(archive: PriceArchive, spec: BacktestSpec, make: Make = registry.make) -> Frame:
    """InvalidInput for a spec that cannot be carried out; NotFound for a coin that was never stored."""
    just_before = spec.start - timedelta(microseconds=1)
    warm_up = await archive.tail(spec.coins, just_before, await asyncio.to_thread(needed_bars, spec, make))
    return warm_up.followed_by(await archive.read(spec.coins, spec.start, spec.end))
