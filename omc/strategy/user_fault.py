"""What somebody is told when their code raises: their own lines, and nothing of the platform's."""

from itertools import islice
from traceback import walk_tb

from omc.errors import InvalidInput

SOURCE = "<algorithm>"
"""The name of the file that code is compiled as."""
_LONGEST, _MOST_FRAMES = 2_000, 8


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
    return f"{kind}{said}".rstrip(": ") + (f" ({place})" if place else "")
