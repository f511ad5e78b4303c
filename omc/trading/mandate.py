"""What a trader is to do, and on what terms."""

from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from omc.market.terms import Terms
from omc.trading.exits import Exits


@dataclass(frozen=True)
class Mandate:
    deployment_id: UUID
    user_id: UUID
    coins: tuple[str, ...]
    rebalance_band: float
    exits: Exits
    terms: Terms

    @cached_property
    def fees_bps(self) -> tuple[int, ...]:
        """What each coin's way of trading takes."""
        return tuple(self.terms.fee_bps(coin) for coin in self.coins)

    @cached_property
    def least_aud(self) -> float:
        """The smallest order that the venue accepts."""
        return float(self.terms.min_order_aud)

    @cached_property
    def sized_by(self) -> tuple[NDArray[np.int64], float, float]:
        """Fees, band and smallest order, as compiled functions take them."""
        return np.array(self.fees_bps, np.int64), float(self.rebalance_band), self.least_aud
