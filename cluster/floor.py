"""The floor's actors: what each is handed, and their start."""

from dataclasses import dataclass

from actors import address
from actors.collector import CollectorPorts, ExchangeCollector
from actors.crew import Packed, RayCrew
from actors.handle import CollectorHandle, RiskHandle
from actors.orders.sender import RiskPorts
from actors.risk import RiskActor
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
                logs=wired.logs,
            ),
        )
        risk = RiskPorts(
            blotter=wired.blotter,
            deployments=wired.deployments,
            leases=wired.leases,
            kill_switch=wired.kill_switch,
            halt_files=wired.halt_files,
            sell_out_slippage_bps=wired.sell_out_slippage_bps,
            risk=wired.risk,
            platform=wired.platform_bounds,
            venue_book=wired.venue_book,
            volumes=wired.volumes,
            trades=wired.trade_source,
            reconcile_every_s=wired.reconcile_every_s,
            venues=wired.venues,
            quotes=quotes,
            clock=wired.clock,
            terms=wired.terms,
            tape=wired.sandbox_control,
            archive=wired.prices,
            examiner=wired.live_venues,
            logs=wired.logs,
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
            catalysts=wired.catalysts,
            logs=wired.logs,
        )
        crew = RayCrew(Packed.of(trader))
        address.start(Supervisor, address.SUPERVISOR, wired.deployments, crew, quotes, logs=wired.logs)
