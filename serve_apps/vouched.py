"""Whose token a request shows, as far as it can be told without asking anybody.

Whoever wants everything stopped is let in before others. Made-up tokens are cheap, so it takes one that is known here:
that of a session, which is signed, or a program's that was believed within the last quarter of an hour.
"""

from dataclasses import dataclass
from uuid import UUID

from starlette.types import Scope

from omc.access.asker import Askers
from serve_apps.precedence import header


@dataclass(frozen=True, slots=True)
class Vouched:
    """Nobody is known without `askers`."""

    askers: Askers | None = None

    def account(self, scope: Scope) -> UUID | None:
        """Whose account is asked for. The token may have been ended meanwhile: whoever reads it in earnest says so."""
        scheme, _, token = header(scope, b"authorization").decode("latin-1").partition(" ")
        if self.askers is None or scheme.lower() != "bearer":
            return None
        return self.askers.at_hand(token.strip())
