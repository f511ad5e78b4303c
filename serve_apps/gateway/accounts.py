"""Everybody's accounts, for superusers: who there is, who is shut out, and whose account is deleted."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from omc.access.password import LONGEST
from omc.access.user import User
from omc.errors import Conflict
from serve_apps.envelope import Page, Paging, Success
from serve_apps.gateway.confirmation import Confirmation
from serve_apps.gateway.deleting import deleted
from serve_apps.gateway.passwords import Passwords
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.gateway.users import Deletion, Profile
from serve_apps.identity import Bearer
from serve_apps.second_factor import Code
from serve_apps.superuser import Superuser
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Line, Time

_SUPERUSERS = {"x-superuser": True}


class AccountsQuery(Paging):
    email: str = Field("", max_length=255, description="A part of the address, whatever its case.")


class AccountChange(Body):
    full_name: Line | None = None
    is_active: Annotated[bool, Field(strict=True)] | None = Field(
        None, description="False shuts the account out: no token of its holds, and what it trades is paused."
    )
    current_password: str | None = Field(
        None, max_length=LONGEST, description="That of the superuser who asks: `is_active` is changed by it alone."
    )


class Account(Profile):
    """A deleted one keeps its id, and nothing that says whose it was."""

    deleted_at: Time | None

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(**Profile.of(user).model_dump(), deleted_at=user.deleted_at)


def routes(ports: GatewayPorts, passwords: Passwords, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/users", tags=["users"])
    superuser = Depends(Superuser(bearer, ports.users))
    confirmation = Confirmation(ports, passwords)

    @router.get("", dependencies=[superuser], responses={403: {}}, openapi_extra=_SUPERUSERS)
    async def accounts(query: Annotated[AccountsQuery, Query()]) -> Page[Account]:
        """Every account, the oldest first."""
        # No address has a NUL in it, and no database takes one.
        part = query.email if "\0" not in query.email else "\n"
        found, total = await ports.users.page(part, query.offset, query.per_page)
        return Page.of([Account.of(each) for each in found], total, query)

    @router.get("/{user_id:uuid}", dependencies=[superuser], responses={403: {}}, openapi_extra=_SUPERUSERS)
    async def account(user_id: UUID) -> Success[Account]:
        """One account."""
        return Success(data=Account.of(await ports.users.get(user_id)))

    @router.patch("/{user_id:uuid}", responses={403: {}}, openapi_extra=_SUPERUSERS)
    async def change_account(
        asker: Annotated[UUID, superuser], user_id: UUID, body: AccountChange, request: Request, code: Code = None
    ) -> Success[Account]:
        """What is left out stays as it is. Nobody shuts themselves out. Shutting out and letting in take the
        superuser's own password and, where they have a second factor, a code of it."""
        if body.is_active is False:
            _refuse_own(asker, user_id, "shut out")
        user = await ports.users.get(user_id)
        if user.deleted_at is not None:
            raise Conflict("this account was deleted")
        if body.is_active is not None:
            await confirmation.ask(request, asker, body.current_password, code)
        if "full_name" in body.model_fields_set:
            user = await ports.users.update(user_id, email=user.email, full_name=body.full_name)
        if body.is_active is not None:
            closing = ports.closing
            user = await uncut(
                closing.let_in(user_id) if body.is_active else closing.shut_out(user_id, ports.clock.now())
            )
        return Success(data=Account.of(user))

    @router.delete("/{user_id:uuid}", responses={403: {}}, openapi_extra=_SUPERUSERS)
    async def delete_account(
        asker: Annotated[UUID, superuser], user_id: UUID, body: Deletion, request: Request, code: Code = None
    ) -> Success[Account]:
        """Delete an account for good, as its owner would. It takes the superuser's own password and, where they have a
        second factor, a code of it."""
        _refuse_own(asker, user_id, "deleted")
        await ports.users.get(user_id)
        await confirmation.ask(request, asker, body.current_password, code)
        return Success(data=Account.of(await deleted(ports, user_id, body.leave_coins)))

    return router


def _refuse_own(asker: UUID, user_id: UUID, what: str) -> None:
    if asker == user_id:
        raise Conflict(f"one's own account is not {what} here")
