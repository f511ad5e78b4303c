"""The floor on Ray Serve."""

from collections.abc import Callable
from dataclasses import replace

from fastapi import FastAPI
from ray import serve
from ray.serve import Application, Deployment

from serve_apps.crowd import ROOM_FOR_THE_FIRST
from serve_apps.floor.app import PREFIX, build
from serve_apps.floor.ports import FloorPorts
from serve_apps.fronted import Put, nowhere
from serve_apps.liveness import ASKED_EVERY_S


def ingress(ports: FloorPorts, prepare: Callable[[], None] = lambda: None, put: Put = nowhere) -> Application:
    """To be run at `/api/v1/floor`. `prepare` is called in the replica before it serves."""
    behind_serve = replace(ports, rules=replace(ports.rules, stamps_request_id=False))

    def built() -> FastAPI:
        prepare()
        app = build(behind_serve)
        put(app, PREFIX)
        return app

    # Holds nothing: whatever it changes is stored before it answers.
    deployed: Deployment = serve.deployment(
        name="Floor",
        ray_actor_options={"num_cpus": 0.05},
        # Whoever is too many is told so inside, in our own words, as long as there is room to be told.
        max_ongoing_requests=ports.rules.at_once + ROOM_FOR_THE_FIRST,
        max_queued_requests=128,
        health_check_period_s=ASKED_EVERY_S,
        health_check_timeout_s=10,
        # An emergency stop that is under way is given the time to finish.
        graceful_shutdown_timeout_s=25,
    )(serve.ingress(built)())
    return deployed.bind()
