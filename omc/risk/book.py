"""The one place that says yes or no to an order."""

from dataclasses import dataclass

from omc.risk.check import CHECKS, Check
from omc.risk.exposure import Exposure
from omc.risk.verdict import Approved, Denied, Verdict
from omc.trading.order import OrderIntent


@dataclass(frozen=True, slots=True)
class RiskBook:
    """Holds no state: whoever asks hands in the exposure and keeps it from changing until the order is journaled."""

    checks: tuple[Check, ...] = CHECKS

    def assess(self, intent: OrderIntent, exposure: Exposure) -> Verdict:
        for check in self.checks:
            no = check(intent, exposure)
            if no is not None:
                return Denied(intent, no.reason, no.message, no.breach)
        return Approved(intent)
