"""A look at every active deployment's losses with each new bar, whether or not it wants to trade."""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from actors.limits.exposures import Exposures, holdings_of
from omc.errors import OmcError
from omc.market.quote import QuoteBoard
from omc.risk.exposure import Figures, Level
from omc.risk.limits import AccountLimits, Bounds
from omc.risk.losses import TRIPPING
from omc.risk.standing import Standing
from omc.risk.store import Holdings, Place
from omc.trading.deployment import Deployment

if TYPE_CHECKING:
    from actors.orders.sender import Office, RiskPorts

_log = logging.getLogger(__name__)
_BAR = timedelta(minutes=5)


class Rounds:
    def __init__(self, ports: "RiskPorts", office: "Office", exposures: Exposures) -> None:
        self._ports = ports
        self._office = office
        self._exposures = exposures
        self._bar: datetime | None = None

    async def run(self) -> None:
        """For as long as the desk works. What a round cannot find out is asked again in the next."""
        while True:
            await asyncio.sleep(self._ports.round_every_s)
            try:
                await self.once()
            except OmcError as fault:
                _log.warning("losses could not be looked at", extra={"error": str(fault)})
            except Exception:
                _log.exception("losses could not be looked at")

    async def once(self) -> None:
        """Nothing, when there is no new bar, or another desk's lease is in force."""
        board = await self._ports.quotes.newest()
        if board is None or self._office.lease is None:
            return
        bar = board.time - (board.time - datetime.min.replace(tzinfo=board.time.tzinfo)) % _BAR
        if bar == self._bar:
            return
        limits: dict[object, AccountLimits] = {}
        seen: dict[Place, Deployment] = {}
        for deployment in await self._ports.deployments.active():
            owner = deployment.user_id
            limits[owner] = limits.get(owner) or await self._ports.risk.limits(owner)
            bounds = (deployment.limits, limits[owner].bounds, self._ports.platform)
            for place, bound in zip(Place.all_of(deployment), bounds, strict=True):
                if place not in seen and (bound.daily_loss_aud is not None or bound.drawdown is not None):
                    seen[place] = deployment
                    await self._look(place, deployment, bound, board, limits[owner].zone_of(place.level))
        await self._exposures.places.remember()
        self._bar = bar

    async def _look(
        self, place: Place, deployment: Deployment, bounds: Bounds, board: QuoteBoard, zone: ZoneInfo
    ) -> None:
        holdings, places = await self._holdings(place, deployment), self._exposures.places
        equity = holdings.equity_aud(await self._exposures.marks.of(holdings.coins, board, board.time))
        standing = await places.stand(place, equity, holdings.capital_aud, board.time, zone)
        figures = Figures(place.level, bounds, equity, standing.day_result_aud(equity), standing.drawdown(equity))
        for asked in TRIPPING:
            no = asked(figures)
            if no is not None and no.breach is not None and not self._known(standing, deployment, no.breach.limit):
                await places.breached(deployment, no.breach, no.reason, no.message)

    def _known(self, standing: Standing, deployment: Deployment, limit: str) -> bool:
        """Whether it was told today, and the switch is on."""
        return limit in standing.told and self._exposures.halts.halted(deployment.user_id, deployment.id) is not None

    async def _holdings(self, place: Place, deployment: Deployment) -> Holdings:
        if place.level is Level.DEPLOYMENT:
            return holdings_of(await self._ports.blotter.account(deployment.id))
        return await self._ports.risk.holdings(place)
