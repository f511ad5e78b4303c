"""What somebody's code prints: kept up to a length, and no further."""

MOST_CHARACTERS = 16_384
CUT = "\n(more was printed than is kept)\n"


class Printed:
    """Keeps the beginning."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._parts: list[str] = []
        self._left = most
        self._taken = 0

    def write(self, text: str) -> int:
        if self._left > 0:
            self._parts.append(text[: self._left])
            self._left -= len(text)
            if self._left <= 0:
                self._parts.append(CUT)
        return len(text)

    @property
    def text(self) -> str:
        return "".join(self._parts)

    def take(self) -> str:
        """What was printed since it was last taken."""
        if self._taken == len(self._parts):
            return ""
        new = "".join(self._parts[self._taken :])
        self._taken = len(self._parts)
        return new
