"""Where a reader of a long list goes on: an opaque text, given out with a page and handed back for the next.

It holds what the list was when the first page was made (how many there were, up to where) and the place reached, so a
page costs the same however deep it lies, and what is added meanwhile shifts nothing. It goes with one question only. It
is checked, not signed: it opens nothing that its bearer may not ask for outright.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Self, TypeVar

from pydantic import AwareDatetime, Field, ValidationError

from omc.errors import InvalidInput
from serve_apps.envelope import Page, Paging, T
from serve_apps.wire import LATEST, Body

State = TypeVar("State", bound=Body)
Moment = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC), lt=LATEST)]
"""A time in a cursor, whoever wrote it there."""

_CHECK_BYTES = 8
_LONGEST = 1_000


class CursorPaging(Paging):
    """Pages by number, or by the cursor that the page before gave out."""

    cursor: str | None = None

    def check_together(self) -> None:
        """InvalidInput when both are asked for."""
        if self.cursor is not None and "page" in self.model_fields_set:
            raise InvalidInput("name a page or a cursor, not both")


class CursorPage(Page[T]):
    """`next_cursor` leads to the next page, and is null on the last."""

    next_cursor: str | None = None

    @classmethod
    def reaching(cls, items: Sequence[T], total: int, paging: Paging, next_cursor: str | None) -> Self:
        """The page that a store cut out, and what leads on from it."""
        return cls.of(items, total, paging).model_copy(update={"next_cursor": next_cursor})


def cursor_of(question: Mapping[str, Any], state: Body) -> str:
    """A cursor that goes with `question` only."""
    packed = state.model_dump_json().encode()
    return base64.urlsafe_b64encode(_check(question, packed) + packed).decode().rstrip("=")


def state_of(cursor: str, question: Mapping[str, Any], kind: type[State]) -> State:
    """The inverse. InvalidInput for what is no cursor, or was given out with an answer to another question."""
    try:
        padded = cursor[:_LONGEST] + "=" * (-len(cursor) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        check, packed = raw[:_CHECK_BYTES], raw[_CHECK_BYTES:]
        if check == _check(question, packed):
            return kind.model_validate_json(packed)
    except (binascii.Error, ValueError, ValidationError):
        pass
    raise InvalidInput(
        "this cursor goes with other parameters, or with none: give back next_cursor and change nothing else"
    )


def _check(question: Mapping[str, Any], packed: bytes) -> bytes:
    asked = json.dumps({name: str(value) for name, value in question.items()}, sort_keys=True).encode()
    key = hashlib.blake2b(asked, digest_size=32).digest()
    return hashlib.blake2b(packed, digest_size=_CHECK_BYTES, key=key).digest()
