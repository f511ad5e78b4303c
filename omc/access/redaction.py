"""Takes secrets out of what is about to be written down: by the name that a value goes by, and by its shape.

Nobody writes a secret on purpose. This is for the message of a library, a path that somebody pasted a key into, or a
fault that quotes what it choked on. What is long and looks random goes as well: a line that says less is the cheaper
mistake. Ids in the form of UUIDs stay.
"""

import re
from collections.abc import Mapping
from typing import Any

HIDDEN = "[redacted]"
_NAMES = r"password|passphrase|passwd|secret|api[_-]?key|private[_-]?key|token|authorization|cookie|credential|otp|totp"
_BY_NAME = re.compile(_NAMES, re.IGNORECASE)
# Ids, and words about them, go by such names and are none: `token_id`, `token_type`, `key_id`.
_OF_NO_SECRET = re.compile(r"(_id|_type|_count|_file|_path)$|^(exit|status|error)_code$", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NAMED = re.compile(
    rf"""(?P<name>["']?\b[\w-]*(?:{_NAMES})[\w-]*["']?\s*[:=]\s*)(?P<scheme>(?:bearer|basic)\s+)?"""
    r"""(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&"')}\]]+)""",
    re.IGNORECASE,
)
_SHAPES = (
    # What follows the scheme in a header.
    re.compile(r"(?<=bearer )\S+|(?<=basic )[\w+/=-]{8,}", re.IGNORECASE),
    # JSON Web Tokens, with or without their signature.
    re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?"),
    re.compile(r"\bomc_[A-Za-z0-9_-]{8,}"),
    # Sealed values and tokens of Fernet open nothing by themselves, and are nobody's business all the same.
    re.compile(r"\bv1\.[0-9a-z]+\.[\w+/=-]+|\bgAAAA[\w=-]{20,}"),
    # The password of an address.
    re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"),
    # One's own words for keys: long, and nothing but letters and figures, at least one of these.
    re.compile(r"(?<![\w./-])(?=[\w+-]*\d)(?=[\w+-]*[A-Za-z])[A-Za-z0-9_+-]{24,}={0,2}(?![\w./])"),
    re.compile(r"(?<![\w-])[0-9a-fA-F]{24,}(?![\w-])"),
    re.compile(r"(?<![A-Za-z0-9+/=._-])(?=[A-Za-z0-9+/]*\d)(?=[A-Za-z0-9+/]*[A-Z])[A-Za-z0-9+/]{32,}={0,2}(?![\w/])"),
)
_PLACE = "\x00{}\x00"
_PLACES = re.compile("\x00(\\d+)\x00")


def redacted(text: str) -> str:
    """`text` without what is, or looks like, a secret."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return _PLACE.format(len(kept) - 1)

    safe = _UUID.sub(keep, text.replace("\x00", ""))
    safe = _NAMED.sub(_named, safe)
    for shape in _SHAPES:
        safe = shape.sub(HIDDEN, safe)
    return _PLACES.sub(lambda place: kept[int(place[1])], safe)


def redacted_path(path: str, mark: str = "/") -> str:
    """The same for words that stand between marks, each by itself: so they look like no part of a longer one."""
    return mark.join(redacted(part) for part in path.split(mark))


def redacted_value(value: Any, name: str = "", depth: int = 4) -> Any:
    """The same for what is no text: whatever goes by the name of a secret is hidden whole."""
    if is_secret_name(name) and value is not None:
        return HIDDEN
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping() if depth:
            return {str(key): redacted_value(each, str(key), depth - 1) for key, each in value.items()}
        case list() | tuple() | set() | frozenset() if depth:
            return [redacted_value(each, name, depth - 1) for each in value]
        case _:
            return redacted(str(value))


def is_secret_name(name: str) -> bool:
    """Whether what goes by that name is a secret. `code` alone is one of a second factor; in longer names it is not."""
    return name.lower() == "code" or bool(_BY_NAME.search(name) and not _OF_NO_SECRET.search(name))


def _named(found: re.Match[str]) -> str:
    name = found["name"].strip("\"' :=\t")
    if not is_secret_name(name):
        return found[0]
    return f"{found['name']}{HIDDEN}"
