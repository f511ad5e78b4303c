"""The floor's actors: what each is handed, and their start."""

from dataclasses import dataclass

from actors import address
from actors.collector import CollectorPorts, ExchangeCollector
from actors.crew import Packed, RayCrew
from actors.handle import CollectorHandle, RiskHandle
from actors.risk import RiskActor, RiskPorts
from actors.supervisor import Supervisor
from actors.trader import TraderPorts
from cluster.wiring import Wiring
from omc.ledger.cadence import Cadence


@dataclass(frozen=True, slots=True)
class Floor:
    """The actors are started at once and come up by themselves, so this does not wait for them."""

    wired: Wiring

    def start(self) -> None:
        wired, quotes = self.wired, CollectorHandle()
        address.start(
            ExchangeCollector,
            address.COLLECTOR_EXCHANGE,
            CollectorPorts(
                source=wired.price_source,
                archive=wired.prices,
                clock=wired.clock,
                deployments=wired.deployments,
                tape=wired.sandbox_control,
                cadence=Cadence(every_s=wired.poll_s),
            ),
        )
        risk = RiskPorts(
            blotter=wired.blotter,
            deployments=wired.deployments,
            leases=wired.leases,
            kill_switch=wired.kill_switch,
            venues=wired.venues,
            quotes=quotes,
            clock=wired.clock,
            terms=wired.terms,
        )
        address.start(RiskActor, address.RISK, risk)
        trader = TraderPorts(
            blotter=wired.blotter,
            algorithms=wired.algorithms,
            deployments=wired.deployments,
            leases=wired.leases,
            archive=wired.prices,
            quotes=quotes,
            desk=RiskHandle(),
            maker=wired.floor_maker,
            models=wired.models,
            terms=wired.terms,
        )
        address.start(Supervisor, address.SUPERVISOR, wired.deployments, RayCrew(Packed.of(trader)), quotes)
