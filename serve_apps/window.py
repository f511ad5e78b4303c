"""The prices that a simulation needs: its window, and the rows before it that warm its algorithm up."""

from datetime import timedelta

from omc.backtest.run import BacktestSpec
from omc.backtest.study import check, needed_bars
from omc.feature.frame import Frame
from omc.ledger.exchange import PriceArchive


async def window_of(archive: PriceArchive, spec: BacktestSpec) -> Frame:
    """InvalidInput for a spec that cannot be carried out; NotFound for a coin that was never stored."""
    check(spec)
    just_before = spec.start - timedelta(microseconds=1)
    warm_up = await archive.tail(spec.coins, just_before, needed_bars(spec))
    return warm_up.followed_by(await archive.read(spec.coins, spec.start, spec.end))
