"""Which form of an answer a request asks for: `?format=` says it, or else the Accept header does.

JSON is what everybody gets who does not care. A header that admits none of the forms is refused, because whoever can
read nothing that there is would only fail later; one that is no Accept header at all admits everything.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Header

from omc.errors import InvalidInput

Form = Literal["json", "csv", "arrow"]

MEDIA_TYPES: dict[Form, str] = {
    "json": "application/json",
    "csv": "text/csv",
    "arrow": "application/vnd.apache.arrow.stream",
}
TABLES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A page as JSON; or everything in one answer, as CSV or as an Arrow IPC stream.",
        "content": {
            MEDIA_TYPES["csv"]: {"schema": {"type": "string"}},
            MEDIA_TYPES["arrow"]: {"schema": {"type": "string", "format": "binary"}},
        },
    },
    304: {"description": "What `If-None-Match` names is still what there is."},
}
"""What a path answers that negotiates, beside its model."""


@dataclass(frozen=True, slots=True)
class Liking:
    """What a request says of the answer that it likes."""

    accept: Annotated[str, Header(include_in_schema=False)] = ""
    if_none_match: Annotated[str, Header(include_in_schema=False)] = ""

    def form(self, asked: Form | None) -> Form:
        return form_of(self.accept, asked)


_RANGE = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+)/([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?:;(.*))?", re.ASCII)
_QUALITY = re.compile(r"\s*[qQ]\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*", re.ASCII)
_MOST_RANGES = 50


def form_of(accept: str, asked: Form | None) -> Form:
    """The form to answer in. InvalidInput when `accept` admits none of them."""
    if asked is not None:
        return asked
    ranges = [found for each in accept.split(",")[:_MOST_RANGES] if (found := _range(each)) is not None]
    if not ranges:
        return "json"
    qualities = {form: _quality(media, ranges) for form, media in MEDIA_TYPES.items()}
    best = max(qualities, key=lambda form: qualities[form])  # of equals the first: JSON
    if qualities[best] <= 0:
        raise InvalidInput(f"this is answered as {', '.join(MEDIA_TYPES.values())}; the Accept header admits none")
    return best


def _range(text: str) -> tuple[str, str, float] | None:
    if (match := _RANGE.fullmatch(text)) is None:
        return None
    named = [found for each in (match[3] or "").split(";") if (found := _QUALITY.fullmatch(each))]
    return match[1].lower(), match[2].lower(), float(named[0][1]) if named else 1.0


def _quality(media: str, ranges: list[tuple[str, str, float]]) -> float:
    """That of the range that fits most closely."""
    kind, _, part = media.partition("/")
    for want in ((kind, part), (kind, "*"), ("*", "*")):
        if fitting := [quality for *which, quality in ranges if tuple(which) == want]:
            return max(fitting)
    return 0.0
