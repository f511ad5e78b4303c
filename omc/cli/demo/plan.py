"""What the demo does: which algorithm it searches, and with what it trades."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Plan:
    """Trends of days, because the venue's spread of one to three percent eats whatever turns over faster."""

    algorithm_type: str = "moving_average_crossover"
    space: Mapping[str, Sequence[Any]] = field(
        default_factory=lambda: {
            "fast_bars": [96, 144, 192, 288],
            "slow_bars": [576, 1008, 1440, 2016],
            "entry_threshold": [0.0, 0.01],
        }
    )
    own_points: int = 32
    """Of a sweep over the ranges that somebody's own code declares."""
    objective: str = "sharpe"
    folds: int = 3
    """Of the walk-forward, on a history in which the shorter windows fit into each part; none on a shorter one."""
    folded_bars: int = 2_304
    cash_aud: str = "10000.00"
    # Narrow, so that holdings are trimmed as prices drift: many small trades, which cost little.
    rebalance_band: float = 0.002
    fault_rate: float = 0.04
    """Of the exchange's requests, when it is to misbehave …"""
    account_fault_rate: float = 0.25
    """… and of those that are made with a key: orders are few, and what goes wrong with prices is soon asked again."""
    synthetic_days: int = 10
    """The floor's part of the synthetic market; of recorded prices it is the last third unless it is said."""
    # Wide enough not to bind: what is shown is that the floor does what the backtest does, which knows no limits.
    limits: Mapping[str, str] = field(
        default_factory=lambda: {
            "order_notional_aud": "100000.00",
            "position_notional_aud": "100000.00",
            "daily_loss_aud": "10000.00",
        }
    )

    @property
    def fault_rates(self) -> dict[str, float]:
        return {"rate": self.fault_rate, "account_rate": self.account_fault_rate}

    def folds_of(self, history_bars: int) -> int:
        return self.folds if history_bars >= self.folded_bars else 0
