"""Small tapes to decide on."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from omc.feature.frame import Frame


@pytest.fixture
def tape() -> Callable[..., Frame]:
    """Five-minute bars from midnight of 2025-01-01 UTC: a sequence of prices for each coin, bid and ask alike."""

    def made(*columns: Sequence[float]) -> Frame:
        last = np.array(columns, dtype=np.float64).T
        times = np.datetime64("2025-01-01", "us") + np.arange(len(last)) * np.timedelta64(300, "s")
        return Frame(times, tuple("ABCD"[: len(columns)]), last, last, last)

    return made
