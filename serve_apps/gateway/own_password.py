"""Asking somebody who is logged in for their password again, before what a stolen token must not do."""

from uuid import UUID

from omc.access.lockout import Attempt
from omc.errors import Forbidden
from serve_apps.gateway.guessing import Guessing
from serve_apps.gateway.passwords import Passwords
from serve_apps.gateway.ports import GatewayPorts


class OwnPassword:
    """Guessed at as slowly as at the login."""

    def __init__(self, ports: GatewayPorts, passwords: Passwords) -> None:
        self._users, self._passwords = ports.users, passwords
        self._guessing = Guessing(ports.lockout, ports.clock)

    async def confirm(self, user_id: UUID, password: str, address: str) -> str:
        """Its hash as it is stored. Forbidden when it is another; RateLimited after too many others."""
        user = await self._users.get(user_id)
        self._passwords.check_room()
        admitted = await self._guessing.begin(Attempt.at("password", str(user_id), address))
        found = await self._users.credentials(user.email)
        # The address may have become somebody else's meanwhile, and their password proves nothing here.
        hashed = found[1] if found is not None and found[0].id == user_id else None
        if not await self._passwords.matches(password, hashed) or hashed is None:
            raise Forbidden("the current password is wrong")
        await self._guessing.succeeded(admitted)
        return hashed
