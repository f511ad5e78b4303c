"""Who asks for what only a superuser may: a bearer token in, the superuser's id out."""

from uuid import UUID

from fastapi import Request
from fastapi.security.base import SecurityBase

from omc.access.user import UserStore
from omc.errors import Forbidden, NotFound, Unauthenticated
from serve_apps.identity import Bearer


class Superuser(SecurityBase):
    """A dependency that answers with the id of the superuser whose access token the request carries.

    Looked up at every request: whoever is none any more is refused at once, however long the token lasts.
    """

    def __init__(self, bearer: Bearer, users: UserStore) -> None:
        self.model = bearer.model
        self.scheme_name = bearer.scheme_name
        self._bearer = bearer
        self._users = users

    async def __call__(self, request: Request) -> UUID:
        user_id = await self._bearer(request)
        try:
            user = await self._users.get(user_id)
        except NotFound:
            raise Unauthenticated("the account of this access token is gone") from None
        if not (user.is_active and user.is_superuser):
            raise Forbidden("this is for superusers")
        return user.id
