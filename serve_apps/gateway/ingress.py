"""The gateway on Ray Serve."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from fastapi import FastAPI
from ray import serve
from ray.serve import Application, Deployment

from serve_apps.crowd import ROOM_FOR_THE_FIRST
from serve_apps.fronted import Put, nowhere
from serve_apps.gateway import app as gateway
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.liveness import ASKED_EVERY_S


def ingress(
    ports: GatewayPorts,
    siblings: Mapping[str, Callable[[], FastAPI]],
    prepare: Callable[[], None] = lambda: None,
    put: Put = nowhere,
) -> Application:
    """To be run at `/`. `siblings` are the other apps by their prefixes, made only to be described in this one's
    document; `prepare` is called in the replica before it serves."""
    behind_serve = replace(ports, rules=replace(ports.rules, stamps_request_id=False))

    def built() -> FastAPI:
        prepare()
        app = gateway.build(behind_serve, siblings)
        put(app, "")
        return app

    # Holds nothing: every request is answered from the ports.
    deployed: Deployment = serve.deployment(
        name="Gateway",
        ray_actor_options={"num_cpus": 0.05},
        # Whoever is too many is told so inside, in our own words, as long as there is room to be told.
        max_ongoing_requests=ports.rules.at_once + ROOM_FOR_THE_FIRST,
        max_queued_requests=256,
        health_check_period_s=ASKED_EVERY_S,
        health_check_timeout_s=10,
        # Whoever asks is answered: nothing else is waited for.
        graceful_shutdown_timeout_s=25,
    )(serve.ingress(built)())
    return deployed.bind()
