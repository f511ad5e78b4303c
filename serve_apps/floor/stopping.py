"""What an emergency stop does, one thing beside the other, so that whatever is down holds nothing else up."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from omc.errors import Conflict, OmcError, Unavailable
from omc.risk.kill_switch import Halt, HaltLevel
from omc.trading.deployment import Deployment, DeploymentStatus
from omc.trading.floor import HaltReport
from serve_apps.floor.effects import Effects
from serve_apps.floor.ports import FloorPorts
from serve_apps.once import Operation
from serve_apps.patience import soon

T = TypeVar("T")
_OWNER_S, _ROW_S, _TRIP_S, _PAUSE_S = 1.0, 3.0, 2.0, 5.0
# Cancelling and selling take the venue's time; what is not done by then goes on, and is said not to be done yet.
_DESK_S = 20.0


@dataclass(frozen=True, slots=True)
class Stopped:
    """An emergency stop: the flag that is set, where it is kept, whom it paused, and what the risk desk did."""

    halt: Halt
    kept_in: tuple[str, ...]
    """file, database, risk desk: each suffices, and the last only for as long as it lives."""
    paused: tuple[Deployment, ...]
    report: HaltReport


@dataclass(frozen=True, slots=True)
class Released:
    """`still` is what halts it all the same: a wider halt, or one that was tripped meanwhile."""

    still: Halt | None
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stopping:
    ports: FloorPorts
    effects: Effects

    async def stop(
        self,
        user_id: UUID,
        reason: str,
        liquidate: bool,
        *,
        deployment_id: UUID | None = None,
        level: HaltLevel = HaltLevel.ALL,
        operation: Operation | None = None,
    ) -> Stopped:
        """Halt an account, or one deployment of it. Unavailable only when nobody could be told at all; of everything
        else that fails, each is listed and nothing raised. What the risk desk does waits for no database. Conflict when
        the operation was carried out before, and has been reset since."""
        await self._check_owner(user_id, deployment_id)
        flag, desk = self.ports.flag, self.ports.risk
        since = operation.began_at if operation else self.ports.clock.now()
        asked = Halt(user_id, since, reason, level, deployment_id)
        if (
            operation
            and operation.repeated
            and await _tried(soon(flag.catch_up(asked), "the database", _ROW_S)) is None
        ):
            raise Conflict("this halt was carried out, and has been reset since")
        storing = asyncio.ensure_future(self._stored(asked))
        file, told = await asyncio.gather(
            _tried(flag.write_file(asked)), _tried(soon(desk.trip(asked), "the risk desk", _TRIP_S))
        )
        if isinstance(file, OmcError) and isinstance(told, OmcError):
            # Only the database may keep it: what nobody keeps is not carried out either.
            await asyncio.wait((storing,))
            if isinstance(row := storing.result()[0], OmcError):
                raise Unavailable("; ".join(str(fault) for fault in (file, row, told)))
        report, _ = await asyncio.gather(
            _tried(soon(desk.halt(user_id, liquidate, deployment_id, level), "the risk desk", _DESK_S)),
            self.effects.nudge(),
        )
        row, paused = await storing
        kept = {"file": file, "database": row, "risk desk": told}
        kept_in = tuple(name for name, answer in kept.items() if not isinstance(answer, OmcError))
        halt = next((answer for answer in (row, file) if isinstance(answer, Halt)), asked)
        problems = [_missing(name, answer, kept_in) for name, answer in kept.items() if isinstance(answer, OmcError)]
        if isinstance(paused, OmcError):
            problems.append(f"deployments could not be paused: {paused}; they can send nothing all the same")
            paused = []
        if isinstance(report, OmcError):
            problems.append(f"the risk desk has not told what it did: {report}; the halt itself holds")
            report = HaltReport(0, (), ())
        done = HaltReport(report.cancelled_orders, report.sold, (*problems, *report.problems))
        return Stopped(halt, kept_in, tuple(paused), done)

    async def _stored(self, asked: Halt) -> tuple[Halt | OmcError, list[Deployment] | OmcError]:
        """The row, and whom it paused. A database that does not answer is not waited for twice: the risk desk pauses
        them when it is back."""
        row = await _tried(soon(self.ports.flag.write_row(asked), "the database", _ROW_S))
        if isinstance(row, OmcError):
            return row, row
        return row, await _tried(soon(self._pause(row), "the database", _PAUSE_S))

    async def reset(
        self, user_id: UUID, reason: str, deployment_id: UUID | None = None, *, until: datetime | None = None
    ) -> Released:
        """End a halt, and measure those losses anew that tripped it. One that began after `until` stays. Unavailable
        without the database, where it is journaled who did so, and why: then everything stays halted."""
        await self._check_owner(user_id, deployment_id)
        ports = self.ports
        if until is not None and (newer := await self._newer(user_id, deployment_id, until)) is not None:
            return Released(newer, ("this halt began after the one that is meant: it stays",))
        await ports.limits.forget(user_id, deployment_id)
        await ports.flag.reset(user_id, deployment_id=deployment_id, by=str(user_id), reason=reason, until=until)
        problems: tuple[str, ...] = ()
        released = await _tried(soon(ports.risk.release(user_id, deployment_id), "the risk desk", _PAUSE_S))
        if isinstance(released, OmcError):
            problems = (f"the risk desk has not heard of it: {released}; reset it again, or it stays halted there",)
        return Released(await ports.flag.halted(user_id, deployment_id), problems)

    async def _newer(self, user_id: UUID, deployment_id: UUID | None, until: datetime) -> Halt | None:
        on = await self.ports.flag.on()
        return next((each for each in on if each.place == (user_id, deployment_id) and each.since > until), None)

    async def _check_owner(self, user_id: UUID, deployment_id: UUID | None) -> None:
        """NotFound for what is somebody else's. A database that is away does not say whether it is: a halt of another's
        deployment stops nothing."""
        if deployment_id is None:
            return
        found = await _tried(soon(self.ports.deployments.get(deployment_id, user_id), "the database", _OWNER_S))
        if isinstance(found, OmcError) and not isinstance(found, Unavailable):
            raise found

    async def _pause(self, halt: Halt) -> list[Deployment]:
        deployments, reason = self.ports.deployments, f"emergency stop: {halt.reason}"
        if halt.level is not HaltLevel.ALL or halt.user_id is None:
            return []
        if halt.deployment_id is None:
            return await deployments.pause_all(halt.user_id, reason)
        if (await deployments.get(halt.deployment_id)).status is not DeploymentStatus.ACTIVE:
            await deployments.affirm(halt.deployment_id)
            return []
        return [await deployments.set_status(halt.deployment_id, DeploymentStatus.PAUSED, reason)]


async def _tried(work: Awaitable[T]) -> T | OmcError:
    try:
        return await work
    except OmcError as fault:
        return fault


def _missing(name: str, fault: OmcError, kept_in: tuple[str, ...]) -> str:
    where = f"the halt is kept in the {' and the '.join(kept_in)}, and not in the {name}: {fault}"
    durable = {"file", "database"} & set(kept_in)
    return where if durable else f"{where}; it ends with the risk desk: ask again"
