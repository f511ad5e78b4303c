"""Passwords: how long they must be, and how they are kept."""

import hashlib
from typing import Protocol

from omc.errors import InvalidInput

SHORTEST = 12
# A hash reads every byte, so somebody who sends megabytes is refused before it starts.
LONGEST = 256


def acceptable_password(text: str) -> str:
    """`text` when it may protect an account. Length is the whole rule: rules of composition make worse passwords."""
    if not SHORTEST <= len(text) <= LONGEST:
        raise InvalidInput(f"a password has {SHORTEST} to {LONGEST} characters")
    return text


class PasswordHasher(Protocol):
    """Slow on purpose, so callers run it off the event loop and a few at a time."""

    def hash(self, password: str) -> str: ...

    def matches(self, password: str, hashed: str) -> bool: ...

    def outdated(self, hashed: str) -> bool:
        """Whether `hashed` was made with weaker parameters than today's."""
        ...


class MemoryPasswordHasher:
    """A PasswordHasher that is quick and therefore weak: for processes that die with their accounts."""

    def hash(self, password: str) -> str:
        return "sha256$" + hashlib.sha256(password.encode()).hexdigest()

    def matches(self, password: str, hashed: str) -> bool:
        return self.hash(password) == hashed

    def outdated(self, hashed: str) -> bool:
        return not hashed.startswith("sha256$")
