"""Trying a key at its venue: the one thing besides trading that it is opened for."""

from typing import Protocol
from uuid import UUID

from omc.access.credential import Credential, Keyhole
from omc.errors import Conflict


class Examiner(Protocol):
    """Whoever may open keys, and try them."""

    async def examine(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        """Ask the venue what the stored key may do, by calls that change nothing, and store the answer.

        NotFound without a key, Conflict where nobody here speaks to that venue, Unavailable when the venue does not
        answer: what was known of the key then stays.
        """
        ...


class NoExaminer(Examiner):
    """Of a platform that speaks to no venue."""

    async def examine(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        raise unspoken(keyhole)


def unspoken(keyhole: Keyhole) -> Conflict:
    return Conflict(f"{keyhole.name} cannot be asked from here: its key is kept, and nothing uses it yet")
