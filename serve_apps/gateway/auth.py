"""Coming in: log in, stay in, go out."""

import json
import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError

from omc.access.lockout import Attempt
from omc.access.password import LONGEST
from omc.access.signer import ACCESS_LIFE, Claims
from omc.access.token import REFRESH_LIFE, RefreshGrant, digest
from omc.access.user import User
from omc.errors import InvalidInput, Unauthenticated
from serve_apps import audited
from serve_apps.caller import caller
from serve_apps.envelope import Success
from serve_apps.gateway.guessing import Guessing
from serve_apps.gateway.passwords import Passwords
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.seldom import Seldom
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Line

_DEAD_TOLD_EVERY = timedelta(hours=1)
"""How often it is put on record that somebody shows tokens of a family that has ended."""
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class Login(Body):
    email: Line
    password: str = Field(max_length=LONGEST)


class RefreshToken(Body):
    refresh_token: str = Field(min_length=1, max_length=200)


class Tokens(Body):
    access_token: str
    refresh_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105  the kind of token, not one
    expires_in: int
    """Seconds that the access token lasts."""


async def login_of(request: Request) -> Login:
    """The body, as a form or as JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    given: Any
    if kind in _FORMS:
        async with request.form(max_files=0, max_fields=10) as form:
            given = dict(form)
    elif kind == "application/json":
        try:
            given = json.loads(await request.body())
        except (ValueError, RecursionError):
            raise InvalidInput("the body cannot be read as JSON") from None
    else:
        raise InvalidInput("send email and password as a form or as JSON")
    try:
        return Login.model_validate(given)
    except ValidationError as fault:
        found = [{**each, "loc": ("body", *each["loc"])} for each in fault.errors(include_input=False)]
        raise RequestValidationError(found) from None


def routes(ports: GatewayPorts, passwords: Passwords, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/auth", tags=["auth"])
    guessing = Guessing(ports.lockout, ports.clock)
    dead = Seldom(_DEAD_TOLD_EVERY)

    @router.post("/login", responses={401: {}}, openapi_extra={"requestBody": _LOGIN_BODY})
    async def log_in(
        login: Annotated[Login, Depends(login_of)], request: Request, response: Response
    ) -> Success[Tokens]:
        """An access token for a quarter of an hour, and a refresh token that buys the next one, once. Whoever fails too
        often, at one account or from one address, has to wait for up to a quarter of an hour."""
        user, refresh_token, now = await uncut(_admitted(request, login))
        return _answer(response, user, refresh_token, now)

    @router.post("/refresh", responses={401: {}})
    async def refresh(request: Request, body: RefreshToken, response: Response) -> Success[Tokens]:
        """Swap a refresh token for a new pair. One that was swapped before ends its whole family."""
        now = ports.clock.now()
        old, new = digest(body.refresh_token), secrets.token_urlsafe(32)
        grant = await ports.refresh.grant(old)
        if grant is None or grant.is_over or grant.expires_at <= now:
            # Nothing comes of it, so whoever shows it again and again must not fill its owner's record.
            if grant is not None and dead.tells(grant.family, now):
                audited.concerns(request, grant.user_id)
            raise Unauthenticated("this refresh token is unknown, expired or revoked")
        await audited.asked(request, grant.user_id)
        # Read first: whoever ends the account's sessions meanwhile ends what is bought here as well.
        user = await ports.users.get(grant.user_id)
        if not user.is_active:
            await ports.refresh.revoke(old)
            raise Unauthenticated("this account is closed")
        await ports.refresh.rotate(old, replace(grant, digest=digest(new), expires_at=now + REFRESH_LIFE), now)
        return _answer(response, user, new, now)

    @router.post("/logout", dependencies=[Depends(bearer)])
    async def log_out(body: RefreshToken) -> Success[None]:
        """End the family of a refresh token. The access token lasts its quarter of an hour."""
        await ports.refresh.revoke(digest(body.refresh_token))
        return Success(data=None, message="logged out")

    async def _admitted(request: Request, login: Login) -> tuple[User, str, datetime]:
        """Who logs in, with a refresh token, and when that began."""
        now = ports.clock.now()
        # Addresses are plain; letters that a database might fold into plain ones would each be counted apart.
        found = await ports.users.credentials(login.email) if login.email.isascii() else None
        network = caller(request.scope, ports.rules.proxies).network
        passwords.check_room()
        admitted = await guessing.begin(Attempt.at("login", login.email, network))
        # Not before: whoever has to wait writes nothing, or strangers could fill an account's record at will.
        if found is not None:
            audited.concerns(request, found[0].id)
        matches = await passwords.matches(login.password, found[1] if found else None)
        if found is None or not matches or not found[0].is_active:
            raise Unauthenticated("email or password is wrong")
        user, hashed = found
        await audited.asked(request, user.id)
        await guessing.succeeded(admitted)
        if passwords.outdated(hashed):
            await ports.users.rehash(user.id, await passwords.hash(login.password), in_place_of=hashed)
        token = secrets.token_urlsafe(32)
        grant = RefreshGrant(digest(token), uuid4(), user.id, now + REFRESH_LIFE, user.tokens_valid_from)
        await ports.refresh.issue(grant)
        return user, token, now

    def _answer(response: Response, user: User, refresh_token: str, now: datetime) -> Success[Tokens]:
        response.headers["Cache-Control"] = "no-store"
        # Right after a password was changed tokens hold from the next second on, and such a one is made for it.
        issued_at = max(now.replace(microsecond=0), user.tokens_valid_from)
        claims = Claims(user.id, uuid4(), issued_at, expires_at=issued_at + ACCESS_LIFE)
        return Success(
            data=Tokens(
                access_token=ports.signer.sign(claims),
                refresh_token=refresh_token,
                expires_in=int(ACCESS_LIFE.total_seconds()),
            )
        )

    return router


_LOGIN_BODY = {
    "required": True,
    "content": {kind: {"schema": Login.model_json_schema()} for kind in ("application/json", _FORMS[0])},
}
