"""Which venue opens a deployment's account: the one for paper, or the one for real money."""

from dataclasses import dataclass

from omc.trading.deployment import Deployment, Mode
from omc.trading.floor import Venues
from omc.trading.venue import Venue


@dataclass(frozen=True, slots=True)
class ByMode:
    """A Venues."""

    paper: Venues
    live: Venues

    async def open(self, deployment: Deployment) -> Venue:
        venues = self.live if deployment.mode is Mode.LIVE else self.paper
        return await venues.open(deployment)
