"""Everybody's accounts, for superusers: who there is, who is shut out, and whose account is deleted."""

from typing import Annotated, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from omc.access.user import User
from omc.errors import Conflict
from serve_apps.envelope import Page, Paging, Success
from serve_apps.gateway.deleting import deleted
from serve_apps.gateway.ports import GatewayPorts
from serve_apps.gateway.users import Profile
from serve_apps.identity import Bearer
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


class Account(Profile):
    """A deleted one keeps its id, and nothing that says whose it was."""

    deleted_at: Time | None

    @classmethod
    def of(cls, user: User) -> Self:
        return cls(**Profile.of(user).model_dump(), deleted_at=user.deleted_at)


def routes(ports: GatewayPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/users", tags=["users"])
    superuser = Depends(Superuser(bearer, ports.users))

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
    async def change_account(asker: Annotated[UUID, superuser], user_id: UUID, body: AccountChange) -> Success[Account]:
        """What is left out stays as it is. Nobody shuts themselves out."""
        if body.is_active is False:
            _refuse_own(asker, user_id, "shut out")
        user = await ports.users.get(user_id)
        if user.deleted_at is not None:
            raise Conflict("this account was deleted")
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
        asker: Annotated[UUID, superuser],
        user_id: UUID,
        leave_coins: Annotated[
            bool, Query(description="Coins of deactivated live deployments stay at their exchange.")
        ] = False,
    ) -> Success[Account]:
        """Delete an account for good, as its owner would."""
        _refuse_own(asker, user_id, "deleted")
        return Success(data=Account.of(await deleted(ports, user_id, leave_coins)))

    return router


def _refuse_own(asker: UUID, user_id: UUID, what: str) -> None:
    if asker == user_id:
        raise Conflict(f"one's own account is not {what} here")
