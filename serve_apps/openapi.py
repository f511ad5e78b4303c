"""One description of all the apps."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute, iter_route_contexts

from serve_apps.document import failures
from serve_apps.document.about import ABOUT, described_tags
from serve_apps.document.examples import Examples
from serve_apps.document.names import operation_name
from serve_apps.problem import Failure
from serve_apps.scopes import Asked, asked_by
from serve_apps.superuser import Superuser

# Only so that the shape is among the schemas: which statuses an operation answers with is said one by one.
FAILURES: dict[int | str, dict[str, Any]] = {"default": {"model": Failure, "description": "Refused or failed."}}

_REQUEST_ID = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}


def merged(apps: Mapping[str, FastAPI]) -> dict[str, Any]:
    """The document of `apps`, each by the prefix that it is served under."""
    whole = FastAPI(openapi_url=None)
    for prefix, app in apps.items():
        whole.include_router(app.router, prefix=prefix)
    document = get_openapi(
        title="Oh My Coins", version="1", description=ABOUT, routes=whole.routes, servers=[{"url": "/"}]
    )
    components = document["components"]
    components["responses"] = failures.components()
    components["headers"] = dict(failures.HEADERS)
    used: set[str] = set()
    superusers = set(_superusers(whole))
    asked = {(method, _described(path)): wanted for (method, path), wanted in asked_by(whole).items()}
    for method, path, operation in operations(document):
        if (method, path) in superusers:
            operation["x-superuser"] = True
        _name(method, path, operation)
        _say_who(asked[method, path], operation)
        _hoist(operation.get("requestBody", {}), components["schemas"])
        _answer(method, operation, components["schemas"])
        _exemplify(operation.get("requestBody", {}), Examples(components["schemas"], whole=False))
        operation["tags"] = list(dict.fromkeys(operation["tags"]))
        used |= set(operation["tags"])
    document["tags"] = described_tags(used)
    return document


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of everything that can be asked."""
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield verb.upper(), path, operation


def _superusers(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of what is for superusers alone."""
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute) and _is_guarded(context.dependant):
            yield from ((method, _described(context.path or "")) for method in context.methods or ())


def _is_guarded(dependant: Dependant) -> bool:
    return isinstance(dependant.call, Superuser) or any(map(_is_guarded, dependant.dependencies))


def _described(path: str) -> str:
    """A route's path as the document has it: without its converters."""
    return re.sub(r":\w+\}", "}", path)


def _say_who(asked: Asked, operation: dict[str, Any]) -> None:
    """Twice, for programs and for people: the scope that a program's token needs, or that none suffices."""
    if asked == "nothing":
        return
    operation["x-scope"] = asked
    whom = "superusers" if operation.get("x-superuser") else "people"
    needs = f"For {whom} who are signed in: no program's token suffices."
    if asked != "person":
        needs = f"A program's token needs the scope `{asked}`."
    # What nobody described stays so, and is found.
    if operation.get("description"):
        operation["description"] += f"\n\n{needs}"


def _hoist(body: Mapping[str, Any], schemas: dict[str, Any]) -> None:
    """A body that was described in its place gets a name like the others."""
    for content in body.get("content", {}).values():
        schema = content["schema"]
        if "properties" in schema:
            schemas[schema["title"]] = schema
            content["schema"] = {"$ref": f"#/components/schemas/{schema['title']}"}


def _name(method: str, path: str, operation: dict[str, Any]) -> None:
    name = operation_name(method, path, paged=_is_page(operation))
    operation["operationId"] = name
    operation["summary"] = name.replace("_", " ").capitalize()


def _is_page(operation: Mapping[str, Any]) -> bool:
    schema = operation["responses"].get("200", {}).get("content", {}).get("application/json", {}).get("schema", {})
    shapes = [str(each.get("$ref", "")).rpartition("/")[2] for each in schema.get("anyOf", [schema])]
    return all(shape.startswith("Page_") or shape.endswith("Page") for shape in shapes)


def _answer(method: str, operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """Every status that it can answer with, and no other."""
    responses = operation["responses"]
    responses.pop("default", None)
    declared = {int(status) for status in responses} & failures.REFUSALS.keys()
    for status in declared | set(failures.statuses_of(method, operation)):
        responses[str(status)] = {"$ref": f"#/components/responses/{failures.name_of(status)}"}
    for response in responses.values():
        if "$ref" not in response:
            response.setdefault("headers", {}).update(_REQUEST_ID)
            _exemplify(response, Examples(schemas, whole=True))
    operation["responses"] = {status: responses[status] for status in sorted(responses)}


def _exemplify(holder: Mapping[str, Any], examples: Examples) -> None:
    for kind, content in holder.get("content", {}).items():
        if "schema" in content and kind == "application/json" and not {"example", "examples"} & content.keys():
            content["example"] = examples.of(content["schema"])
