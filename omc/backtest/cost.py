"""What trading costs, as the kernel takes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from omc.market.terms import Terms


@dataclass(frozen=True, slots=True)
class Costs:
    """`fee_bps` is (C,) int64: what each coin's way of trading takes, inside the total of a buy, off that of a sale."""

    fee_bps: NDArray[np.int64]
    min_order_aud: float
    band: float
    """The fraction of equity by which a holding may be off its target before it is traded."""

    @classmethod
    def of(cls, terms: Terms, coins: Sequence[str], band: float) -> Self:
        """A venue's terms for `coins`, in their order."""
        return cls(np.array([terms.fee_bps(coin) for coin in coins], np.int64), float(terms.min_order_aud), band)
