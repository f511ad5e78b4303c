"""Who may come in."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid4

from omc.errors import Conflict, InvalidInput, NotFound

# One local part, one at sign, a domain with a dot; no spaces, no control characters, nothing that needs quoting.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_EMAIL_LENGTH = 255


@dataclass(frozen=True, slots=True)
class User:
    id: UUID
    email: str
    full_name: str | None
    is_active: bool
    is_superuser: bool
    created_at: datetime


def email_address(text: str) -> str:
    """`text` as an address that mail can reach, without the spaces around it."""
    address = text.strip()
    if len(address) > _EMAIL_LENGTH or not _EMAIL.fullmatch(address):
        raise InvalidInput("email is not an address such as name@example.com")
    return address


class UserStore(Protocol):
    async def create(self, email: str, hashed_password: str, full_name: str | None) -> User:
        """Conflict when the email is taken, whatever its case."""
        ...

    async def get(self, user_id: UUID) -> User: ...

    async def credentials(self, email: str) -> tuple[User, str] | None:
        """The user and the stored password hash, or None."""
        ...

    async def set_password(self, user_id: UUID, hashed_password: str) -> None: ...

    async def update(self, user_id: UUID, *, email: str, full_name: str | None) -> User: ...


@dataclass(slots=True)
class MemoryUserStore:
    """A UserStore that lives and dies with the process."""

    now: datetime = datetime(2025, 1, 1, tzinfo=UTC)
    users: dict[UUID, tuple[User, str]] = field(default_factory=dict)

    async def create(self, email: str, hashed_password: str, full_name: str | None) -> User:
        self._refuse_taken(email)
        user = User(uuid4(), email, full_name, is_active=True, is_superuser=False, created_at=self.now)
        self.users[user.id] = (user, hashed_password)
        return user

    async def get(self, user_id: UUID) -> User:
        if user_id not in self.users:
            raise NotFound(f"there is no user {user_id}")
        return self.users[user_id][0]

    async def credentials(self, email: str) -> tuple[User, str] | None:
        return next((pair for pair in self.users.values() if pair[0].email.lower() == email.lower()), None)

    async def set_password(self, user_id: UUID, hashed_password: str) -> None:
        self.users[user_id] = (await self.get(user_id), hashed_password)

    async def update(self, user_id: UUID, *, email: str, full_name: str | None) -> User:
        user = await self.get(user_id)
        self._refuse_taken(email, by_other_than=user_id)
        changed = replace(user, email=email, full_name=full_name)
        self.users[user_id] = (changed, self.users[user_id][1])
        return changed

    def _refuse_taken(self, email: str, by_other_than: UUID | None = None) -> None:
        for user, _ in self.users.values():
            if user.email.lower() == email.lower() and user.id != by_other_than:
                raise Conflict("this email address has an account already")
