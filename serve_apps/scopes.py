"""What each operation asks of whoever asks: nothing, a person's session, or one of a program's scopes."""

from collections.abc import Iterator, Mapping
from typing import Literal

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from serve_apps.identity import Bearer
from serve_apps.superuser import Superuser

Asked = Literal["nothing", "person", "read", "lab", "trade"]


def asked_by(app: FastAPI) -> Mapping[tuple[str, str], Asked]:
    """By method and path."""
    return {
        (method, context.path or ""): _asked(context.dependant, method)
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute)
        for method in context.methods or ()
    }


def _asked(dependant: Dependant, method: str) -> Asked:
    found: Asked = "nothing"
    for each in _calls(dependant):
        match each:
            case Superuser():
                return "person"
            case Bearer():
                scope = each.wants(method)
                if scope is None:
                    return "person"
                found = scope.value
            case _:
                pass
    return found


def _calls(dependant: Dependant) -> Iterator[object]:
    yield dependant.call
    for each in dependant.dependencies:
        yield from _calls(each)
