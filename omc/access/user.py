"""Who may come in."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class User:
    id: UUID
    email: str
    full_name: str | None
    is_active: bool
    is_superuser: bool
    created_at: datetime


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
