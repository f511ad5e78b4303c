"""What is known of a request while it is answered, for logs and for the audit trail."""

from dataclasses import dataclass

from starlette.types import Scope

_KEY = "omc.seen"


@dataclass(slots=True)
class Seen:
    """Whatever stands between the door and a handler hands the same one on."""

    request_id: str = ""
    address: str = ""
    """Who calls, as far as the proxies tell that we trust."""
    user: str | None = None
    """Whose token it carries, once somebody has looked at that."""


def note(scope: Scope, seen: Seen) -> None:
    scope[_KEY] = seen


def seen_of(scope: Scope) -> Seen:
    """Nothing is known of a request that came through no door."""
    seen = scope.get(_KEY)
    return seen if isinstance(seen, Seen) else Seen()
