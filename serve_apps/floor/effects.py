"""What the floor's requests do: first durable, then told to whoever carries it out.

Each of these is begun by a request and finished whether or not anybody still waits for the answer.
"""

import logging
from dataclasses import dataclass
from uuid import UUID

from omc.errors import Halted, OmcError
from omc.risk.kill_switch import Halt
from omc.trading.deployment import Deployment, DeploymentStatus
from omc.trading.floor import HaltReport
from serve_apps.floor.ports import FloorPorts
from serve_apps.patience import soon

logger = logging.getLogger("omc.http")

# The supervisor looks round by itself every few seconds: a nudge is only quicker.
_NUDGE_S = 1.0
# Cancelling and selling take the venue's time; what is not done by then goes on, and is said not to be done yet.
_DESK_S = 20.0


@dataclass(frozen=True, slots=True)
class Stopped:
    """An emergency stop: the flag that is set, whom it paused, and what the risk desk did."""

    halt: Halt
    paused: list[Deployment]
    report: HaltReport


@dataclass(frozen=True, slots=True)
class Effects:
    ports: FloorPorts

    async def deploy(self, wanted: Deployment, idempotency_key: str | None) -> Deployment:
        """Paused, when the account was halted meanwhile."""
        stored = await self.ports.deployments.create(wanted, idempotency_key)
        if await self._crossed(stored):
            stored = await self.ports.deployments.get(stored.id)
        await self._nudge()
        return stored

    async def move(self, deployment: Deployment, status: DeploymentStatus) -> Deployment:
        """Change what is wanted of a deployment. Wanting it again changes nothing; Halted keeps it from trading."""
        if status is DeploymentStatus.ACTIVE:
            _refuse(await self.ports.kill_switch.halted(deployment.user_id))
        if deployment.status is not status:
            deployment = await self.ports.deployments.set_status(deployment.id, status, "asked for by its owner")
            _refuse(await self._crossed(deployment))
        await self._nudge()
        return deployment

    async def stop(self, user_id: UUID, reason: str, liquidate: bool) -> Stopped:
        """Halt an account. The durable flag comes first, because orders are refused by it whatever else is down;
        of everything after it, what fails is listed, not raised."""
        halt = await self.ports.kill_switch.trip(user_id, reason)
        problems = []
        paused: list[Deployment] = []
        try:
            paused = await self.ports.deployments.pause_all(user_id, f"emergency stop: {reason}")
        except OmcError as fault:
            problems.append(f"deployments could not be paused: {fault}")
        await self._nudge()
        report = HaltReport(0, (), ())
        try:
            report = await soon(self.ports.risk.halt(user_id, liquidate), "the risk desk", _DESK_S)
        except OmcError as fault:
            problems.append(f"the risk desk could not act: {fault}; the halt itself holds")
        problems += report.problems
        return Stopped(halt, paused, HaltReport(report.cancelled_orders, report.sold, tuple(problems)))

    async def _crossed(self, deployment: Deployment) -> Halt | None:
        """Pause again what became active while its account was halted: the stop may have paused the others before it
        was there, and would leave it to trade by itself once the halt is reset."""
        if deployment.status is not DeploymentStatus.ACTIVE:
            return None
        halt = await self.ports.kill_switch.halted(deployment.user_id)
        if halt is not None:
            await self.ports.deployments.pause_all(deployment.user_id, f"emergency stop: {halt.reason}")
        return halt

    async def _nudge(self) -> None:
        try:
            await soon(self.ports.supervision.nudge(), "the supervisor", _NUDGE_S)
        except OmcError as fault:
            logger.warning("%s; it will see for itself", fault)


def _refuse(halt: Halt | None) -> None:
    if halt is not None:
        raise Halted(f"trading is halted since {halt.since.isoformat()}: {halt.reason}")
