"""The platform that is tried: one in this process, with an account that owns one of everything, or one that runs."""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import uvicorn

from cluster.ports import LOOPBACK
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.migrate import migrate
from omc.adapters.postgres.server import EmbeddedPostgres
from tests.serve_apps.belongings import WINDOW, Belongings, account
from tests.serve_apps.one_process import one_process

_OWNER = "owner@example.com"
# Another than the document's example: whoever sends the example would change the password or delete the account, and
# everything after it would be asked by nobody.
_PASSWORD = "not an example of the document"


@dataclass(frozen=True, slots=True)
class Target:
    """Where the platform is, and what is known of it. Who asks has an access token, which holds for a quarter of an
    hour, or a refresh token, which buys one and its own successor, again and again."""

    url: str
    access_token: str = field(default="", repr=False)
    refresh_token: str = field(default="", repr=False)
    ids: Mapping[str, str] = field(default_factory=dict)
    days: Sequence[str] = ()


async def session(url: str, email: str, password: str) -> str:
    """The refresh token of a new one."""
    async with httpx.AsyncClient(timeout=60) as http:
        answer = await http.post(f"{url}/api/v1/auth/login", json={"email": email, "password": password})
        return str(answer.raise_for_status().json()["data"]["refresh_token"])


@asynccontextmanager
async def ours() -> AsyncIterator[Target]:
    """A platform in this process. Its owner is a superuser, so that nothing is closed to them."""
    home = Path(tempfile.mkdtemp(prefix="omc-"))
    try:
        with EmbeddedPostgres(home) as server:
            migrate(Database(server.dsn_file))
            async with one_process(home / "home", server.dsn_file) as platform:
                # Bound here, so that whoever comes before it listens waits.
                bound = socket.create_server((LOOPBACK, 0))
                config = uvicorn.Config(
                    platform.app, log_level="critical", lifespan="off", timeout_graceful_shutdown=10
                )
                serving = uvicorn.Server(config)
                answering = asyncio.create_task(serving._serve(sockets=[bound]))
                url = f"http://{LOOPBACK}:{bound.getsockname()[1]}"
                try:
                    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
                        owner = Belongings(platform, await account(http, _OWNER, _PASSWORD))
                        await owner.make()
                    await platform.wired.users.set_superuser(_OWNER, True)
                    days = [str(WINDOW["start_date"]), str(WINDOW["end_date"])]
                    yield Target(url, "", await session(url, _OWNER, _PASSWORD), owner.ids, days)
                finally:
                    serving.should_exit = True
                    await answering
    finally:
        shutil.rmtree(home, ignore_errors=True)
