"""HTTP: the three apps on Ray Serve, behind one port."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import ray
from fastapi import FastAPI
from ray import serve

from actors import address
from actors.handle import CollectorHandle, RiskHandle, SupervisorHandle
from cluster.jobs import RayJobs
from cluster.wiring import Wiring
from serve_apps.door import Rules
from serve_apps.floor import app as floor
from serve_apps.floor.ports import FloorPorts
from serve_apps.gateway import app as gateway
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.lab import app as lab
from serve_apps.lab.ports import LabPorts

_CONTROLLER, _NAMESPACE = "SERVE_CONTROLLER_ACTOR", "serve"


@serve.ingress()
class Ingress:
    """One app on a replica: its ports travel, the app itself is built where it serves."""

    def __init__(self, build: Callable[[], FastAPI], inside: bool) -> None:
        if inside:
            from cluster.loopback import keep_replicas_inside

            keep_replicas_inside()
        self._build = build

    def __serve_build_asgi_app__(self) -> FastAPI:
        return self._build()


@dataclass(slots=True)
class Serving:
    wired: Wiring
    dashboard: str
    _proxy: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Deploy the apps. They come up by themselves, and so does the proxy: this waits for neither."""
        host, port = self.wired.http
        # Serve waits for its proxy before anything can be deployed, unless somebody else does the waiting.
        options = {"host": host, "port": port}
        self._proxy = threading.Thread(target=partial(serve.start, http_options=options), name="proxy", daemon=True)
        self._proxy.start()
        while not _controller_is_known():
            self._proxy.join(0.02)
        serve.run_many(
            [
                self._target("gateway", "/", partial(gateway.build, self._gateway(), self._siblings())),
                self._target("lab", lab.PREFIX, partial(lab.build, self._lab())),
                self._target("floor", floor.PREFIX, partial(floor.build, self._floor())),
            ],
            wait_for_ingress_deployment_creation=False,
            wait_for_applications_running=False,
        )

    def stop(self) -> None:
        """Finish the requests under way."""
        serve.shutdown()

    def _target(self, name: str, prefix: str, build: Callable[[], FastAPI]) -> Any:
        deployment = serve.deployment(
            Ingress,
            name=name,
            ray_actor_options={"num_cpus": 0},
            max_ongoing_requests=64,
            max_queued_requests=256,
            graceful_shutdown_timeout_s=5.0,
        )
        return serve.RunTarget(deployment.bind(build, not self.wired.multi_node), name=name, route_prefix=prefix)

    def _rules(self) -> Rules:
        # Serve itself puts X-Request-ID on every answer.
        return Rules(cors_origins=self.wired.chosen.cors_origins, stamps_request_id=False)

    def _gateway(self) -> GatewayPorts:
        wired = self.wired
        return GatewayPorts(
            users=wired.users,
            refresh=wired.refresh_tokens,
            signer=wired.signer,
            hasher=wired.hasher,
            archive=wired.prices,
            hot=CollectorHandle(),
            clock=wired.clock,
            probes={
                "database": wired.database.ping,
                "exchange": CollectorHandle(patience_s=2.0).newest,
                address.COLLECTOR_EXCHANGE: CollectorHandle(patience_s=2.0).ping,
                address.RISK: RiskHandle(patience_s=2.0).ping,
                address.SUPERVISOR: SupervisorHandle(patience_s=2.0).ping,
            },
            rules=self._rules(),
        )

    def _siblings(self) -> dict[str, Callable[[], FastAPI]]:
        return {lab.PREFIX: partial(lab.build, self._lab()), floor.PREFIX: partial(floor.build, self._floor())}

    def _lab(self) -> LabPorts:
        wired = self.wired
        return LabPorts(
            algorithms=wired.algorithms,
            backtests=wired.backtests,
            sweeps=wired.sweeps,
            runner=RayJobs(self.dashboard, wired.ray_token_file, wired.home.folder),
            archive=wired.prices,
            signer=wired.signer,
            clock=wired.clock,
            terms=wired.terms,
            thresholds=wired.thresholds,
            rules=self._rules(),
        )

    def _floor(self) -> FloorPorts:
        wired = self.wired
        return FloorPorts(
            algorithms=wired.algorithms,
            deployments=wired.deployments,
            blotter=wired.blotter,
            kill_switch=wired.kill_switch,
            risk=RiskHandle(),
            supervision=SupervisorHandle(),
            archive=wired.prices,
            hot=CollectorHandle(),
            signer=wired.signer,
            clock=wired.clock,
            terms=wired.terms,
            rules=self._rules(),
        )


def _controller_is_known() -> bool:
    try:
        ray.get_actor(_CONTROLLER, _NAMESPACE)
    except ValueError:
        return False
    return True
