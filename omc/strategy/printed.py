"""What somebody's code prints: kept up to a length, and no further."""

MOST_CHARACTERS = 16_384
CUT = "\n(more was printed than is kept)\n"


class Printed:
    """Keeps the beginning of all, and the beginning of what is new."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._all, self._new, self._most = _Beginning(most), _Beginning(most), most

    def write(self, text: str) -> int:
        self._all.add(text)
        self._new.add(text)
        return len(text)

    @property
    def text(self) -> str:
        return self._all.text

    def take(self) -> str:
        """What was printed since it was last taken."""
        if self._new.empty:
            return ""
        taken, self._new = self._new, _Beginning(self._most)
        return taken.text


class _Beginning:
    def __init__(self, most: int) -> None:
        self._parts: list[str] = []
        self._left = most

    def add(self, text: str) -> None:
        if self._left > 0 and text:
            self._parts.append(text[: self._left])
            self._left -= len(text)
            if self._left <= 0:
                self._parts.append(CUT)

    @property
    def empty(self) -> bool:
        return not self._parts

    @property
    def text(self) -> str:
        return "".join(self._parts)


def legible(text: str, most: int) -> str:
    """Its last `most` characters at most, with nothing in it that a database or a terminal takes for more than text."""
    shown = "".join(
        each if each.isprintable() or each == "\n" else "\N{REPLACEMENT CHARACTER}" for each in text[-most:]
    )
    return shown if len(text) <= most else "…" + shown
