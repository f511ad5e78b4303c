"""The account's second factor: set up by a person, confirmed by a device, switched off by either of its codes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from omc.access.password import LONGEST
from omc.access.second_factor import enrollment_uri
from serve_apps.caller import caller
from serve_apps.envelope import Success
from serve_apps.gateway.own_password import OwnPassword
from serve_apps.gateway.passwords import Passwords
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.identity import Bearer
from serve_apps.second_factor import listened
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Time


class BeginIn(Body):
    password: str = Field(max_length=LONGEST)


class ConfirmIn(Body):
    code: str = Field(pattern=r"^[0-9]{6}$", examples=["123456"], description="What the device shows now.")


class OffIn(Body):
    password: str = Field(max_length=LONGEST)
    code: str = Field(
        min_length=6, max_length=40, examples=["123456"], description="What the device shows now, or a recovery code."
    )


class StateOut(BaseModel):
    """`pending` asks for nothing yet: no device has shown that it knows the secret."""

    state: Annotated[str, Field(pattern="^(off|pending|on)$", examples=["on"])]
    confirmed_at: Time | None = None
    recovery_codes_left: int = 0


class Enrollment(BaseModel):
    """Shown this once: scan the address as a QR code, or type the secret into the device."""

    secret: str
    otpauth_uri: str


class RecoveryCodes(BaseModel):
    """Shown this once: each switches the second factor off when the device is lost."""

    recovery_codes: list[str]


def routes(ports: GatewayPorts, passwords: Passwords, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/users/second-factor", tags=["second factor"])
    asker = Annotated[UUID, Depends(bearer)]
    own, factors = OwnPassword(ports, passwords), ports.second_factors

    @router.get("")
    async def state(user_id: asker) -> Success[StateOut]:
        """Whether live trading asks for a code."""
        found = await factors.store.get(user_id)
        if found is None:
            return Success(data=StateOut(state="off"))
        left = await factors.store.left(found)
        named = "on" if found.is_on else "pending"
        return Success(data=StateOut(state=named, confirmed_at=found.confirmed_at, recovery_codes_left=left))

    @router.post("", status_code=201)
    async def begin(user_id: asker, body: BeginIn, request: Request, response: Response) -> Success[Enrollment]:
        """Set one up. It asks for nothing before a code of it was confirmed; until then, asking again makes another."""
        await _confirm_password(user_id, body.password, request)
        email = (await ports.users.get(user_id)).email
        secret = await uncut(factors.begin(user_id))
        response.headers["Cache-Control"] = "no-store"
        return Success(data=Enrollment(secret=secret, otpauth_uri=enrollment_uri(secret, email)))

    @router.post("/confirm")
    async def confirm(user_id: asker, body: ConfirmIn, response: Response) -> Success[RecoveryCodes]:
        """Switch it on by a first code, and be told the recovery codes."""
        codes = await listened(factors, user_id, factors.confirm(user_id, body.code))
        response.headers["Cache-Control"] = "no-store"
        return Success(data=RecoveryCodes(recovery_codes=list(codes)), message="the second factor is on")

    @router.delete("")
    async def off(user_id: asker, body: OffIn, request: Request) -> Success[None]:
        """Switch it off, by the password and a code of the device or a recovery code."""
        await _confirm_password(user_id, body.password, request)
        await listened(factors, user_id, factors.switch_off(user_id, body.code))
        return Success(data=None, message="the second factor is off")

    async def _confirm_password(user_id: UUID, password: str, request: Request) -> None:
        await own.confirm(user_id, password, caller(request.scope, ports.rules.proxies).network)

    return router
