"""Doors that open to superusers alone."""

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated
from uuid import UUID, uuid4

import pytest
from fastapi import Depends, FastAPI

from omc.access.api_token import MemoryApiTokenStore
from omc.access.asker import Askers
from omc.access.user import MemoryUserStore, User
from omc.adapters.jwt import JwtSigner
from omc.clock import ManualClock
from serve_apps import door
from serve_apps.identity import Bearer
from serve_apps.superuser import Superuser


@pytest.fixture
def users() -> MemoryUserStore:
    return MemoryUserStore()


@pytest.fixture
async def root(users: MemoryUserStore) -> User:
    made = await users.create("root@example.com", "hashed", None)
    users.users[made.id] = (replace(made, is_superuser=True), "hashed")
    return made


@pytest.fixture
def app(users: MemoryUserStore, signer: JwtSigner, clock: ManualClock) -> FastAPI:
    app = FastAPI()
    door.install(app, door.Rules())
    superuser = Superuser(Bearer(Askers(signer, clock, MemoryApiTokenStore())), users)

    @app.get("/secret")
    async def secret(user_id: Annotated[UUID, Depends(superuser)]) -> UUID:
        return user_id

    return app


async def test_a_superuser_is_let_in(app: FastAPI, calling: Callable, root: User) -> None:
    assert (await calling(app, user_id=root.id).get("/secret")).json() == str(root.id)


async def test_everybody_else_is_told_that_it_is_not_for_them(
    app: FastAPI, calling: Callable, users: MemoryUserStore, refused: Callable
) -> None:
    ada = await users.create("ada@example.com", "hashed", None)
    refused(await calling(app, user_id=ada.id).get("/secret"), 403, "FORBIDDEN")


async def test_a_superuser_who_is_none_any_more_is_refused_at_once(
    app: FastAPI, calling: Callable, users: MemoryUserStore, root: User, refused: Callable
) -> None:
    users.users[root.id] = (root, "hashed")
    refused(await calling(app, user_id=root.id).get("/secret"), 403, "FORBIDDEN")


async def test_a_superuser_who_was_shut_out_is_refused(
    app: FastAPI, calling: Callable, users: MemoryUserStore, root: User, refused: Callable
) -> None:
    users.users[root.id] = (replace(root, is_superuser=True, is_active=False), "hashed")
    refused(await calling(app, user_id=root.id).get("/secret"), 403, "FORBIDDEN")


async def test_a_token_without_an_account_or_no_token_is_no_identity(
    app: FastAPI, calling: Callable, refused: Callable
) -> None:
    refused(await calling(app, user_id=uuid4()).get("/secret"), 401, "UNAUTHENTICATED")
    refused(await calling(app, signed_in=False).get("/secret"), 401, "UNAUTHENTICATED")


def test_the_document_says_that_a_bearer_is_needed(app: FastAPI) -> None:
    assert app.openapi()["paths"]["/secret"]["get"]["security"] == [{"bearer": []}]
