"""Prices as people's code sees them: a frame that cannot be written to, with tables and indicators at hand."""

from functools import cached_property
from typing import Self

import pandas as pd

from omc.errors import InvalidInput
from omc.feature.frame import Frame, read_only
from omc.feature.indicator import Indicators

_PRICES = ("bid", "ask", "last")


class SeenFrame(Frame):
    """A Frame, and the same prices as tables."""

    @classmethod
    def of(cls, frame: Frame, indicators: Indicators | None = None) -> Self:
        """The same prices, not looked over again."""
        seen = object.__new__(cls)
        for name in ("times", *_PRICES):
            object.__setattr__(seen, name, read_only(getattr(frame, name)))
        object.__setattr__(seen, "coins", frame.coins)
        if indicators is not None:
            seen.__dict__["indicators"] = indicators
        return seen

    @cached_property
    def indicators(self) -> Indicators:
        """Of `last`, each computed once."""
        return Indicators(self.last)

    def data(self, coin: str | None = None, price: str = "last") -> pd.DataFrame:
        """(T, C) of one price, a column a coin; or with `coin` its bid, ask and last, (T, 3). Rows are by time, UTC."""
        index = pd.DatetimeIndex(self.times, tz="UTC", name="time")
        if coin is None:
            if price not in _PRICES:
                raise InvalidInput(f"a price is one of {', '.join(_PRICES)}, not {price!r}"[:200])
            return pd.DataFrame(getattr(self, price).copy(), index=index, columns=list(self.coins))
        if coin not in self.coins:
            raise InvalidInput(f"there is no coin {coin!r} here; there are {', '.join(self.coins)}"[:300])
        at = self.coins.index(coin)
        return pd.DataFrame({name: getattr(self, name)[:, at] for name in _PRICES}, index=index)
