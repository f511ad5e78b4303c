"""How often a source is asked, and how it is left alone when it fails."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cadence:
    """Every `every_s` seconds while all is well; after a fault twice as long as the time before, up to `longest_s`."""

    every_s: float
    longest_s: float = 60.0
    first_s: float = 0.25
    """The pause after a first fault: most are over in a moment."""

    def __post_init__(self) -> None:
        if not (self.every_s > 0 and self.longest_s > 0 and self.first_s > 0):
            raise ValueError(f"a pause must be positive: {self}")

    def pause_s(self, faults: int) -> float:
        """How long to wait after `faults` faults in a row."""
        if faults == 0:
            return self.every_s
        # The exponent is bounded because a source may be down for weeks.
        return min(self.longest_s, self.first_s * 2.0 ** min(faults - 1, 32))
