"""Who may come in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid4

from omc.access.revocation import Revocation, valid_from
from omc.errors import Conflict, Forbidden, InvalidInput, NotFound

# One local part, one at sign, a domain with a dot; no spaces, no control characters, nothing that needs quoting.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_EMAIL_LENGTH = 255
# No mail reaches anybody there (RFC 2606), and accounts that were deleted have their placeholders there: whoever had
# such an address could keep the account that it names from being deleted.
NOWHERE = ".invalid"


@dataclass(frozen=True, slots=True)
class User:
    id: UUID
    email: str
    full_name: str | None
    is_active: bool
    is_superuser: bool
    created_at: datetime
    tokens_valid_from: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    """Access tokens made before do not hold."""
    deleted_at: datetime | None = None


def email_address(text: str) -> str:
    """`text` as an address that mail can reach, without the spaces around it."""
    address = text.strip()
    reachable = len(address) <= _EMAIL_LENGTH and not address.lower().endswith(NOWHERE)
    if not reachable or not _EMAIL.fullmatch(address):
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

    async def set_password(
        self, user_id: UUID, hashed_password: str, at: datetime, *, in_place_of: str | None = None
    ) -> None:
        """Another password: every session that the account has ends in the same step. Forbidden when there is another
        by now than the one whose hash it was to be `in_place_of`."""
        ...

    async def rehash(self, user_id: UUID, hashed_password: str, *, in_place_of: str) -> None:
        """The same password by today's rules; nothing when there is another by now."""
        ...

    async def update(self, user_id: UUID, *, email: str, full_name: str | None) -> User:
        """NotFound for an account that was deleted: what was meant for it must not bring its owner's name back."""
        ...

    async def page(self, email_part: str, offset: int, limit: int) -> tuple[list[User], int]:
        """Whose email has this part, whatever its case, oldest first; and how many there are."""
        ...

    async def superusers(self) -> list[User]: ...

    async def set_superuser(self, email: str, granted: bool) -> User:
        """Granted or revoked again, it changes nothing. NotFound for an email without an account; Conflict when it is
        granted to an account that is closed."""
        ...

    async def changed_since(self, moment: datetime) -> Sequence[Revocation]:
        """As Revocations has it."""
        ...


def no_user(user_id: UUID) -> NotFound:
    return NotFound(f"there is no user {user_id}")


def nobody_of(email: str) -> NotFound:
    return NotFound(f"there is no account of {email}")


def changed_meanwhile() -> Forbidden:
    return Forbidden("the password was changed meanwhile")


def closed_to(email: str) -> Conflict:
    return Conflict(f"the account of {email} is closed")


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
            raise no_user(user_id)
        return self.users[user_id][0]

    async def credentials(self, email: str) -> tuple[User, str] | None:
        return next((pair for pair in self.users.values() if pair[0].email.lower() == email.lower()), None)

    async def set_password(
        self, user_id: UUID, hashed_password: str, at: datetime, *, in_place_of: str | None = None
    ) -> None:
        user = await self.get(user_id)
        if in_place_of not in (None, self.users[user_id][1]):
            raise changed_meanwhile()
        self.users[user_id] = (replace(user, tokens_valid_from=valid_from(at)), hashed_password)

    async def rehash(self, user_id: UUID, hashed_password: str, *, in_place_of: str) -> None:
        user, hashed = self.users[user_id]
        if hashed == in_place_of:
            self.users[user_id] = (user, hashed_password)

    async def update(self, user_id: UUID, *, email: str, full_name: str | None) -> User:
        user = await self.get(user_id)
        if user.deleted_at is not None:
            raise no_user(user_id)
        self._refuse_taken(email, by_other_than=user_id)
        changed = replace(user, email=email, full_name=full_name)
        self.users[user_id] = (changed, self.users[user_id][1])
        return changed

    async def page(self, email_part: str, offset: int, limit: int) -> tuple[list[User], int]:
        found = [user for user, _ in self.users.values() if email_part.lower() in user.email.lower()]
        found.sort(key=lambda user: (user.created_at, user.id))
        return found[offset : offset + limit], len(found)

    async def superusers(self) -> list[User]:
        found = [user for user, _ in self.users.values() if user.is_superuser]
        return sorted(found, key=lambda user: user.email.lower())

    async def set_superuser(self, email: str, granted: bool) -> User:
        found = await self.credentials(email)
        if found is None:
            raise nobody_of(email)
        user, hashed = found
        if granted and not user.is_active:
            raise closed_to(email)
        changed = replace(user, is_superuser=granted)
        self.users[user.id] = (changed, hashed)
        return changed

    async def changed_since(self, moment: datetime) -> Sequence[Revocation]:
        return [
            Revocation(user.id, user.tokens_valid_from, closed=not user.is_active)
            for user, _ in self.users.values()
            if user.tokens_valid_from > moment
        ]

    def _refuse_taken(self, email: str, by_other_than: UUID | None = None) -> None:
        for user, _ in self.users.values():
            if user.email.lower() == email.lower() and user.id != by_other_than:
                raise Conflict("this email address has an account already")
