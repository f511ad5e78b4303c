"""Which errors an operation can answer with, and their shapes.

They follow from what an operation takes: who needs a token can be refused one, who names a thing can name one that is
not there. An operation that refuses by another status says so where it is made, as `responses={409: {}}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True)
class Refusal:
    """Everything that is answered with one status."""

    codes: tuple[str, ...]
    meaning: str
    message: str
    """As an example of one."""


REFUSALS: Mapping[int, Refusal] = {
    401: Refusal(("UNAUTHENTICATED",), "No valid token came with it.", "this access token has expired"),
    403: Refusal(("FORBIDDEN",), "Not with this token, or not for this account.", "this is for superusers"),
    404: Refusal(("NOT_FOUND",), "It is not there, or somebody else's.", "there is no such algorithm"),
    409: Refusal(
        ("CONFLICT", "GATE_NOT_PASSED", "RISK_REJECTED", "HALTED"),
        "Not as things stand: the code says why.",
        "deployment Trend was stopped for good",
    ),
    413: Refusal(("PAYLOAD_TOO_LARGE",), "The body is too large.", "the body is larger than 1048576 bytes"),
    422: Refusal(
        ("VALIDATION_ERROR",),
        "Something in the request cannot be taken; `details.errors` names each field.",
        "body.cash: must be more than 0",
    ),
    429: Refusal(("RATE_LIMITED",), "Too many requests: come again after `Retry-After` seconds.", "too many requests"),
    500: Refusal(
        ("INTERNAL",),
        "A fault of ours, which the logs have under `X-Request-ID`.",
        "something went wrong on our side; X-Request-ID names it in our logs",
    ),
    502: Refusal(("EXCHANGE_ERROR",), "The exchange refused, or did not answer.", "the exchange did not answer"),
    503: Refusal(
        ("UNAVAILABLE",),
        "Something that this needs does not answer: come again after `Retry-After` seconds.",
        "the database does not answer",
    ),
}
_ALWAYS = (429, 500, 503)
_LATER = (429, 503)


def name_of(status: int) -> str:
    """The name of a status' response among the document's components."""
    return "".join(part.capitalize() for part in HTTPStatus(status).name.split("_"))


def statuses_of(method: str, operation: Mapping[str, Any]) -> list[int]:
    """The statuses that an operation can refuse with, beyond those that it declares itself."""
    parameters = operation.get("parameters", [])
    named = any(each["in"] == "path" or each["name"].endswith("_id") for each in parameters)
    takes = bool(parameters) or "requestBody" in operation
    changes = method != "GET"
    found = {
        401: "security" in operation,
        403: "security" in operation,
        404: named or "security" in operation,
        409: "security" in operation and (changes or named),
        413: "requestBody" in operation,
        422: takes,
        502: "security" in operation and changes,
    }
    return sorted([*(status for status, answered in found.items() if answered), *_ALWAYS])


def components() -> dict[str, Any]:
    """The shared responses, by name."""
    return {name_of(status): _response(status, refusal) for status, refusal in REFUSALS.items()}


def _response(status: int, refusal: Refusal) -> dict[str, Any]:
    only = {"properties": {"error": {"properties": {"code": {"enum": list(refusal.codes)}}}}}
    details = {"errors": [{"field": "body.cash", "message": "must be more than 0"}]} if status == 422 else {}
    example = {
        "status": "error",
        "error": {"code": refusal.codes[0], "message": refusal.message, "details": details},
    }
    headers: dict[str, Any] = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
    if status in _LATER:
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}, "description": "Always `Bearer`."}
    return {
        "description": f"`{'`, `'.join(refusal.codes)}`. {refusal.meaning}",
        "headers": headers,
        "content": {
            "application/json": {
                "schema": {"allOf": [{"$ref": "#/components/schemas/Failure"}, only]},
                "example": example,
            }
        },
    }


HEADERS: Mapping[str, Any] = {
    "X-Request-ID": {
        "description": "The caller's own, or a new one: the logs have the same.",
        "schema": {"type": "string"},
    },
    "Retry-After": {
        "description": "Seconds after which asking again is worth it.",
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
    },
}
