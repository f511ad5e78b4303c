"""What a supervisor knows of one trader, and what it does about it."""

from dataclasses import dataclass, field

from omc.ledger.cadence import Cadence
from omc.trading.deployment import Deployment
from omc.trading.floor import TraderState

ENDED = frozenset({"halted", "stopped"})


@dataclass(slots=True)
class Watch:
    """One active deployment's trader. Times are seconds of a clock that only rises."""

    deployment: Deployment
    cadence: Cadence = field(default_factory=lambda: Cadence(every_s=1.0, longest_s=60.0, first_s=1.0))
    state: TraderState | None = None
    starts: int = 0
    """Since it last ran well."""
    started_s: float = 0.0

    def may_start(self, now_s: float) -> bool:
        """At once the first time; then after growing pauses, for as long as it does not stay."""
        return self.starts == 0 or now_s >= self.started_s + self.cadence.pause_s(self.starts)

    def is_coming(self, now_s: float, within_s: float) -> bool:
        """It was started no longer ago than that, and has not been heard of as trading."""
        heard = self.state is not None and self.state.state != "starting"
        return self.starts > 0 and not heard and now_s < self.started_s + within_s

    def started(self, now_s: float) -> None:
        self.starts += 1
        self.started_s = now_s

    def saw(self, state: TraderState, now_s: float) -> None:
        self.state = state
        if state.state == "running" and now_s > self.started_s + self.cadence.longest_s:
            self.starts = 0

    def must_be_replaced(self, wanted: Deployment) -> bool:
        """Its actor lives but trades no more, or trades by other parameters or limits than are wanted now."""
        ended = self.state is not None and self.state.state in ENDED
        return ended or (wanted.parameters, wanted.limits) != (self.deployment.parameters, self.deployment.limits)
