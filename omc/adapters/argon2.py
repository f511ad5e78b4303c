"""Passwords kept as Argon2id hashes, with memory bounded so that logins cannot exhaust a machine."""

from dataclasses import dataclass

import argon2


@dataclass(frozen=True, slots=True)
class Argon2Hasher:
    """A PasswordHasher. The defaults are OWASP's: 19 MiB, two passes, one lane; about 40 ms."""

    memory_kib: int = 19_456
    passes: int = 2
    lanes: int = 1

    def hash(self, password: str) -> str:
        return self._argon2().hash(password)

    def matches(self, password: str, hashed: str) -> bool:
        try:
            return self._argon2().verify(hashed, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    def outdated(self, hashed: str) -> bool:
        try:
            return self._argon2().check_needs_rehash(hashed)
        except argon2.exceptions.InvalidHashError:
            return True

    def _argon2(self) -> argon2.PasswordHasher:
        return argon2.PasswordHasher(time_cost=self.passes, memory_cost=self.memory_kib, parallelism=self.lanes)
