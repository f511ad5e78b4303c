"""What each route of each app asks of a program: a scope, or a person instead."""

from dataclasses import fields
from types import SimpleNamespace

import pytest
from fastapi import FastAPI

from serve_apps.floor import app as floor
from serve_apps.gateway import app as gateway
from serve_apps.lab import app as lab
from serve_apps.scopes import asked_by

# What may be asked without any token.
_FRONT_STEPS = {
    ("GET", "/api/v1/health"),
    ("GET", "/api/v1/ready"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/v1/docs"),
    ("GET", "/api/v1/redoc"),
    ("GET", "/api/v1/pages/{name}"),
    ("POST", "/api/v1/auth/login"),
    ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/users/register"),
}
# Under these the gateway lets programs look.
_SHOWN_TO_PROGRAMS = ("/api/v1/data", "/api/v1/collectors", "/api/v1/audit")
_EXAMPLES = """
    person POST /api/v1/auth/logout
    person GET /api/v1/users/profile
    person PUT /api/v1/users/password
    person GET /api/v1/credentials
    person POST /api/v1/credentials/coinspot
    person POST /api/v1/credentials/coinspot/validate
    person DELETE /api/v1/credentials/llm/{provider}
    read GET /api/v1/data/prices
    read GET /api/v1/data/prices/latest
    read GET /api/v1/collectors/{ledger}
    read GET /api/v1/lab/algorithms
    read GET /api/v1/lab/data/historical
    lab POST /api/v1/lab/algorithms
    lab PUT /api/v1/lab/algorithms/{algorithm_id}
    lab POST /api/v1/lab/algorithms/{algorithm_id}/promote
    lab POST /api/v1/lab/sweeps/{sweep_id}/cancel
    read GET /api/v1/floor/positions
    read GET /api/v1/floor/risk/limits
    read GET /api/v1/floor/algorithms/{deployment_id}/report
    trade POST /api/v1/floor/deploy
    trade POST /api/v1/floor/algorithms/{deployment_id}/activate
    trade POST /api/v1/floor/algorithms/{deployment_id}/pause
    trade PUT /api/v1/floor/algorithms/{deployment_id}/parameters
    trade POST /api/v1/floor/orders/{order_id}/cancel
    trade PUT /api/v1/floor/risk/limits
    trade POST /api/v1/floor/emergency-stop
    trade POST /api/v1/floor/emergency-stop/reset
"""


@pytest.fixture
def asked(ports) -> dict[tuple[str, str], str]:
    """What every operation of the three apps asks, by method and whole path; the other two are built over the gateway's
    ports, since none is asked."""
    nothing = SimpleNamespace(**{"requests": None, **{each.name: getattr(ports, each.name) for each in fields(ports)}})
    apps: dict[str, FastAPI] = {
        "": gateway.build(ports),
        lab.PREFIX: lab.build(nothing),
        floor.PREFIX: floor.build(nothing),
    }
    return {
        (method, prefix + path): wanted
        for prefix, app in apps.items()
        for (method, path), wanted in asked_by(app).items()
    }


def test_each_route_asks_for_what_follows_from_its_app_and_its_method(asked):
    expected = {}
    for method, path in asked:
        reads = method == "GET"
        if (method, path) in _FRONT_STEPS:
            expected[method, path] = "nothing"
        elif path.startswith(floor.PREFIX):
            expected[method, path] = "read" if reads else "trade"
        elif path.startswith(lab.PREFIX):
            expected[method, path] = "read" if reads else "lab"
        else:
            expected[method, path] = "read" if reads and path.startswith(_SHOWN_TO_PROGRAMS) else "person"
    assert asked == expected


@pytest.mark.parametrize("row", [row.strip() for row in _EXAMPLES.strip().splitlines()])
def test_what_matters_most_asks_for(asked, row):
    wanted, method, path = row.split()
    assert asked[method, path] == wanted
