"""The exchange's faults while it runs: switched on and off through the control API, and all that struck kept for it."""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from omc.adapters.coinspot.exchange.answer import Refusal
from omc.adapters.coinspot.exchange.faults import CHANGES_TRADES, Fault, FaultKind, asked
from omc.adapters.coinspot.exchange.plan import DEFAULT_RATE, FaultPlan, kinds_of
from omc.adapters.coinspot.exchange.showing import Showing
from omc.errors import InvalidInput
from omc.trading.paper.order import Execution

KEPT = 10_000
"""Faults that are listed; what came before them is only counted."""
_FIELDS = frozenset({"seed", "rate", "account_rate", "kinds", "most"})


@dataclass(frozen=True, slots=True)
class Struck:
    """One fault that made a difference."""

    kind: FaultKind
    method: str
    path: str
    account: str
    """Empty for whoever asked without a key."""
    position: int
    """Where the tape stood."""


@dataclass(slots=True)
class FaultDesk:
    plan: FaultPlan | None = None
    showing: Showing = field(default_factory=Showing)
    counts: Counter[FaultKind] = field(default_factory=Counter)
    struck: deque[Struck] = field(default_factory=lambda: deque(maxlen=KEPT))
    closed_until_s: float = 0.0

    def next(self, path: str, account: str, executions: Sequence[Execution]) -> Fault | None:
        """What befalls this request; nobody has been told of it yet. `executions` are everybody's."""
        plan = self.plan
        if plan is None or asked(path) is None:
            return None
        now_s = asyncio.get_running_loop().time()
        self.showing.note(executions, now_s, plan.spans.lag_s)
        fault = plan.next(path, account)
        if plan.most and self.counts.total() >= plan.most:
            return None
        if now_s < self.closed_until_s:
            return Fault(FaultKind.MAINTENANCE, 0.0, 0)
        if fault and fault.kind is FaultKind.MAINTENANCE:
            self.closed_until_s = now_s + plan.spans.maintenance_s * fault.size
        return fault

    def note(self, executions: Sequence[Execution]) -> None:
        """What a request did, as soon as it did it."""
        if self.plan is not None:
            self.showing.note(executions, asyncio.get_running_loop().time(), self.plan.spans.lag_s)

    def tell(self, struck: Struck) -> None:
        self.counts[struck.kind] += 1
        self.struck.append(struck)

    def begin(self, plan: FaultPlan | None, executions: Sequence[Execution]) -> None:
        """Go on with another plan, and a new list; or without one, and keep the list."""
        self.plan, self.closed_until_s = plan, 0.0
        self.showing.begin(executions)
        if plan is not None:
            self.counts.clear()
            self.struck.clear()

    def switch(self, fields: Mapping[str, Any], executions: Sequence[Execution]) -> dict[str, Any]:
        """As the control API is told to: {"seed", "rate", "account_rate", "kinds", "most"} turns them on, {} off."""
        self.begin(_plan(fields) if fields else None, executions)
        return self.document()

    def document(self) -> dict[str, Any]:
        plan = self.plan
        return {
            "on": plan is not None,
            "seed": plan.seed if plan else None,
            "rate": plan.rate if plan else None,
            "account_rate": plan.account_rate if plan else None,
            "kinds": sorted(plan.kinds) if plan else [],
            "most": plan.most if plan else None,
            "harmless": sorted(frozenset(FaultKind) - CHANGES_TRADES),
            "total": self.counts.total(),
            "counts": {kind.value: self.counts[kind] for kind in FaultKind if self.counts[kind]},
            "faults": [
                {
                    "kind": each.kind.value,
                    "method": each.method,
                    "path": each.path,
                    "account": each.account,
                    "position": each.position,
                }
                for each in self.struck
            ],
        }


def _plan(fields: Mapping[str, Any]) -> FaultPlan:
    if unknown := sorted(fields.keys() - _FIELDS):
        raise Refusal(400, f"{unknown[0][:40]} is none of {', '.join(sorted(_FIELDS))}")
    seed, rate, most = fields.get("seed"), fields.get("rate", DEFAULT_RATE), fields.get("most", 0)
    kinds = fields.get("kinds", [])
    if not _whole(seed) or not _whole(most):
        raise Refusal(400, "seed, which is needed, and most are whole numbers")
    account_rate = fields.get("account_rate", rate)
    if any(not isinstance(each, int | float) or isinstance(each, bool) for each in (rate, account_rate)):
        raise Refusal(400, "a rate is a number")
    if not isinstance(kinds, list) or not all(isinstance(kind, str) for kind in kinds):
        raise Refusal(400, "kinds is a list of names")
    try:
        return FaultPlan(int(seed or 0), float(rate), kinds_of(kinds), int(most), account_rate=float(account_rate))
    except InvalidInput as fault:
        raise Refusal(400, str(fault)) from None


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
