"""A year of prices to ask for."""

from datetime import UTC, datetime, timedelta
from typing import Any

_COIN, _START = "YEAR", datetime(2024, 1, 1, tzinfo=UTC)


async def year_of(wired: Any, bars: int) -> tuple[str, datetime, datetime]:
    """A coin with so many stored quotes, and the first and the last moment to ask for."""
    import numpy as np

    from omc.feature.frame import Frame
    from omc.ledger.exchange import BAR

    times = np.datetime64(_START.replace(tzinfo=None), "us") + np.arange(bars) * np.timedelta64(BAR)
    last = 100.0 + np.arange(bars)[:, None] % 97
    await wired.prices.load(Frame(times, (_COIN,), bid=last - 0.5, ask=last + 0.5, last=last))
    await wired.database.close()
    return _COIN, _START, _START + timedelta(microseconds=0) + bars * BAR
