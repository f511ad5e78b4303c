"""What a caller is told when something goes wrong: one envelope, and one table from faults to codes and statuses."""

import json
from collections.abc import Mapping
from typing import Any, Literal

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.routing import compile_path

from omc import errors
from omc.access.redaction import redacted
from serve_apps import audited

INTERNAL = ("INTERNAL", 500)
# The nearest class in a fault's ancestry decides.
_ANSWERS: Mapping[type[Exception], tuple[str, int]] = {
    errors.InvalidInput: ("VALIDATION_ERROR", 422),
    errors.Unauthenticated: ("UNAUTHENTICATED", 401),
    errors.Forbidden: ("FORBIDDEN", 403),
    errors.NotFound: ("NOT_FOUND", 404),
    errors.Conflict: ("CONFLICT", 409),
    errors.GateNotPassed: ("GATE_NOT_PASSED", 409),
    errors.Halted: ("HALTED", 409),
    errors.Refused: ("CONFLICT", 409),
    errors.CodeFailed: ("VALIDATION_ERROR", 422),
    errors.SandboxRefused: ("VALIDATION_ERROR", 422),
    errors.VenueRefused: ("EXCHANGE_ERROR", 502),
    errors.OutcomeUnknown: ("EXCHANGE_ERROR", 502),
    errors.PayloadTooLarge: ("PAYLOAD_TOO_LARGE", 413),
    errors.RateLimited: ("RATE_LIMITED", 429),
    errors.Unavailable: ("UNAVAILABLE", 503),
    errors.OmcError: INTERNAL,
}
# What the framework itself refuses. A wrong method keeps its own status, with `Allow`, under the code of a thing that
# is not there: the contract has no code of its own for it.
_FRAMEWORK: Mapping[int, tuple[str, int]] = {
    400: ("VALIDATION_ERROR", 422),
    401: ("UNAUTHENTICATED", 401),
    403: ("FORBIDDEN", 403),
    404: ("NOT_FOUND", 404),
    405: ("NOT_FOUND", 405),
    413: ("PAYLOAD_TOO_LARGE", 413),
    429: ("RATE_LIMITED", 429),
    503: ("UNAVAILABLE", 503),
}
# Seconds after which asking again is worth it.
_RETRY_AFTER: Mapping[int, str] = {429: "1", 503: "2"}
_INTERNAL_MESSAGE = "something went wrong on our side; X-Request-ID names it in our logs"


class ErrorBody(BaseModel):
    code: Literal[
        "VALIDATION_ERROR",
        "UNAUTHENTICATED",
        "FORBIDDEN",
        "NOT_FOUND",
        "CONFLICT",
        "RATE_LIMITED",
        "PAYLOAD_TOO_LARGE",
        "GATE_NOT_PASSED",
        "RISK_REJECTED",
        "HALTED",
        "EXCHANGE_ERROR",
        "UNAVAILABLE",
        "INTERNAL",
    ]
    message: str
    details: dict[str, Any]


class Failure(BaseModel):
    """Every answer that is not a success."""

    status: Literal["error"] = "error"
    error: ErrorBody


class Detailed(Exception):
    """A fault of the core together with what a caller can be told beyond its sentence: also, where it is worth asking
    again, after how many seconds."""

    def __init__(self, fault: errors.OmcError, details: Mapping[str, Any], *, retry_after_s: int | None = None) -> None:
        super().__init__(str(fault))
        self.fault = fault
        self.details = details
        self.retry_after_s = retry_after_s


def answer(
    code: str,
    status: int,
    message: str,
    details: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The envelope of every error."""
    added = dict(headers or {})
    if status in _RETRY_AFTER:
        added.setdefault("Retry-After", _RETRY_AFTER[status])
    if status == 401:
        added.setdefault("WWW-Authenticate", "Bearer")
    body = {"status": "error", "error": {"code": code, "message": message, "details": dict(details or {})}}
    # In ASCII, because what is quoted from a request need not be Unicode: a lone surrogate has no UTF-8.
    return Response(json.dumps(body), status, added, media_type="application/json")


def internal() -> Response:
    """What is said of a fault that nobody foresaw: nothing but where to look it up."""
    return answer(*INTERNAL, _INTERNAL_MESSAGE)


def too_large(cap_bytes: int) -> HTTPException:
    """Raised while a body is read, where FastAPI lets nothing but its own exception through."""
    return HTTPException(413, f"the body is larger than {cap_bytes} bytes")


def install(app: FastAPI) -> None:
    """Make every error that `app` answers with speak the contract."""
    app.exception_handler(errors.OmcError)(_fault)
    app.exception_handler(Detailed)(_detailed)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(StarletteHTTPException)(_framework)


async def refusal(request: Request, fault: Exception) -> Response | None:
    """What `fault` is answered with, where it is a fault of the core that its caller is told of."""
    match fault:
        case Detailed():
            return await _detailed(request, fault)
        case errors.OmcError() if _answer_of(fault) != INTERNAL:
            return await _fault(request, fault)
        case _:
            return None


def _answer_of(fault: errors.OmcError) -> tuple[str, int]:
    return next(_ANSWERS[kind] for kind in type(fault).__mro__ if kind in _ANSWERS)


async def _fault(request: Request, fault: errors.OmcError) -> Response:
    code, status = _answer_of(fault)
    if (code, status) == INTERNAL:
        raise fault  # the door logs it, and keeps its words to itself
    audited.refused(request, str(fault))
    return answer(code, status, str(fault))


async def _detailed(request: Request, problem: Detailed) -> Response:
    audited.refused(request, str(problem.fault))
    code, status = _answer_of(problem.fault)
    headers = {} if problem.retry_after_s is None else {"Retry-After": str(problem.retry_after_s)}
    return answer(code, status, str(problem.fault), problem.details, headers)


async def _invalid(request: Request, fault: RequestValidationError) -> Response:
    # What was sent is not repeated: it may be a password.
    found = [_finding(each) for each in fault.errors()[:50]]
    first = f"{found[0]['field']}: {found[0]['message']}" if found else "the request is not valid"
    audited.refused(request, first)
    return answer("VALIDATION_ERROR", 422, first, {"errors": found})


async def _framework(request: Request, fault: StarletteHTTPException) -> Response:
    fallback = INTERNAL if fault.status_code >= 500 else ("VALIDATION_ERROR", 422)
    code, status = _FRAMEWORK.get(fault.status_code, fallback)
    match fault.status_code:
        case 404:
            message = "there is nothing at this path"
        case 405:
            message = "this path does not take this method"
        case 400:
            message = "the body cannot be read"
        case _:
            message = str(fault.detail)
    headers = dict(fault.headers or {})
    if fault.status_code == 405:
        headers["Allow"] = ", ".join(_taken(request))
    return answer(code, status, message, headers=headers)


def _taken(request: Request) -> list[str]:
    """The methods that a path takes: the framework names those of the first route alone."""
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    routes = [each for each in iter_route_contexts(request.app.routes) if each.path and each.methods]
    return sorted(
        {method for each in routes if compile_path(each.path or "")[0].match(path) for method in each.methods or ()}
    )


def _finding(error: Mapping[str, Any]) -> dict[str, str]:
    match error["type"]:
        case "json_invalid":
            # Where it is no JSON is a place in a text, not a field.
            return {"field": "body", "message": "cannot be read as JSON"}
        case "model_attributes_type":
            return {"field": _field(error), "message": "must be a JSON object, sent as application/json"}
        case _:
            return {"field": _field(error), "message": str(error["msg"]).removeprefix("Value error, ")}


def _field(error: Mapping[str, Any]) -> str:
    # Somebody may have sent a secret where a name belongs.
    return ".".join(redacted(str(part)) for part in error["loc"])
