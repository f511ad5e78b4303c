"""What the floor's requests do: first durable, then told to whoever carries it out.

Each of these is begun by a request and finished whether or not anybody still waits for the answer.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from omc.errors import OmcError
from omc.risk.kill_switch import Halt
from omc.trading.deployment import Deployment, DeploymentStatus
from omc.trading.funds import Funds
from serve_apps.floor.ports import FloorPorts
from serve_apps.once import Operation
from serve_apps.patience import soon

logger = logging.getLogger("omc.http")

# The supervisor looks round by itself every few seconds: a nudge is only quicker.
_NUDGE_S = 1.0
_ASKED = "asked for by its owner"


@dataclass(frozen=True, slots=True)
class Effects:
    ports: FloorPorts

    async def deploy(self, wanted: Deployment, *, within: Funds | None = None) -> Deployment:
        """Paused, when the account was halted meanwhile. `within` is as `DeploymentStore.create` has it."""
        stored = await self.ports.deployments.create(wanted, within=within)
        if await self._crossed(stored):
            stored = await self.ports.deployments.get(stored.id)
        await self.nudge()
        return stored

    async def move(
        self, deployment: Deployment, status: DeploymentStatus, operation: Operation | None = None
    ) -> Deployment:
        """Change what is wanted of a deployment. Wanting it again changes nothing, and neither does an operation that
        was done already, whatever others want since. An activation that has a key is a Conflict when anybody has paused
        or stopped it since it was asked for. Halted keeps it from trading, if that is all that would be done: where
        only adding is halted, it may go on reducing what it holds."""
        asked_at: datetime | None = None
        if status is DeploymentStatus.ACTIVE:
            _refuse(await self.ports.flag.halted(deployment.user_id, deployment.id, adding=False))
            asked_at = operation.began_at if operation and operation.named else None
        if deployment.status is not status:
            deployment = await self.ports.deployments.set_status(
                deployment.id, status, _ASKED, once=operation.id if operation else None, asked_at=asked_at
            )
            _refuse(await self._crossed(deployment))
        elif status is DeploymentStatus.PAUSED:
            await self.ports.deployments.affirm(deployment.id)
        await self.nudge()
        return deployment

    async def tune(self, deployment: Deployment, parameters: Mapping[str, Any], once: UUID | None = None) -> Deployment:
        """Have it decide by other parameters. Overtaken when its own have changed since it was read. `once` is as in
        `move`."""
        before = deployment.parameters
        changed = await self.ports.blotter.set_parameters(deployment.id, parameters, before=before, once=once)
        await self.nudge()
        return changed

    async def nudge(self) -> None:
        try:
            await soon(self.ports.supervision.nudge(), "the supervisor", _NUDGE_S)
        except OmcError as fault:
            logger.warning("%s; it will see for itself", fault)

    async def _crossed(self, deployment: Deployment) -> Halt | None:
        """Pause again what became active while it was halted: the stop may have paused the others before it was there,
        and would leave it to trade by itself once the halt is reset."""
        if deployment.status is not DeploymentStatus.ACTIVE:
            return None
        halt = await self.ports.flag.halted(deployment.user_id, deployment.id, adding=False)
        if halt is not None:
            reason = f"emergency stop: {halt.reason}"
            await self.ports.deployments.set_status(deployment.id, DeploymentStatus.PAUSED, reason)
        return halt


def _refuse(halt: Halt | None) -> None:
    if halt is not None:
        raise halt.fault()
