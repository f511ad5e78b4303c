"""API tokens: made, listed and revoked by persons, for their programs."""

import secrets
from typing import Annotated, Self
from uuid import UUID, uuid4

from fastapi import APIRouter, Depends, Query, Response
from pydantic import AfterValidator, BaseModel, Field

from omc.access.api_token import SECRET_BYTES, USUAL_LIFE, ApiToken, digest, token_text
from omc.access.scope import Scope
from serve_apps.envelope import Page, Paging, Success
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Instant, Line, Time


def _once_each(scopes: list[Scope]) -> list[Scope]:
    if len(set(scopes)) < len(scopes):
        raise ValueError("names a scope twice")
    return scopes


class TokenIn(Body):
    name: Line = Field(description="What you will know it by.")
    scopes: Annotated[list[Scope], AfterValidator(_once_each)] = Field(
        min_length=1,
        max_length=len(Scope),
        description="`read` looks at everything, `lab` also works in the lab, `trade` also on the floor.",
    )
    expires_at: Instant | None = Field(None, description="At most a year from now; ninety days when not given.")


class TokenOut(BaseModel):
    """`last_used_at` is written once a minute."""

    id: UUID
    name: str
    scopes: list[Scope]
    created_at: Time
    expires_at: Time
    last_used_at: Time | None

    @classmethod
    def of(cls, token: ApiToken) -> Self:
        return cls(
            id=token.id,
            name=token.name,
            scopes=sorted(token.scopes),
            created_at=token.created_at,
            expires_at=token.expires_at,
            last_used_at=token.last_used_at,
        )


class NewToken(TokenOut):
    """The only time that the token itself is shown."""

    token: str


def routes(ports: GatewayPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/users/tokens", tags=["tokens"])
    asker = Annotated[UUID, Depends(bearer)]

    @router.post("", status_code=201)
    async def make(user_id: asker, body: TokenIn, response: Response) -> Success[NewToken]:
        """Make a token for a program. It is shown this once, and nobody can show it again."""
        token_id, now = uuid4(), ports.clock.now()
        text = token_text(token_id, secrets.token_urlsafe(SECRET_BYTES))
        made = ApiToken(
            id=token_id,
            user_id=user_id,
            name=body.name,
            scopes=frozenset(body.scopes),
            digest=digest(text),
            created_at=now,
            expires_at=body.expires_at or now + USUAL_LIFE,
        )
        await uncut(ports.tokens.add(made))
        response.headers["Cache-Control"] = "no-store"
        return Success(data=NewToken(**TokenOut.of(made).model_dump(), token=text))

    @router.get("")
    async def every(user_id: asker, query: Annotated[Paging, Query()]) -> Page[TokenOut]:
        """Your tokens, the newest first: what they are for, and when each was last used."""
        return Page.cut([TokenOut.of(each) for each in await ports.tokens.of(user_id)], query)

    @router.delete("/{token_id}")
    async def revoke(user_id: asker, token_id: UUID) -> Success[None]:
        """End a token. Whoever used it within the last seconds may be believed for five more."""
        await uncut(ports.tokens.revoke(user_id, token_id))
        return Success(data=None, message="revoked")

    return router
