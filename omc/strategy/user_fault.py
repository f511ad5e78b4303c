"""What somebody is told when their code raises: their own lines, and nothing of the platform's."""

import re
from itertools import islice
from traceback import walk_tb

from omc.errors import InvalidInput
from omc.strategy.printed import legible

SOURCE = "<algorithm>"
"""The name of the file that code is compiled as."""
_LONGEST, _MOST_FRAMES = 2_000, 8
_BEGINNING = re.compile(r"line ([0-9]{1,7})(?:, column ([0-9]{1,7}))?: ", re.ASCII)
_END = re.compile(r".*\(line ([0-9]{1,7}) in ", re.ASCII | re.DOTALL)


def told(fault: BaseException) -> str:
    """The kind and the words of a fault, and through which lines of the code it came, the innermost first."""
    lines = [
        f"line {number} in {frame.f_code.co_name[:80]}"
        for frame, number in islice(walk_tb(fault.__traceback__), 2_000)
        if frame.f_code.co_filename == SOURCE
    ]
    kind = "" if isinstance(fault, InvalidInput) else f"{type(fault).__name__[:80]}: "
    try:
        said = str(fault)[:_LONGEST]
    except BaseException:
        # A message is code of theirs, too.
        said = "(its message could not be told)"
    place = ", from ".join(reversed(lines[-_MOST_FRAMES:]))
    words = f"{kind}{said}".rstrip(": ") + (f" ({place})" if place else "")
    return legible(words, len(words))


def place_of(words: str) -> tuple[int | None, int | None]:
    """The line and the column, from 1, that a refusal or a fault of somebody's code names: the innermost. None where it
    names none."""
    if found := _END.match(words):
        return int(found[1]), None
    if found := _BEGINNING.match(words):
        return int(found[1]), int(found[2]) if found[2] else None
    return None, None
