"""HTTP: the four apps on Ray Serve, behind one port."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import ray
from fastapi import FastAPI
from ray import serve
from ray.exceptions import RayError
from ray.serve.exceptions import RayServeException

from actors import address
from actors.handle import CollectorHandle, RiskHandle, SupervisorHandle
from cluster.draining import before_draining
from cluster.front_door import FrontDoors
from cluster.jobs import RayJobs
from cluster.later import Later
from cluster.loopback import keep_replicas_inside
from cluster.proxy_door import keep_frames_small
from cluster.wiring import Wiring
from omc.access.keyring import Keyring
from omc.adapters import parquet
from omc.adapters.arrow import ArrowWriter
from omc.logs import LogStyle
from serve_apps.floor import app as floor_app
from serve_apps.floor import ingress as floor
from serve_apps.floor.ports import FloorPorts
from serve_apps.fronted import Put, nowhere
from serve_apps.gateway import app as gateway_app
from serve_apps.gateway import ingress as gateway
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.gateway.streams import app as streams_app
from serve_apps.gateway.streams import ingress as streams
from serve_apps.gateway.streams.ports import StreamPorts
from serve_apps.lab import app as lab_app
from serve_apps.lab import ingress as lab
from serve_apps.lab.ports import LabPorts

_PATIENCE_S = 10.0
_APPS = ("gateway", "lab", "floor", "streams")
_CONTROLLER, _NAMESPACE = "SERVE_CONTROLLER_ACTOR", "serve"


@dataclass(slots=True)
class Serving:
    wired: Wiring
    dashboard: str
    ray_address: str
    _proxy: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Deploy the apps. They come up by themselves, and so does the proxy: this waits for neither."""
        # Serve waits for its proxy before anything can be deployed, unless somebody else does the waiting.
        listening = None if self.wired.front else self.wired.http
        self._proxy = threading.Thread(target=_start_proxy, args=(listening, self.wired.tls), name="proxy", daemon=True)
        self._proxy.start()
        while not _controller_is_known():
            self._proxy.join(0.02)
        prepare = _prepared(self.wired.logs, _nothing if self.wired.multi_node else keep_replicas_inside)
        lab_ports, floor_ports, put = self._lab(), self._floor(), self._put()
        apps = (
            (gateway.ingress(self._gateway(), _siblings(lab_ports, floor_ports), prepare, put), "/"),
            (lab.ingress(lab_ports, prepare, put), lab_app.PREFIX),
            (floor.ingress(floor_ports, prepare, put), floor_app.PREFIX),
            (streams.ingress(self._streams(), _sockets(prepare), before_draining, put), streams_app.PREFIX),
        )
        serve.run_many(
            [serve.RunTarget(app, name, prefix) for name, (app, prefix) in zip(_APPS, apps, strict=True)],
            wait_for_ingress_deployment_creation=False,
            wait_for_applications_running=False,
        )

    def stop(self) -> None:
        """Finish the requests under way, as far as a few seconds go: a Serve that is broken waits for itself."""
        ending = threading.Thread(target=_delete_apps, name="ending", daemon=True)
        ending.start()
        ending.join(_PATIENCE_S)

    @property
    def runner(self) -> RayJobs:
        """What carries sweeps out."""
        wired = self.wired
        return RayJobs(self.dashboard, self.ray_address, wired.ray_token_file, wired.home.folder, wired.sweeps)

    def _put(self) -> Put:
        """Where the apps are put for the front to find them."""
        front = self.wired.front
        return FrontDoors(front.folder, tuple(front.layout.behind)) if front else nowhere

    def document(self) -> dict[str, Any]:
        """What describes all of it; nothing is started for it."""
        return gateway_app.build(self._gateway(), _siblings(self._lab(), self._floor())).openapi()

    def _gateway(self) -> GatewayPorts:
        wired = self.wired
        return GatewayPorts(
            users=wired.users,
            refresh=wired.refresh_tokens,
            signer=wired.signer,
            tokens=wired.api_tokens,
            revocations=wired.users,
            hasher=wired.hasher,
            archive=wired.prices,
            hot=CollectorHandle(),
            clock=wired.clock,
            arrow=ArrowWriter,
            ledgers=wired.ledgers,
            probes={
                "database": wired.database.ping,
                "exchange": CollectorHandle(patience_s=2.0).newest,
                address.COLLECTOR_EXCHANGE: CollectorHandle(patience_s=2.0).ping,
                address.RISK: RiskHandle(patience_s=2.0).ping,
                address.SUPERVISOR: SupervisorHandle(patience_s=2.0).ping,
            },
            warnings=(wired.confinement.notice,) if wired.confinement.notice else (),
            rules=wired.rules,
            audit=wired.audit,
            second_factors=wired.second_factors,
            keyring=Keyring(wired.credentials, wired.vault, RiskHandle()),
            lockout=wired.lockout,
            switches=CollectorHandle(),
            operators_are_local=wired.chosen.local_operators,
            closing=wired.closing,
        )

    def _streams(self) -> StreamPorts:
        wired = self.wired
        return StreamPorts(
            feed=wired.feed,
            deployments=wired.deployments,
            blotter=wired.blotter,
            kill_switch=wired.flag,
            hot=CollectorHandle(),
            catalysts=wired.catalysts,
            signer=wired.signer,
            tokens=wired.api_tokens,
            revocations=wired.users,
            clock=wired.clock,
            rules=wired.rules,
        )

    def _lab(self) -> LabPorts:
        wired = self.wired
        return LabPorts(
            algorithms=wired.algorithms,
            catalysts=wired.catalysts,
            backtests=wired.backtests,
            curves=wired.curves,
            models=wired.models,
            sweeps=wired.sweeps,
            tries=wired.tries,
            usage=wired.usage,
            allowance=wired.allowance,
            runner=self.runner,
            archive=wired.prices,
            signer=wired.signer,
            tokens=wired.api_tokens,
            revocations=wired.users,
            clock=wired.clock,
            terms=wired.terms,
            thresholds=wired.thresholds,
            maker=wired.lab_maker,
            arrow=ArrowWriter,
            parquet=parquet.encode,
            rules=wired.rules,
            audit=wired.audit,
            requests=wired.requests,
        )

    def _floor(self) -> FloorPorts:
        wired = self.wired
        return FloorPorts(
            algorithms=wired.algorithms,
            catalysts=wired.catalysts,
            models=wired.models,
            deployments=wired.deployments,
            blotter=wired.blotter,
            venue_book=wired.venue_book,
            kill_switch=wired.kill_switch,
            halt_files=wired.halt_files,
            limits=wired.risk,
            platform=wired.platform_bounds,
            risk=RiskHandle(),
            supervision=SupervisorHandle(),
            archive=wired.prices,
            hot=CollectorHandle(),
            signer=wired.signer,
            tokens=wired.api_tokens,
            revocations=wired.users,
            clock=wired.clock,
            terms=wired.terms,
            usage=wired.usage,
            allowance=wired.allowance,
            most=wired.most,
            maker=wired.floor_maker,
            rules=wired.rules,
            audit=wired.audit,
            credentials=wired.credentials,
            second_factors=wired.second_factors,
            venues=wired.venue_facts,
            requests=wired.requests,
        )


def _siblings(lab_ports: LabPorts, floor_ports: FloorPorts) -> dict[str, Callable[[], FastAPI]]:
    """What the gateway describes besides itself. What that imports is a third of what its replica would import, and a
    replica that is replaced is there again so much sooner."""
    return {
        lab_app.PREFIX: Later.of(partial(lab_app.build, lab_ports)),
        floor_app.PREFIX: Later.of(partial(floor_app.build, floor_ports)),
    }


def _prepared(logs: LogStyle, prepare: Callable[[], None]) -> Callable[[], None]:
    def prepared() -> None:
        prepare()
        logs.install()

    return prepared


def _sockets(prepare: Callable[[], None]) -> Callable[[], None]:
    def prepared() -> None:
        prepare()
        # Where Serve is told to listen at the replicas themselves, no proxy keeps their frames small.
        keep_frames_small()

    return prepared


def _start_proxy(listening: tuple[str, int] | None, tls: tuple[Path, Path] | None) -> None:
    """Start Serve, with a proxy of its own where it is to listen."""
    with suppress(TimeoutError, RayError):
        # That it is late, or dead, shows in its not being ready.
        if listening is None:
            serve.start(proxy_location="Disabled")
        else:
            options: dict[str, object] = dict(zip(("host", "port"), listening, strict=True))
            if tls is not None:
                # The key first: the certificate is held against it.
                options |= {"ssl_keyfile": str(tls[1]), "ssl_certfile": str(tls[0])}
            serve.start(http_options=options)


def _delete_apps() -> None:
    # Serve as a whole is not shut down: its controller complains at length about being killed, as it is right after.
    with suppress(RayError, RayServeException):
        for name in _APPS:
            serve.delete(name, _blocking=False)
        while serve.status().applications:
            time.sleep(0.05)


def _nothing() -> None:
    """Workers on other machines must reach their replicas."""


def _controller_is_known() -> bool:
    try:
        ray.get_actor(_CONTROLLER, _NAMESPACE)
    except ValueError:
        return False
    return True
