"""Keeps what a risk desk knows of halts, the files beside it and the rows in the database together."""

import asyncio
import logging
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from actors.halts.emergency import Emergency
from actors.limits.exposures import Exposures
from omc.errors import NotFound, OmcError, Unavailable
from omc.risk.flag import DurableFlag
from omc.risk.halt_files import PLATFORM, Place, ResetAsked
from omc.risk.kill_switch import Halt, HaltLevel
from omc.trading.deployment import DeploymentStatus

if TYPE_CHECKING:
    from actors.orders.sender import RiskPorts

_log = logging.getLogger(__name__)


class HaltWatch:
    """A halt that only a file tells of is carried out when it is seen. What the database lacks is written when it is
    back: so is that the deployments are paused."""

    def __init__(self, ports: "RiskPorts", exposures: Exposures, emergency: Emergency) -> None:
        self._ports = ports
        self._exposures = exposures
        self._halts = exposures.halts
        self._emergency = emergency
        self._flag = DurableFlag(ports.kill_switch, ports.halt_files, ports.clock)
        self._seen: dict[Place, HaltLevel] = {}
        self._stored: dict[Place, HaltLevel] = {}
        self._working: set[asyncio.Task[None]] = set()

    async def recover(self) -> None:
        """Know every row, and carry out what files say besides. Raises when the database does not answer."""
        for halt in await self._ports.kill_switch.on():
            self._halts.add(halt)
            self._seen[halt.place] = self._stored[halt.place] = halt.level
        self.look()
        await self._catch_up()

    async def run(self) -> None:
        """A database that hangs keeps nobody from looking on."""
        catching_up: asyncio.Task[None] | None = None
        while True:
            await asyncio.sleep(self._ports.look_every_s)
            try:
                self.look()
            except Exception:
                _log.exception("the kill switch could not be looked at")
            if self._behind() and (catching_up is None or catching_up.done()):
                catching_up = self._begin(self._catch_up())

    def look(self) -> None:
        """At the files, without asking anybody."""
        for halt in self._ports.halt_files.on():
            self._halts.add(halt)
            if self._seen.get(halt.place) not in (halt.level, HaltLevel.ALL):
                self._seen[halt.place] = halt.level
                _log.warning("halted by a file", extra={"halt": str(halt)})
                self._begin(self._carry_out(halt))

    def _behind(self) -> bool:
        """Whether the database is to be told anything."""
        return any(map(self._lacks, self._halts.told())) or self._ports.halt_files.reset_asked() is not None

    async def _catch_up(self) -> None:
        await self._store([each for each in self._halts.told() if self._lacks(each)])
        asked = self._ports.halt_files.reset_asked()
        if asked is not None:
            await self._reset(asked)

    def heard(self, halt: Halt) -> None:
        """Whoever tells of a halt carries it out."""
        self._halts.add(halt)
        self._seen[halt.place] = halt.level

    async def release(self, user_id: UUID | None, deployment_id: UUID | None) -> None:
        """It was reset: losses there are measured anew."""
        place = user_id, deployment_id
        await self._exposures.places.forget(user_id, deployment_id)
        self._halts.forget(place)
        self._seen.pop(place, None)
        self._stored.pop(place, None)

    def _lacks(self, halt: Halt) -> bool:
        return self._stored.get(halt.place) not in (halt.level, HaltLevel.ALL)

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._working.add(task)
        task.add_done_callback(self._working.discard)
        return task

    async def _carry_out(self, halt: Halt) -> None:
        report = await self._emergency.halt(halt.user_id, False, halt.deployment_id, halt.level)
        for problem in report.problems:
            _log.warning("a halt could not be carried out whole", extra={"problem": problem})

    async def _store(self, halts: Iterable[Halt]) -> None:
        for halt in halts:
            try:
                if await self._flag.catch_up(halt) is not None:
                    await self._pause(halt)
            except NotFound as fault:
                # Nobody of that name trades here: it halts nothing, and there is nothing to store.
                _log.warning("a halt is nobody's", extra={"halt": str(halt), "error": str(fault)})
            except Unavailable as fault:
                _log.info("a halt cannot be stored yet", extra={"halt": str(halt), "error": str(fault)})
                return
            except OmcError as fault:
                # Others are stored all the same, and this one holds here.
                _log.warning("a halt cannot be stored", extra={"halt": str(halt), "error": str(fault)})
                continue
            self._stored[halt.place] = halt.level

    async def _pause(self, halt: Halt) -> None:
        if halt.level is not HaltLevel.ALL:
            return
        deployments, reason = self._ports.deployments, f"emergency stop: {halt.reason}"
        if halt.deployment_id is not None:
            if (await deployments.get(halt.deployment_id)).status is DeploymentStatus.ACTIVE:
                await deployments.set_status(halt.deployment_id, DeploymentStatus.PAUSED, reason)
            else:
                await deployments.affirm(halt.deployment_id)
            return
        owners = {each.user_id for each in await deployments.active()} if halt.user_id is None else {halt.user_id}
        for owner in sorted(owners):
            await deployments.pause_all(owner, reason)

    async def _reset(self, asked: ResetAsked) -> None:
        """The platform's halt, at the wish of whoever may write to its home: the one that he has seen."""
        before = self._halts.at(PLATFORM)
        later = before is not None and before.since > asked.at and before not in self._ports.halt_files.on()
        try:
            if not later and await self._flag.reset_as_asked(asked) and self._halts.at(PLATFORM) == before:
                await self.release(*PLATFORM)
            else:
                # What the database had of it may be gone with what was meant.
                self._stored.pop(PLATFORM, None)
                _log.warning("the platform was halted after its reset was asked for, and stays so")
            still = [str(each) for each in self._halts.on() if each.place == PLATFORM]
            await self._ports.halt_files.reset_done(still[0] if still else "")
        except OmcError as fault:
            _log.warning("the platform cannot be reset yet", extra={"error": str(fault)})
