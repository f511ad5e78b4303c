"""When a position is closed without the algorithm asking: stops, targets and age, as fractions of its opening price."""

from dataclasses import dataclass
from math import isnan

NONE = float("nan")


@dataclass(frozen=True, slots=True)
class Exits:
    """`docs/concepts/fills.md` says in which order they are looked at. NaN, an empty tuple and 0 mean none."""

    stop_loss: float = NONE
    """The loss since the opening that closes it."""
    trailing: float = NONE
    """The fall below the best price since the opening that closes it."""
    trailing_tight: float = NONE
    """Replaces `trailing` once the best price has gained `trailing_offset`."""
    trailing_offset: float = 0.0
    take_profit: tuple[tuple[int, float], ...] = ()
    """(bars held, gain): from that age on, a gain strictly greater closes it. Ages rise from the first, which is 0 or
    more; the gain of the highest age that was reached counts, and may be negative."""
    time_stop_bars: int = 0
    """Bars after its opening, at whose open it is closed."""
    reentry: bool = False
    """Whether a coin that was closed so may be bought again while the algorithm still wants it."""

    def __post_init__(self) -> None:
        for name in ("stop_loss", "trailing", "trailing_tight"):
            value: float = getattr(self, name)
            if not (isnan(value) or 0.0 < value < 1.0):
                raise ValueError(f"{name} must be a fraction above 0 and below 1, not {value}")
        if not self.trailing_offset >= 0.0:
            raise ValueError(f"trailing_offset must be 0 or more, not {self.trailing_offset}")
        ages = [age for age, _ in self.take_profit]
        if ages != sorted(set(ages)) or any(age < 0 for age in ages):
            raise ValueError(f"ages of take_profit must rise from 0 or more, not {ages}")
        if self.time_stop_bars < 0:
            raise ValueError(f"time_stop_bars must be 0 or more, not {self.time_stop_bars}")

    @property
    def any(self) -> bool:
        """Whether it closes anything at all."""
        return (
            not (isnan(self.stop_loss) and isnan(self.trailing) and isnan(self.trailing_tight))
            or bool(self.take_profit)
            or self.time_stop_bars > 0
        )
