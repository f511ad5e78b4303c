"""Where each deployment, account and the platform stand, and what follows when a limit of theirs is broken."""

import asyncio
import logging
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from uuid import UUID
from zoneinfo import ZoneInfo

from actors.halts.known import Halts
from omc.errors import OmcError
from omc.risk.exposure import Level
from omc.risk.kill_switch import Halt, HaltLevel
from omc.risk.losses import TRIPS
from omc.risk.standing import Standing, day_of
from omc.risk.store import BreachTold, Place
from omc.risk.verdict import Breach, DenialReason
from omc.trading.deployment import Deployment, Mode

if TYPE_CHECKING:
    from actors.orders.sender import RiskPorts

_log = logging.getLogger(__name__)


class Places:
    """One for a risk desk, which alone writes standings."""

    def __init__(self, ports: "RiskPorts", halts: Halts) -> None:
        self._ports = ports
        self._halts = halts
        self._standings: dict[Place, Standing] = {}
        self._stored: dict[Place, Standing] = {}
        """What is known to be in the store: read there, or written."""
        self._writing = asyncio.Lock()

    async def stand(
        self, place: Place, equity_aud: Decimal, capital_aud: Decimal, now: datetime, zone: ZoneInfo
    ) -> Standing:
        """Where `place` stands now. Stored at once when a day begins or its capital has changed; a new peak waits for
        `remember`."""
        if place not in self._standings:
            found = (await self._ports.risk.standings([place])).get(place)
            # Somebody may have brought it up to date while it was read.
            if found is not None and place not in self._standings:
                self._standings[place] = self._stored[place] = found
        known, day = self._standings.get(place), day_of(now, zone)
        standing = known.at(day, equity_aud, capital_aud) if known else Standing.begun(day, equity_aud, capital_aud)
        self._standings[place] = standing
        stored = self._stored.get(place)
        if stored is None or (stored.day, stored.capital_aud) != (standing.day, standing.capital_aud):
            async with self._writing:
                # What was forgotten while others wrote begins anew with the next look.
                if place in self._standings:
                    await self._store(place, self._standings[place])
        return standing

    async def remember(self) -> None:
        """Store what has changed since it was stored."""
        async with self._writing:
            await self._remember()

    async def forget(self, user_id: UUID | None, deployment_id: UUID | None) -> None:
        """Measure losses there anew that tripped a switch."""
        async with self._writing:
            await self._remember()
            await self._ports.risk.forget(user_id, deployment_id)
            for known in (self._standings, self._stored):
                # The store says what is left of them.
                for place in [each for each in known if each.user_id == user_id]:
                    del known[place]

    async def breached(self, deployment: Deployment, breach: Breach, reason: DenialReason, message: str) -> None:
        """Tell of a limit that was broken, once a day; a loss trips the switch of its level, whether or not anybody can
        be told."""
        place = next(each for each in Place.all_of(deployment) if each.level == breach.level)
        halt = await self._tripped(place, deployment, message) if reason in TRIPS else None
        if halt is not None:
            self._halts.add(halt)
        try:
            async with self._writing:
                await self._tell(place, BreachTold(deployment.user_id, deployment.id, breach), trips=halt is not None)
            if halt is not None:
                await self._ports.kill_switch.trip(
                    halt.user_id, message, deployment_id=halt.deployment_id, level=halt.level
                )
        except OmcError as fault:
            # The order is denied all the same, and so is the next: then it is told again.
            _log.warning("a breach could not be told", extra={"deployment": str(deployment.id), "error": str(fault)})

    async def _tell(self, place: Place, told: BreachTold, *, trips: bool) -> None:
        standing = self._standings.get(place)
        if standing is None or told.breach.limit in standing.told:
            return
        await self._store(place, _told(standing, told.breach.limit, trips), told)
        # Others may have moved it on meanwhile.
        self._standings[place] = _told(self._standings[place], told.breach.limit, trips)

    async def _remember(self) -> None:
        changed = {place: each for place, each in self._standings.items() if self._stored.get(place) != each}
        if changed:
            await self._ports.risk.remember(changed)
            self._stored |= changed

    async def _store(self, place: Place, standing: Standing, *breaches: BreachTold) -> None:
        await self._ports.risk.remember({place: standing}, breaches)
        self._stored[place] = standing

    async def _tripped(self, place: Place, deployment: Deployment, message: str) -> Halt:
        """What a loss halts. On paper it keeps no real money from working, not even some that is paused: then, and as
        long as nobody can tell, it halts the deployment that met it."""
        user_id, deployment_id = place.user_id, place.deployment_id
        if place.level is not Level.DEPLOYMENT and place.mode is Mode.PAPER and await self._has_live(place):
            user_id, deployment_id = deployment.user_id, deployment.id
        return Halt(user_id, self._ports.clock.now(), message, HaltLevel.ADDING, deployment_id)

    async def _has_live(self, place: Place) -> bool:
        """Whether anything is live there that is not stopped for good."""
        try:
            live = await self._ports.risk.holdings(Place(Mode.LIVE, place.user_id))
        except OmcError:
            _log.warning("whether anything is live cannot be told", extra={"place": place.key})
            return True
        return bool(live.capital_aud or live.coins)


def _told(standing: Standing, limit: str, trips: bool) -> Standing:
    return replace(standing.told_of(limit), tripped=standing.tripped or trips)
