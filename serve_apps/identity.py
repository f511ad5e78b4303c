"""Who asks: a bearer token in, the asker's id out."""

from uuid import UUID

from fastapi import Request
from fastapi.openapi.models import HTTPBearer as BearerModel
from fastapi.security.base import SecurityBase

from omc.access.signer import TokenSigner
from omc.clock import Clock
from omc.errors import Unauthenticated


class Bearer(SecurityBase):
    """A dependency that answers with the id of the user whose access token the request carries."""

    def __init__(self, signer: TokenSigner, clock: Clock) -> None:
        self.model = BearerModel(bearerFormat="JWT", description="The access token of POST /api/v1/auth/login.")
        self.scheme_name = "bearer"
        self._signer = signer
        self._clock = clock

    async def __call__(self, request: Request) -> UUID:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("this needs an access token: Authorization: Bearer …")
        return self._signer.verify(token.strip(), self._clock.now()).user_id
