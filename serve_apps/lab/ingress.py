"""The lab on Ray Serve."""

import gc
from collections.abc import Callable
from dataclasses import replace

from fastapi import FastAPI
from ray import serve
from ray.serve import Application, Deployment

from serve_apps.crowd import ROOM_FOR_THE_FIRST
from serve_apps.fronted import Put, nowhere
from serve_apps.lab.app import PREFIX, build
from serve_apps.lab.ports import LabPorts
from serve_apps.liveness import ASKED_EVERY_S


def ingress(ports: LabPorts, prepare: Callable[[], None] = lambda: None, put: Put = nowhere) -> Application:
    """To be run at `/api/v1/lab`. `prepare` is called in the replica before it serves."""
    behind_serve = replace(ports, rules=replace(ports.rules, stamps_request_id=False))

    def built() -> FastAPI:
        prepare()
        app = build(behind_serve)
        put(app, PREFIX)
        # What is imported by now stays. Looking through it for garbage, as the points of a large sweep would have it
        # done time and again, would stop every request for a tenth of a second and more.
        gc.collect()
        gc.freeze()
        return app

    # Holds nothing that a row does not: a backtest under way is taken up by another.
    deployed: Deployment = serve.deployment(
        name="Lab",
        ray_actor_options={"num_cpus": 0.05},
        # Whoever is too many is told so inside, in our own words, as long as there is room to be told.
        max_ongoing_requests=ports.rules.at_once + ROOM_FOR_THE_FIRST,
        max_queued_requests=128,
        health_check_period_s=ASKED_EVERY_S,
        # A simulation may hold the interpreter's lock for moments; that is no illness.
        health_check_timeout_s=30,
        # Whoever asks is answered: nothing else is waited for.
        graceful_shutdown_timeout_s=25,
    )(serve.ingress(built)())
    return deployed.bind()
