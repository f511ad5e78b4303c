"""What an operator's programs on the platform's machine have in common: its database, and how their outcome is told.

Each works whether the platform runs or not.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import TypeVar

from cluster import vault_key
from cluster.wiring import Wiring
from omc.adapters.postgres import dsn
from omc.adapters.postgres.migrate import migrate
from omc.adapters.postgres.server import EmbeddedPostgres
from omc.errors import Conflict, OmcError

T = TypeVar("T")


def concluded(work: Callable[[], int], *, as_json: bool) -> int:
    """The exit status of `work`. What is wrong is told in one sentence; to a program as the API would say it, too."""
    try:
        return work()
    except OmcError as fault:
        message = " ".join(str(fault).split())
        if as_json:
            tell({"status": "error", "error": {"code": "FAILED", "message": message, "details": {}}})
        sys.stderr.write(f"omc: {message}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def tell(document: object) -> None:
    """One line of JSON."""
    sys.stdout.write(json.dumps(document) + "\n")


def in_database(wired: Wiring, work: Callable[[], Awaitable[T]], *, vault: bool = False) -> T:
    """What `work` answers, in an event loop of its own, with the database open; with the keys of the `vault` where
    everybody looks for them."""
    with ExitStack() as stops:
        if open_database(wired, stops) and vault and wired.given_vault_keys:
            # No platform runs that would have laid them out.
            stops.callback(vault_key.clear, wired)
            vault_key.lay_out(wired, frozenset())
        return asyncio.run(closing(wired, work))


async def closing(wired: Wiring, work: Callable[[], Awaitable[T]]) -> T:
    """Connections end with the event loop that opened them."""
    try:
        return await work()
    finally:
        await wired.database.close()


def open_database(wired: Wiring, stops: ExitStack) -> bool:
    """The running platform's database, whose address must stay what it is; the home's own when none runs, and then no
    platform starts on it meanwhile: True. Conflict when the platform runs on another one than is asked for."""
    home, external = wired.home, wired.external_database()
    home.prepare()
    try:
        stops.enter_context(home.locked())
    except Conflict:
        if external is not None and dsn.normalized(external) != dsn.read(home.dsn_file):
            raise Conflict(
                f"the platform on {home.folder} runs on another database than OMC_DATABASE_URL names"
            ) from None
        return False
    if external is not None:
        dsn.write(home.dsn_file, external)
    else:
        stops.enter_context(EmbeddedPostgres(home.folder))
    migrate(wired.database)
    return True
