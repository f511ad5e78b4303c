"""How much a backtest may hold, whatever the algorithm asks for."""

from dataclasses import dataclass
from math import inf

from omc.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Limits:
    """A target beyond a limit is carried out as far as the limit."""

    max_weight: float = 1.0
    """The part of equity that one coin may be worth when it is traded."""
    max_notional_aud: float = inf
    """What one coin may be worth when it is traded."""
    max_gross: float = 1.0
    """The part of equity that all coins together, long and short, may be worth after a purchase or a short sale."""
    max_positions: int | None = None
    """Coins that may be held at once."""

    def __post_init__(self) -> None:
        for name in ("max_weight", "max_gross"):
            value: float = getattr(self, name)
            if not 0.0 < value <= 1.0:
                raise InvalidInput(f"{name} is a fraction above 0 and up to 1, not {value}")
        if not self.max_notional_aud > 0.0:
            raise InvalidInput(f"max_notional_aud must be above 0, not {self.max_notional_aud}")
        if self.max_positions is not None and self.max_positions < 1:
            raise InvalidInput(f"max_positions must be 1 or more, not {self.max_positions}")
