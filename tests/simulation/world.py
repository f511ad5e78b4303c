"""A whole floor on a virtual clock: real actors, the real client of the venue and the real exchange, for one seed.

What is durable, the stores and the exchange, lives as long as the world; processes come and go.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from random import Random
from typing import Any
from uuid import UUID

from actors import address, handle
from actors.collector import CollectorPorts, ExchangeCollector
from actors.handle import CollectorHandle, RiskHandle, SupervisorHandle
from actors.orders.sender import RiskPorts
from actors.risk import RiskActor
from actors.supervisor import Supervisor
from actors.trader import TraderActor, TraderPorts
from omc.adapters.coinspot.prices import CoinspotPrices
from omc.adapters.coinspot.sandbox import SandboxControl
from omc.ledger.cadence import Cadence
from omc.trading.deployment import Deployment, trader_name
from omc.trading.order import OrderStatus
from serve_apps.floor.ports import FloorPorts
from tests.actors.mortal import TERMS, Shipped, Written
from tests.simulation.accounts import OwnKey, SimulatedVenues
from tests.simulation.crew import SimulatedCrew
from tests.simulation.durable import TOKEN, Durable
from tests.simulation.guards import Guard, guarded, without
from tests.simulation.hosts import Hosts
from tests.simulation.loop import OWNER, Life, VirtualLoop
from tests.simulation.scenario import Scenario
from tests.simulation.venue import Cable
from tests.simulation.weather import Remote, Wire

CADENCE = Cadence(every_s=1.0, longest_s=4.0, first_s=0.05)
_OVER = frozenset(each.value for each in OrderStatus if each.final)
CORE = (address.COLLECTOR_EXCHANGE, address.RISK, address.SUPERVISOR)


class World(Durable):
    def __init__(
        self, scenario: Scenario, guard: Guard | None = None, trace: Callable[[str], None] | None = None
    ) -> None:
        self.guard, self._trace = guard, trace
        loop, seed = VirtualLoop(), scenario.seed
        weather = replace(scenario.weather, cuts=dict(scenario.weather.cuts))
        wire = Wire(loop, weather, Random(f"wire {seed}"), self._kill, self._cut_off, self.tell)
        super().__init__(scenario, loop, wire)
        self.hosts = Hosts(wire, Random(f"hosts {seed}"))
        self.left_behind: list[str] = []
        """Orders that were said to be over while they were on the venue's book."""
        self.mistaken: dict[str, str] = {}
        """Orders that had not arrived when one that their owner made by hand was taken for them, and that one's id."""
        self.deployments.journal.listeners.append(self._overheard)
        if scenario.shared:
            for user in self.users:
                first = OwnKey(self, user, 0).credential()
                self.credentials.kept[user, first.keyhole] = first

    def _overheard(self, _: UUID) -> None:
        entry = self.deployments.journal.lines[-1][1]
        name = entry.data.get("client_order_id")
        if name is None:
            return
        known_as = self.blotter._rows[name].order.venue_order_id
        by_hand = known_as is not None and self.venue.sent_for.get(known_as) == ""
        if known_as is not None and by_hand and not any(each.about == name for each in self.venue.taken):
            self.mistaken.setdefault(name, known_as)
        if entry.kind not in _OVER or name in self.mistaken:
            return
        for wallet in self.venue._wallets.values():
            if any(self.venue.sent_for[order_id] == name for order_id in wallet.orders):
                self.left_behind.append(f"{name} was said to be {entry.kind} while it was on the venue's book")
        done = sum(each.quantity for each in self.venue.executions if self.venue.sent_for.get(each.order_id) == name)
        if not self.scenario.lags and done > self.blotter._rows[name].order.filled_quantity:
            self.left_behind.append(f"{name} was said to be {entry.kind} though the venue had executed {done} of it")

    # Processes

    def start(self) -> None:
        self.hosts.start(address.COLLECTOR_EXCHANGE, lambda _: ExchangeCollector(self._collector_ports()))
        self.hosts.start(address.RISK, self._risk)
        self.hosts.start(address.SUPERVISOR, lambda _: self._supervisor())

    def _kill(self, life: Life) -> None:
        self.hosts.kill(life)

    def _cut_off(self, life: Life, still_s: float) -> None:
        place = self.hosts.places.get(life.name)
        if place is not None and place.life is life:
            self.hosts.split(life.name, still_s)

    def _risk(self, life: Life) -> RiskActor:
        return without(self.guard, RiskActor(self._risk_ports(), retire=lambda: self._kill(life)))

    def _supervisor(self) -> Supervisor:
        return Supervisor(
            self._store(self.deployments, "deployments"), SimulatedCrew(self), CollectorHandle(), seconds=self.loop.time
        )

    def trader(self, of: Deployment) -> TraderActor:
        return TraderActor(self._trader_ports, of.id, trader_name(of))

    def _store(self, twin: Any, name: str) -> Any:
        return Remote(guarded(self.guard, twin), self.wire, name)

    def control(self) -> SandboxControl:
        control = SandboxControl("sim://exchange", Any)
        control._token, control._line = TOKEN, Cable(self.exchange)
        return control

    def _collector_ports(self) -> CollectorPorts:
        control = self.control()
        prices = CoinspotPrices("sim://exchange", control)
        prices._line = Cable(self.exchange)
        return CollectorPorts(
            source=prices,
            archive=self._store(self.archive, "archive"),
            clock=self.clock,
            deployments=self._store(self.deployments, "deployments"),
            tape=control,
            cadence=Cadence(every_s=max(0.25, self.scenario.bar_s / 4), longest_s=4.0, first_s=0.05),
        )

    def _risk_ports(self) -> RiskPorts:
        return RiskPorts(
            blotter=self._store(self.blotter, "blotter"),
            deployments=self._store(self.deployments, "deployments"),
            leases=self._store(self.leases, "leases"),
            kill_switch=self._store(self.kill_switch, "kill_switch"),
            halt_files=self.halt_files,
            tape=self.control(),
            risk=self._store(self.risk_store, "risk"),
            venue_book=self._store(self.venue_book, "venue_book"),
            venues=SimulatedVenues(self),
            quotes=CollectorHandle(),
            clock=self.clock,
            terms=TERMS,
            cadence=CADENCE,
            platform=self.scenario.limits[2],
            round_every_s=1.0,
        )

    def _trader_ports(self) -> TraderPorts:
        return TraderPorts(
            blotter=self._store(self.blotter, "blotter"),
            algorithms=self._store(self.algorithms, "algorithms"),
            deployments=self._store(self.deployments, "deployments"),
            leases=self._store(self.leases, "leases"),
            archive=self._store(self.archive, "archive"),
            quotes=CollectorHandle(),
            desk=RiskHandle(),
            maker=Shipped(lambda *_: Written(self.weights, self.exits)),
            terms=TERMS,
            cadence=CADENCE,
            seconds=self.loop.time,
        )

    def floor_ports(self) -> FloorPorts:
        """What a request is handed, as far as those of this world need it."""
        nothing: Any = None
        return FloorPorts(
            algorithms=nothing,
            deployments=self._store(self.deployments, "deployments"),
            blotter=nothing,
            kill_switch=self._store(self.kill_switch, "kill_switch"),
            risk=RiskHandle(),
            supervision=SupervisorHandle(),
            archive=nothing,
            hot=nothing,
            signer=nothing,
            clock=self.clock,
            terms=TERMS,
            usage=nothing,
            halt_files=self.halt_files,
            limits=self._store(self.risk_store, "risk"),
        )

    def end(self) -> None:
        with silence():
            self.loop.dismiss()

    # The trace

    def tell(self, what: str, *said: Any) -> None:
        if self._trace is not None:
            life = OWNER.get()
            words = " ".join(f"{each!s:.400}" for each in said if each not in ("", None))
            self._trace(f"{self.loop.time():10.4f}  {life or '-'!s:<24} {what} {words}")


@contextmanager
def silence() -> Iterator[None]:
    """While this lasts, nobody logs anything."""
    noise = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(noise)


@contextmanager
def found_in(hosts: Hosts) -> Iterator[None]:
    """While this lasts, handles find the actors of one world."""
    found, cached = address.find, dict(handle._found)
    address.find = hosts.find  # type: ignore[assignment]
    handle._found.clear()
    try:
        with silence():
            yield
    finally:
        address.find = found
        handle._found.clear()
        handle._found.update(cached)
