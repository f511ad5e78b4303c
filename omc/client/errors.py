"""What can go wrong when the platform is asked something, split by what to do next."""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """Every fault of a call."""


class NotSendable(ClientError):
    """A value is neither text nor a finite number: nothing was sent."""


class Unreachable(ClientError):
    """Nobody answers at that address: nothing has happened there."""


class NoAnswer(ClientError):
    """It was sent, and no whole answer came: whether it had its effect is not known."""


class TooLate(NoAnswer):
    """The answer did not come in time."""


class NotThePlatform(ClientError):
    """Somebody answered in a shape that is not the platform's."""

    def __init__(self, message: str, status: int, url: str) -> None:
        super().__init__(message)
        self.status = status
        self.url = url


class Refused(ClientError):
    """The platform said no, and why. The subclasses are its codes."""

    def __init__(
        self, code: str, message: str, details: Mapping[str, Any], *, status: int, retry_after_s: float | None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = dict(details)
        self.status = status
        self.retry_after_s = retry_after_s
        """Seconds after which asking again is worth it, where the platform said so."""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class ValidationFailed(Refused):
    """Something in the request cannot be taken: `details["errors"]` names each field."""


class Unauthenticated(Refused):
    """No valid token came with it."""


class Forbidden(Refused):
    """Not with this token, or not for this account."""


class NotFound(Refused):
    """It is not there, or somebody else's."""


class Conflict(Refused):
    """Not as things stand."""


class RateLimited(Refused):
    """Too many requests."""


class PayloadTooLarge(Refused):
    """The body is too large."""


class GateNotPassed(Conflict):
    """An algorithm has not passed its gates: `details` lists them."""


class RiskRejected(Conflict):
    """Our risk book says no."""


class Halted(Conflict):
    """The kill switch is on."""


class ExchangeFailed(Refused):
    """The exchange refused, or did not answer."""


class Unavailable(Refused):
    """Something that this needs does not answer."""


class InternalFault(Refused):
    """A fault of the platform's, which its logs have under the answer's X-Request-ID."""


_BY_CODE: Mapping[str, type[Refused]] = {
    "VALIDATION_ERROR": ValidationFailed,
    "UNAUTHENTICATED": Unauthenticated,
    "FORBIDDEN": Forbidden,
    "NOT_FOUND": NotFound,
    "CONFLICT": Conflict,
    "RATE_LIMITED": RateLimited,
    "PAYLOAD_TOO_LARGE": PayloadTooLarge,
    "GATE_NOT_PASSED": GateNotPassed,
    "RISK_REJECTED": RiskRejected,
    "HALTED": Halted,
    "EXCHANGE_ERROR": ExchangeFailed,
    "UNAVAILABLE": Unavailable,
    "INTERNAL": InternalFault,
}


def refused(
    code: str, message: str, details: Mapping[str, Any], *, status: int, retry_after_s: float | None
) -> Refused:
    """The error of that code."""
    return _BY_CODE.get(code, Refused)(code, message, details, status=status, retry_after_s=retry_after_s)
