"""For the tests of each app: that each of its routes that may change something leaves a record."""

import re
from uuid import uuid4

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from omc.access.audit_trail import MemoryAuditTrail, verify_all
from serve_apps.audited import READS


def changing(app: FastAPI) -> dict[tuple[str, str], str]:
    """The action by method and path of every route that may change something."""
    document = get_openapi(title="", version="", routes=app.routes)
    return {
        (method.upper(), path): f"{operation['tags'][0]}.{name_of(operation['operationId'], path, method)}"
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if method.upper() not in READS
    }


def name_of(operation_id: str, path: str, method: str) -> str:
    return operation_id.removesuffix(re.sub(r"\W", "_", path) + f"_{method}")


async def all_on_record(app: FastAPI, calling, trail: MemoryAuditTrail, prefix: str = "", open_to_all=frozenset()):
    """Ask each with a token and a body that says nothing."""
    actions = changing(app)
    for (method, path), action in actions.items():
        if action in open_to_all:
            continue
        somebody = calling(app, prefix, user_id=uuid4())
        filled = re.sub(r"{[^}]*}", str(uuid4()), path).removeprefix(prefix)
        answer = await somebody.ask(method, filled, json={}, headers={"Idempotency-Key": uuid4().hex})
        told = [each.happening for each in trail.chains.get(somebody.user_id, [])]
        assert [(each.action, each.details["outcome"]) for each in told][:1] == [(action, "asked")], (method, path)
        assert told[-1].details["status"] == answer.status_code, (method, path)
        assert told[0].subject == prefix + filled, (method, path)
        assert {each.request_id for each in told} == {answer.headers["x-request-id"]}
    assert (await verify_all(trail)).flaws == ()
