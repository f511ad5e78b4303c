"""Things are named by their id, or by their name where it is theirs alone."""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from omc.cli.outcome import ExitCode, Failure
from omc.cli.platform import Platform

_LOCK = re.compile(r"[A-Za-z0-9-]+")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def algorithm(there: Platform, word: str) -> str:
    """The id of the algorithm that `word` names."""
    return _found(word, there.everything("/lab/algorithms"), "name", "algorithm")


def deployment(there: Platform, word: str) -> str:
    return _found(word, there.everything("/floor/deployments"), "deployment_name", "deployment")


def sweep(word: str) -> str:
    """The id of a sweep; sweeps have no names."""
    try:
        return str(UUID(word))
    except ValueError:
        raise Failure(f"{word!r} is not the id of a sweep", ExitCode.USAGE, code="USAGE") from None


def order(word: str) -> str:
    """The id of an order; orders have no names."""
    try:
        return str(UUID(word))
    except ValueError:
        raise Failure(f"{word!r} is not the id of an order", ExitCode.USAGE, code="USAGE") from None


def lock(word: str) -> str:
    """The id of a lock, as it may stand in an address; locks have no names."""
    if not _LOCK.fullmatch(word):
        raise Failure(f"{word!r} is not the id of a lock, as `omc locks` lists it", ExitCode.USAGE, code="USAGE")
    return word


def venue(word: str) -> str:
    """The name of a venue, or of whoever provides models, as it may stand in an address."""
    if not _NAME.fullmatch(word):
        raise Failure(f"{word!r} is not the name of a venue, such as coinspot", ExitCode.USAGE, code="USAGE")
    return word


def _found(word: str, rows: Iterable[Mapping[str, Any]], key: str, kind: str) -> str:
    try:
        return str(UUID(word))
    except ValueError:
        named = [str(row["id"]) for row in rows if row[key] == word]
    if len(named) != 1:
        what = f"no {kind} is named {word!r}" if not named else f"{len(named)} {kind}s are named {word!r}: use an id"
        raise Failure(what, ExitCode.REFUSED, code="NOT_FOUND" if not named else "CONFLICT")
    return named[0]
