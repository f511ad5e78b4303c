"""Somebody else's things are not there, and nothing is there for nobody."""

import re
from uuid import uuid4

import pytest
from fastapi.routing import APIRoute

from serve_apps.floor.app import PREFIX, build


def asked(app) -> list[tuple[str, str]]:
    return [(method, path) for path, verbs in app.openapi()["paths"].items() for method in verbs]


async def test_every_path_that_takes_an_id_is_empty_for_everybody_else(app, deploying, other, refused):
    made = await deploying()
    paths = [(method, path) for method, path in asked(app) if "{deployment_id}" in path]
    assert len(paths) >= 14
    for method, path in paths:
        for identity in (made["id"], str(uuid4())):
            body = {"json": {"parameters": {}}} if path.endswith("/parameters") else {}
            answer = await other.ask(method.upper(), path.replace("{deployment_id}", identity), **body)
            refused(answer, 404, "NOT_FOUND")
    refused(await other.get("/pnl/summary", deployment_id=made["id"]), 404, "NOT_FOUND")
    refused(await other.get("/reconciliation", deployment_id=made["id"]), 404, "NOT_FOUND")
    for path in ("/deployments", "/trades", "/orders", "/positions", "/pnl/by-coin", "/reconciliation"):
        assert (await other.get(path)).json()["items"] == []


async def test_every_path_needs_a_token(app, calling, refused):
    nobody = calling(app, PREFIX, signed_in=False)
    for method, path in asked(app):
        named = re.sub(r"\{\w+\}", str(uuid4()), path)
        refused(await nobody.ask(method.upper(), named), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize("identity", ["1", "not-an-id", "00000000-0000-0000-0000-00000000000g", "%00", "' or 1=1"])
async def test_what_is_no_id_is_refused(caller, refused, identity):
    refused(await caller.get(f"/deployments/{identity}"), 422, "VALIDATION_ERROR")


@pytest.mark.parametrize("query", [{"page": 0}, {"per_page": 201}, {"page": "x"}, {"per_page": 1e9}, {"limit": 5}])
async def test_every_list_refuses_a_page_that_cannot_be(app, caller, deploying, refused, query):
    made = await deploying()
    lists = [
        path
        for path, verbs in app.openapi()["paths"].items()
        for verb in verbs.values()
        if any(parameter["name"] == "per_page" for parameter in verb.get("parameters", []))
    ]
    assert len(lists) >= 11
    for path in lists:
        answer = await caller.get(re.sub(r"\{\w+\}", made["id"], path), **query)
        refused(answer, 422, "VALIDATION_ERROR")


async def test_what_is_not_there_is_answered_in_the_contracts_shape(caller, refused):
    refused(await caller.get("/nothing"), 404, "NOT_FOUND")
    refused(await caller.get("/deploy"), 405, "NOT_FOUND")
    refused(await caller.get("/"), 404, "NOT_FOUND")


def test_the_app_holds_no_path_of_its_own_beside_the_contracts(ports):
    paths = {route.path for route in build(ports).routes if isinstance(route, APIRoute)}
    assert not any(path.startswith(("/docs", "/openapi", "/redoc")) for path in paths)
