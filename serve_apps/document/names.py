"""What an operation is called, so that a client's methods read like what they do.

The name follows from the method and the path; a route that says its own keeps it.
"""

import re
from collections.abc import Sequence

PREFIX = "/api/v1"
# They say where something stands, and nothing about what it is.
_PLACES = frozenset({"lab", "floor", "data", "auth"})
# They say which of the things before them.
_ADJECTIVES = frozenset({"latest"})
_VERB = {"GET": "get", "PUT": "change", "PATCH": "change", "DELETE": "delete", "POST": "create"}


def operation_name(method: str, path: str, *, paged: bool) -> str:
    """Such as `list_algorithms`, `create_algorithm_sweep` or `cancel_order`. `paged` answers are lists."""
    *things, last, action = ("", "", *_things(path))
    known = [thing for thing in (*things, last) if thing]
    match method:
        case "GET" if action in _ADJECTIVES:
            words = ["list" if paged else "get", action, *known]
        case "GET" if paged:
            words = ["list", *map(_one, known), action]
        case "POST" if _is_verb(action) and not path.endswith("}"):
            words = [action, *map(_one, known)]
        case _:
            words = [_VERB[method], *map(_one, known), _one(action) if method == "POST" else action]
    return "_".join(word for word in words if word)


def _things(path: str) -> list[str]:
    """The nouns and verbs of a path. One that an id follows is called by the id, which says better what is meant: the
    floor's `/algorithms/{deployment_id}` are deployments."""
    parts = path.removeprefix(PREFIX).strip("/").split("/")
    found: list[str] = []
    for part in parts:
        if re.fullmatch(r"\{.*\}", part):
            name = part.strip("{}").partition(":")[0]
            found[-1] = name.removesuffix("_id") if name.endswith("_id") else _one(found[-1])
        else:
            found.append(part.replace("-", "_").replace(".", "_"))
    return _ordered(found)


def _ordered(found: Sequence[str]) -> list[str]:
    placed = [word for at, word in enumerate(found) if word not in _PLACES or at == len(found) - 1]
    match placed:
        case ["credentials", which, *rest]:
            return [_one(which) + "_credential", *rest]
        case ["users", what] if what != "user":
            return [what]
        case _:
            return placed


def _is_verb(word: str) -> bool:
    return not word.endswith("s") and not word.endswith("_credential")


def _one(word: str) -> str:
    """The singular of a noun as paths spell it."""
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word.removesuffix("s") if word.endswith("s") and not word.endswith(("ss", "status", "us")) else word
