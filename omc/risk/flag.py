"""The kill switch as everybody but the risk desk sees it: rows in the database and files beside it, either suffices."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from omc.clock import Clock
from omc.errors import OmcError, Unavailable
from omc.risk.halt_files import PLATFORM, HaltFiles, Place, ResetAsked
from omc.risk.kill_switch import Halt, HaltLevel, KillSwitch, strictest


@dataclass(frozen=True, slots=True)
class DurableFlag:
    """A KillSwitch."""

    rows: KillSwitch
    files: HaltFiles
    clock: Clock

    async def trip(
        self,
        user_id: UUID | None,
        reason: str,
        *,
        deployment_id: UUID | None = None,
        level: HaltLevel = HaltLevel.ALL,
        since: datetime | None = None,
    ) -> Halt:
        """Unavailable only when neither can be written."""
        asked = Halt(user_id, since or self.clock.now(), reason, level, deployment_id)
        halts: list[Halt] = []
        faults: list[OmcError] = []
        for write in (self.write_file, self.write_row):
            try:
                halts.append(await write(asked))
            except Unavailable as fault:
                faults.append(fault)
        if not halts:
            raise Unavailable("; ".join(str(fault) for fault in faults))
        return halts[-1]

    async def write_file(self, halt: Halt) -> Halt:
        return await self.files.trip(halt)

    async def write_row(self, halt: Halt) -> Halt:
        return await self.rows.trip(
            halt.user_id, halt.reason, deployment_id=halt.deployment_id, level=halt.level, since=halt.since
        )

    async def catch_up(self, halt: Halt) -> Halt | None:
        """Its row alone: whoever is late knows of it by its file."""
        return await self.rows.catch_up(halt)

    async def reset(
        self,
        user_id: UUID | None,
        *,
        deployment_id: UUID | None = None,
        by: str = "",
        reason: str = "",
        until: datetime | None = None,
    ) -> Halt | None:
        """Needs the database, where the reset is journaled; Unavailable leaves everything halted. A halt that somebody
        trips meanwhile stays."""
        place = user_id, deployment_id
        mark = self.files.mark(place)
        in_files = self._in_files(place)
        if until is not None and any(halt.since > until for halt in in_files):
            return None
        for halt in in_files:
            # So that its end is told where its beginning is.
            await self.write_row(halt)
        if mark is not None and not await self.files.reset(place, mark):
            return None
        return await self.rows.reset(user_id, deployment_id=deployment_id, by=by, reason=reason, until=until)

    async def reset_as_asked(self, asked: ResetAsked) -> bool:
        """End the platform's halt that was meant; False when another was tripped since, which stays. Needs the database
        as `reset` does."""
        if not self.files.nothing_but(PLATFORM, asked.mark):
            return False
        # What was there when it was asked for is meant, whatever moment it says.
        meant = self._in_files(PLATFORM)
        until = max([asked.at, *(halt.since for halt in meant)])
        for halt in meant:
            await self.write_row(halt)
        if asked.mark is not None and not await self.files.reset(PLATFORM, asked.mark):
            return False
        await self.rows.reset(None, by=asked.by, reason=asked.reason, until=until)
        return not any(each.place == PLATFORM for each in await self.rows.on())

    def _in_files(self, place: Place) -> list[Halt]:
        return [halt for halt in self.files.on() if halt.place == place]

    async def halted(self, user_id: UUID, deployment_id: UUID | None = None, *, adding: bool = True) -> Halt | None:
        """What a file says needs no database."""
        by_file = [each for each in self.files.on() if each.binds(user_id, deployment_id, adding)]
        if by_file:
            return strictest(by_file)
        return await self.rows.halted(user_id, deployment_id, adding=adding)

    async def on(self) -> list[Halt]:
        rows = await self.rows.on()
        places = {each.place for each in rows}
        return [*rows, *(each for each in self.files.on() if each.place not in places)]
