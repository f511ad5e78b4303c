"""Takes secrets out of what is about to be written down: by the name that a value goes by, and by its shape.

Nobody writes a secret on purpose. This is for the message of a library, a path that somebody pasted a key into, or a
fault that quotes what it choked on. What is long and looks random goes as well: a line that says less is the cheaper
mistake. Ids in the form of UUIDs stay.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

HIDDEN = "[redacted]"
_MOST, _MOST_OF_A_PATH = 32_768, 2_048
_NAMES = (
    r"password|passphrase|passwd|secret|api[_-]?key|private[_-]?key|token|authorization|cookie|credential|otp|totp"
    r"|second[_-]?factor|recovery[_-]?code"
)
_BY_NAME = re.compile(_NAMES, re.IGNORECASE)
# Ids, and words about them, go by such names and are none: `token_id`, `token_type`, `key_id`.
_OF_NO_SECRET = re.compile(r"(_id|_type|_count|_file|_path)$|^(exit|status|error)_code$", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# Every pattern here takes time in proportion to what it is given, whoever wrote that: it begins at the beginning of a
# word alone, and gives nothing back that it took.
_NAMED = re.compile(
    rf"(?<![\w-])(?P<name>(?=[\w-]*?(?:{_NAMES}))"
    r"(?!(?:[\w-]*_(?:id|type|count|file|path)|(?:exit|status|error)_code)(?![\w-]))[\w-]++"
    # As it stands in text, in JSON, in JSON within a string, in an address, and in a pair.
    r"""(?:\\*+["']|%2[27])?+(?:\s*+(?:[:=]|%3[ad])|(?<=["']),)\s*+)(?:(?:bearer|basic)\s++)?+"""
    # What a word is put around belongs to the value: b'…', SecretStr('…').
    r"""(?:[^\s,;&"')}\]\\]*+(?:"(?:[^"\\]|\\.)*+"?+|'(?:[^'\\]|\\.)*+'?+|\\++["'][^"'\\]*+(?:\\*+["'])?+|\\++\w++)"""
    r"""|[^\s,;&"')}\]\\]++)""",
    re.IGNORECASE | re.DOTALL,
)
_SHAPES = (
    # What follows the scheme in a header.
    re.compile(r"(?<=bearer )\s*+\S++|(?<=basic )[\w+/=-]{8,}+", re.IGNORECASE),
    re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}KEY-----|\Z)", re.DOTALL),
    # JSON Web Tokens, with or without their signature.
    re.compile(r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]++(?:\.[\w-]*+)?+"),
    re.compile(r"\bomc_[A-Za-z0-9_-]{8,}+"),
    # A code that recovers an account.
    re.compile(r"(?<![\w-])[a-z0-9]{4}(?:-[a-z0-9]{4}){3}(?![\w-])", re.IGNORECASE),
    # Sealed values and tokens of Fernet open nothing by themselves, and are nobody's business all the same.
    re.compile(r"\bv1\.[0-9a-z]++\.[\w+/=-]++|\bgAAAA[\w=-]{20,}+"),
    # The password of an address.
    re.compile(r"(?<=://)[^\s/@:]*+:[^\s/]+(?=@)"),
    # One's own words for keys: long, and nothing but letters and figures, at least one of these.
    re.compile(r"(?<![\w./+-])(?=[\w+-]*?\d)(?=[\w+-]*?[A-Za-z])(?>[A-Za-z0-9_+-]{24,})={0,2}(?![\w/]|\.\w)"),
    re.compile(r"(?<![\w-])[0-9a-fA-F]{24,}+(?![\w-])"),
    re.compile(
        r"(?<![A-Za-z0-9+/=._-])(?=[A-Za-z0-9+/]*?\d)(?=[A-Za-z0-9+/]*?[A-Z])(?>[A-Za-z0-9+/]{32,})={0,2}(?![\w/])"
    ),
)
# Short texts in which nothing was found, such as the words of paths: every request tells of the same few. No secret is
# among them.
_HARMLESS: set[str] = set()
_MOST_HARMLESS, _SHORT = 4_096, 64
_PLACE = "\x00{}\x00"
_PLACES = re.compile("\x00(\\d+)\x00")


def redacted(text: str) -> str:
    """`text` without what is, or looks like, a secret. Of a very long one only the beginning."""
    if text in _HARMLESS:
        return text
    if len(text) > _MOST:
        # The last word goes as well: half a secret may look like none.
        begun = text[:_MOST].rsplit(None, 1)
        return f"{redacted(begun[0] if len(begun) == 2 else '')} [{len(text)} characters in all]"
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return _PLACE.format(len(kept) - 1)

    safe = _UUID.sub(keep, text.replace("\x00", ""))
    safe = _NAMED.sub(rf"\g<name>{HIDDEN}", safe)
    for shape in _SHAPES:
        safe = shape.sub(HIDDEN, safe)
    safe = _PLACES.sub(lambda place: kept[int(place[1])], safe)
    if safe == text and len(text) <= _SHORT:
        if len(_HARMLESS) >= _MOST_HARMLESS:
            _HARMLESS.clear()
        _HARMLESS.add(text)
    return safe


def redacted_path(path: str, mark: str = "/") -> str:
    """The same for words that stand between marks, each by itself: so they look like no part of a longer one."""
    if len(path) > _MOST_OF_A_PATH:
        path = f"{path[:_MOST_OF_A_PATH].rpartition(mark)[0]}{mark}[{len(path)} characters in all]"
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


@lru_cache(maxsize=1_024)
def is_secret_name(name: str) -> bool:
    """Whether what goes by that name is a secret. `code` alone is one of a second factor; in longer names it is not."""
    return name.lower() == "code" or bool(_BY_NAME.search(name) and not _OF_NO_SECRET.search(name))
