"""What an answer to an order means: done, refused, nothing happened, or nobody knows.

A no counts only when the venue gives it in words that can be read, or by a status with which it promises that it took
nothing. A time-out, a cut connection, a 5xx, a cancelled task, an answer that cannot be read: the venue may have acted.
"""

from collections.abc import Container
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus


class Meaning(StrEnum):
    DONE = "done"
    REFUSED = "refused"
    """The venue's definite no: nothing was executed, and asking again gives the same answer."""
    NOTHING = "nothing"
    """The venue did not look at it: nothing was executed, and it may be asked again later."""
    UNKNOWN = "unknown"
    """The venue may have acted or not."""

    @property
    def definite(self) -> bool:
        """Whether it is certain that nothing was executed."""
        return self in (Meaning.REFUSED, Meaning.NOTHING)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request."""

    status: int | None = None
    """The HTTP status; None when no whole answer came back."""
    says_ok: bool | None = None
    """Whether the body, where it could be read, says that it was done; None when it does not say."""
    message: str | None = None
    """The venue's own words for a no, where the body holds any."""
    of_this_order: bool = True
    """False for a failure of a whole batch, without a result for each order in it."""


def meaning(answer: Answer, *, promises_nothing: Container[int] = ()) -> Meaning:
    """What `answer` says of the order. `promises_nothing` are the statuses with which the venue promises that it took
    nothing, whatever else it says."""
    status = answer.status
    if status is None or not answer.of_this_order:
        return Meaning.UNKNOWN
    if status == HTTPStatus.TOO_MANY_REQUESTS and status in promises_nothing:
        return Meaning.NOTHING
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES and answer.says_ok is not None:
        return Meaning.DONE if answer.says_ok else Meaning.REFUSED
    refuses = HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR
    if refuses and (answer.message is not None or status in promises_nothing):
        return Meaning.REFUSED
    return Meaning.UNKNOWN
