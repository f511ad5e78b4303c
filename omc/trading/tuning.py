"""Other parameters for a deployment that trades: from when on they hold, and what held before."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from omc.errors import Conflict, Overtaken
from omc.trading.deployment import Deployment, DeploymentStatus


@dataclass(frozen=True, slots=True)
class Tuning:
    """A change of a deployment's parameters, as its journal has it."""

    before: Mapping[str, Any]
    parameters: Mapping[str, Any]
    last_bar: datetime | None
    """The last bar that was decided on with those before; None where there was none yet."""

    def told(self) -> dict[str, object]:
        return {
            "parameters": dict(self.parameters),
            "parameters_before": dict(self.before),
            "last_bar_before": self.last_bar.isoformat() if self.last_bar else None,
            "reason": "asked for by its owner",
        }

    @classmethod
    def told_in(cls, data: Mapping[str, Any]) -> Self | None:
        """The one that an entry of the journal tells of; None when it tells of something else."""
        if "parameters_before" not in data:
            return None
        last = data["last_bar_before"]
        return cls(data["parameters_before"], data["parameters"], datetime.fromisoformat(last) if last else None)


def check_tunable(deployment: Deployment, before: Mapping[str, Any]) -> None:
    """Conflict for what was stopped for good, Overtaken unless its parameters are `before` still."""
    if deployment.status is DeploymentStatus.STOPPED:
        raise Conflict(f"deployment {deployment.name} was stopped for good")
    if dict(deployment.parameters) != dict(before):
        raise Overtaken(f"the parameters of {deployment.name} have been changed since they were read")
