"""Accounts at the exchange of a world, opened and traded by the venue's real client: those of real money with the keys
that their owners have stored, and replace."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from omc.access.credential import COINSPOT, Credential, seal_of
from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.exchange.keys import Key
from omc.adapters.coinspot.live import LiveAccount, LiveVenues
from omc.adapters.coinspot.venue import SANDBOX_LAG_S, CoinspotVenue
from omc.risk.verdict import Approved
from omc.trading.deployment import Deployment, Mode, live_account
from omc.trading.venue import Placement
from tests.actors.mortal import TERMS
from tests.simulation.guards import guarded
from tests.simulation.venue import ABOUT, Cable
from tests.simulation.weather import Wire

if TYPE_CHECKING:
    from tests.simulation.world import World


class SimulatedVenues(LiveVenues):
    """The Venues of one process of a world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        store, nonces = world._store(world.credentials, "credentials"), world._store(world.nonces, "nonces")
        super().__init__(store, world.vault, nonces, TERMS, base_url="sim://exchange", lag_s=SANDBOX_LAG_S)

    async def open(self, deployment: Deployment) -> Any:
        if deployment.mode is Mode.LIVE:
            return guarded(self._world.guard, await super().open(deployment))
        world = self._world
        credentials = await world.control().open_account(deployment.account, world.deposit(deployment))
        client = CoinspotClient(
            "sim://exchange",
            credentials,
            self.nonces,
            account=deployment.account,
            clock=world.clock,
            line=Cable(world.exchange),
        )
        return guarded(world.guard, self._simulated(CoinspotVenue(client, TERMS, lag_s=SANDBOX_LAG_S)))

    def _simulated(self, venue: CoinspotVenue) -> "SimulatedVenue":
        venue.__class__ = SimulatedVenue
        assert isinstance(venue, SimulatedVenue)
        venue.wire, venue._slow_s = self._world.wire, self._world.scenario.slow_s
        return venue

    def _account(self, user_id: UUID) -> LiveAccount:
        known = user_id in self._accounts
        account = super()._account(user_id)
        if not known:
            account._client._line, account._client._clock = Cable(self._world.exchange), self._world.clock
            self._simulated(account.venue)
        return account


class SimulatedVenue(CoinspotVenue):
    """The venue itself; what it sends says what it is about."""

    wire: Wire

    async def place(self, approved: Approved) -> Placement:
        about = ABOUT.set(approved.intent.client_order_id)
        try:
            await self.wire.sending()
            return await super().place(approved)
        finally:
            ABOUT.reset(about)


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A key that an owner makes at the exchange, the `number`th."""

    world: "World"
    user_id: UUID
    number: int

    @property
    def _name(self) -> str:
        return f"{live_account(COINSPOT.name, self.user_id)} key {self.number}"

    def make(self) -> None:
        """At the exchange, beside those that there are."""
        ring, account = self.world.exchange.app.ring, live_account(COINSPOT.name, self.user_id)
        first = next(key for key in ring.keys.values() if key.customer.account == account)
        ring.keys[self._name] = Key(first.customer, f"{self._name} secret")

    def end(self) -> None:
        """At the exchange, whoever still uses it."""
        self.world.exchange.app.ring.keys.pop(self._name, None)

    def credential(self) -> Credential:
        """As it is stored with us, its owner's word included."""
        world, name = self.world, uuid5(self.user_id, self._name)
        empty = Credential(name, self.user_id, COINSPOT, "", {}, world.clock.now(), withdrawals_disabled=True)
        secrets = {"api_key": self._name, "api_secret": f"{self._name} secret"}
        sealed = {field: world.vault.seal(text, seal_of(empty, field)) for field, text in secrets.items()}
        return replace(empty, sealed=sealed)
