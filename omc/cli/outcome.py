"""How a command ends: an exit code that scripts may rely on, and one line on stderr when it is not 0."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Any


class ExitCode(IntEnum):
    """Stable. 0 is success; 130 an interrupt at the terminal."""

    FAILED = 1
    """It did not work; the line says why."""
    USAGE = 2
    """The command line makes no sense."""
    UNREACHABLE = 3
    """No platform answers there."""
    NOT_SIGNED_IN = 4
    """`omc login` first, or again."""
    REFUSED = 5
    """The platform understood, and said no."""
    NOT_ALLOWED = 6
    """A promotion gate, a check of an algorithm, a risk limit or the kill switch said no."""


class Failure(Exception):
    """Ends the command with a line and a code; `details` goes into the JSON form."""

    def __init__(
        self,
        message: str,
        exit_code: ExitCode = ExitCode.FAILED,
        *,
        code: str = "FAILED",
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(" ".join(message.split()))
        self.exit_code = exit_code
        self.code = code
        self.details = dict(details or {})


# The contract's error codes; those not named here are failures of the platform itself.
OF_ERROR_CODE: Mapping[str, ExitCode] = {
    "VALIDATION_ERROR": ExitCode.REFUSED,
    "NOT_FOUND": ExitCode.REFUSED,
    "CONFLICT": ExitCode.REFUSED,
    "FORBIDDEN": ExitCode.REFUSED,
    "PAYLOAD_TOO_LARGE": ExitCode.REFUSED,
    "RATE_LIMITED": ExitCode.REFUSED,
    "UNAUTHENTICATED": ExitCode.NOT_SIGNED_IN,
    "GATE_NOT_PASSED": ExitCode.NOT_ALLOWED,
    "RISK_REJECTED": ExitCode.NOT_ALLOWED,
    "HALTED": ExitCode.NOT_ALLOWED,
}
