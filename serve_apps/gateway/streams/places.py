"""How many connections there may be, in all and for each account."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

from omc.errors import OmcError, Unavailable


class TooMany(OmcError):
    """An account has as many connections as it may have."""


@dataclass(slots=True)
class Places:
    """Of one replica. Whoever has not said who it is yet takes one of the few places at the door."""

    most: int = 2_000
    most_of_one: int = 64
    most_at_the_door: int = 256
    most_at_the_door_of_one: int = 64
    """Of these, from one address."""
    taken: Counter[UUID] = field(default_factory=Counter)
    at_the_door: int = 0
    waiting: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def door(self, address: str | None = None) -> Iterator[None]:
        """Unavailable when there is no place; TooMany when that `address` has its own, unless it is not counted."""
        if address is not None and self.waiting[address] >= self.most_at_the_door_of_one:
            raise TooMany("too many connections of your address have not said who they are")
        if self.at_the_door >= self.most_at_the_door or self.taken.total() + self.at_the_door >= self.most:
            raise Unavailable("there are too many connections: try again later")
        self.at_the_door += 1
        if address is not None:
            self.waiting[address] += 1
        try:
            yield
        finally:
            self.at_the_door -= 1
            if address is not None:
                self.waiting[address] -= 1
                if not self.waiting[address]:
                    del self.waiting[address]

    @contextmanager
    def seat(self, user_id: UUID) -> Iterator[None]:
        """TooMany when the account has no place left."""
        if self.taken[user_id] >= self.most_of_one:
            raise TooMany(f"an account may have {self.most_of_one} connections")
        self.taken[user_id] += 1
        try:
            yield
        finally:
            self.taken[user_id] -= 1
            if not self.taken[user_id]:
                del self.taken[user_id]
