"""One's own account."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import AfterValidator, BaseModel, Field

from omc.access.password import LONGEST, SHORTEST, acceptable_password
from omc.access.user import User, email_address
from omc.errors import InvalidInput
from serve_apps import audited
from serve_apps.envelope import Success
from serve_apps.gateway.confirmation import Confirmation
from serve_apps.gateway.deleting import deleted
from serve_apps.gateway.passwords import Passwords
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.second_factor import Code
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Line, Time


def _address(text: str) -> str:
    try:
        return email_address(text)
    except InvalidInput as fault:
        raise ValueError(str(fault)) from None


Email = Annotated[str, Field(max_length=255), AfterValidator(_address)]
NewPassword = Annotated[str, Field(min_length=SHORTEST, max_length=LONGEST), AfterValidator(acceptable_password)]


class Registration(Body):
    email: Email
    password: NewPassword
    full_name: Line | None = None


class ProfileChange(Body):
    email: Email | None = None
    full_name: Line | None = None
    current_password: str | None = Field(
        None, max_length=LONGEST, description="Asked for by another `email` than the account has."
    )


class PasswordChange(Body):
    current_password: str = Field(max_length=LONGEST)
    new_password: NewPassword


class Deletion(Body):
    """`current_password` is that of whoever asks, whosever account it is."""

    current_password: str = Field(max_length=LONGEST)
    leave_coins: Annotated[bool, Field(strict=True)] = Field(
        False, description="Coins of deactivated live deployments stay at their exchange, and are sold by nobody."
    )


class Profile(BaseModel):
    id: UUID
    email: str
    full_name: str | None
    is_active: bool
    is_superuser: bool
    created_at: Time

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(
            id=user.id,
            email=user.email,
            full_name=user.full_name,
            is_active=user.is_active,
            is_superuser=user.is_superuser,
            created_at=user.created_at,
        )


def routes(ports: GatewayPorts, passwords: Passwords, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/users", tags=["users"])
    asker = Depends(bearer)
    confirmation = Confirmation(ports, passwords)

    @router.post("/register", status_code=201, responses={409: {}})
    async def register(request: Request, body: Registration) -> Success[Profile]:
        """Open an account."""
        hashed = await passwords.hash(body.password)
        user = await ports.users.create(body.email, hashed, body.full_name)
        await audited.asked(request, user.id)
        return Success(data=Profile.of(user))

    @router.get("/profile")
    async def profile(user_id: Annotated[UUID, asker]) -> Success[Profile]:
        """Who is asking."""
        return Success(data=Profile.of(await ports.users.get(user_id)))

    @router.put("/profile")
    async def change_profile(
        user_id: Annotated[UUID, asker], body: ProfileChange, request: Request, code: Code = None
    ) -> Success[Profile]:
        """What is left out stays as it is; a `full_name` of null is taken away. Another email, by which its owner logs
        in, takes the password and, where there is a second factor, a code of it: FORBIDDEN with `details` of
        `{"current_password": "required"}` asks for the first."""
        user = await ports.users.get(user_id)
        moves = body.email not in (None, user.email)
        if moves:
            await confirmation.ask(request, user_id, body.current_password, code)
        full_name = body.full_name if "full_name" in body.model_fields_set else user.full_name
        changed = await uncut(ports.users.update(user_id, email=body.email or user.email, full_name=full_name))
        if moves:
            # Neither address: whoever's account is deleted is named by no record.
            audited.noted(request, "changed", "email")
        return Success(data=Profile.of(changed))

    @router.put("/password")
    async def change_password(
        user_id: Annotated[UUID, asker], body: PasswordChange, request: Request, code: Code = None
    ) -> Success[None]:
        """Every session ends: access tokens stop to hold within seconds, and whoever is logged in anywhere has to log
        in again. Where there is a second factor, it takes a code of it besides."""
        await uncut(_change_password(user_id, body, request, code))
        return Success(data=None, message="password changed")

    async def _change_password(user_id: UUID, body: PasswordChange, request: Request, code: str | None) -> None:
        confirmed = await confirmation.ask(request, user_id, body.current_password, code)
        hashed = await passwords.hash(body.new_password)
        await ports.users.set_password(user_id, hashed, ports.clock.now(), in_place_of=confirmed)
        await ports.refresh.revoke_user(user_id)

    @router.delete("/profile", responses={403: {}, 409: {}})
    async def delete_profile(
        user_id: Annotated[UUID, asker], body: Deletion, request: Request, code: Code = None
    ) -> Success[None]:
        """Delete one's account for good: who one was, all keys, tokens and sessions. Deployments on paper are stopped;
        live ones must be deactivated before. What was traded stays on record, without a name. Where there is a second
        factor, it takes a code of it."""
        await confirmation.ask(request, user_id, body.current_password, code)
        await deleted(ports, user_id, body.leave_coins)
        return Success(data=None, message="the account is deleted")

    return router
