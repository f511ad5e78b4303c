"""The streams on Ray Serve."""

from collections.abc import Callable
from dataclasses import replace

from fastapi import FastAPI
from ray import serve
from ray.serve import Application, Deployment

from serve_apps.fronted import Put, nowhere
from serve_apps.gateway.streams import pauses
from serve_apps.gateway.streams.app import PREFIX, Streams, build
from serve_apps.gateway.streams.ports import StreamPorts
from serve_apps.liveness import ASKED_EVERY_S

Draining = Callable[[Callable[[], None]], None]
"""Has something called when the replica is told to stop, before it waits for its connections to end."""


def _never(_: Callable[[], None]) -> None:
    """Clients of a replica that stops are cut off."""


def ingress(
    ports: StreamPorts,
    prepare: Callable[[], None] = lambda: None,
    before_draining: Draining = _never,
    put: Put = nowhere,
) -> Application:
    """To be run at `/api/v1/ws`. `prepare` is called in the replica before it serves."""
    behind_serve = replace(ports, rules=replace(ports.rules, stamps_request_id=False))

    def drained(streams: Streams) -> None:
        before_draining(streams.close_soon)

    def built() -> FastAPI:
        prepare()
        app = build(behind_serve, drained, pauses.shorten)
        put(app, PREFIX)
        return app

    # Holds connections and nothing else: whoever is cut off asks another for what came after.
    deployed: Deployment = serve.deployment(
        name="Streams",
        ray_actor_options={"num_cpus": 0.05},
        # A connection is a request that goes on. Those that are one too many are let in to be told so.
        max_ongoing_requests=ports.most + 512,
        max_queued_requests=512,
        health_check_period_s=ASKED_EVERY_S,
        health_check_timeout_s=10,
        graceful_shutdown_timeout_s=10,
        graceful_shutdown_wait_loop_s=0.2,
    )(serve.ingress(built)())
    return deployed.bind()
