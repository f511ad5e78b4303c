"""Who asks: a bearer token in, the asker's id out, if they may ask for this."""

from uuid import UUID

from fastapi import Request
from fastapi.openapi.models import HTTPBearer as BearerModel
from fastapi.security.base import SecurityBase

from omc.access import audit
from omc.access.asker import Askers
from omc.access.scope import Scope
from omc.errors import Unauthenticated
from serve_apps import audited
from serve_apps.turnstile import admit

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class Bearer(SecurityBase):
    """A dependency that answers with the id of the user whose token the request carries.

    As it is made it takes a person's session and refuses every API token, so that whatever nobody has thought of stays
    closed to programs. `opened` says which of their scopes suffice.
    """

    def __init__(self, askers: Askers, *, reads: Scope | None = None, writes: Scope | None = None) -> None:
        self.model = BearerModel(
            bearerFormat="JWT",
            description="The access token of POST /api/v1/auth/login, or an API token of POST /api/v1/users/tokens.",
        )
        self.scheme_name = "bearer"
        self._askers = askers
        self._reads, self._writes = reads, writes

    def opened(self, *, reads: Scope | None = None, writes: Scope | None = None) -> "Bearer":
        """The same for programs with these scopes; None leaves it to persons."""
        return Bearer(self._askers, reads=reads, writes=writes)

    def wants(self, method: str) -> Scope | None:
        """The scope that a program needs to ask by `method`; None when it takes a person."""
        return self._reads if method.upper() in _READING else self._writes

    async def __call__(self, request: Request) -> UUID:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("this needs an access token: Authorization: Bearer …")
        asker = await self._askers.known(token.strip())
        # Before the scope: a program that asks for what it may not is no less busy for it.
        await admit(request.scope, asker.user_id, None if asker.is_person else str(asker.token_id))
        await audited.asked(request, asker.user_id, None if asker.is_person else audit.token(asker.token_id))
        asker.check(self.wants(request.method))
        request.state.asker = asker
        return asker.user_id
