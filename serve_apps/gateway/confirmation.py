"""What a stolen session must not do is confirmed by whoever is signed in: by their password and, where they have a
second factor, a code of it."""

from uuid import UUID

from fastapi import Request

from omc.errors import Forbidden
from serve_apps.caller import caller
from serve_apps.gateway.own_password import OwnPassword
from serve_apps.gateway.passwords import Passwords
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.problem import Detailed
from serve_apps.second_factor import demand
from serve_apps.uncut import uncut


class Confirmation:
    """The password comes first: who does not know it uses no code up, and learns nothing of the second factor."""

    def __init__(self, ports: GatewayPorts, passwords: Passwords) -> None:
        self._ports = ports
        self._own = OwnPassword(ports, passwords)

    async def ask(self, request: Request, user_id: UUID, password: str | None, code: str | None) -> str:
        """The hash of the password as it is stored. Forbidden without it or the code, or when one of them is wrong;
        RateLimited after too many wrong ones."""
        if password is None:
            fault = Forbidden("this is confirmed by your own password: send it as current_password")
            raise Detailed(fault, {"current_password": "required"})
        address = caller(request.scope, self._ports.rules.proxies).network
        hashed = await uncut(self._own.confirm(user_id, password, address))
        await demand(self._ports.second_factors, user_id, code)
        return hashed
