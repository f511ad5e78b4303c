"""Says who is a superuser, whether the platform runs or not: there is no other way to become one.

`python -m cluster.superusers` does it for the operator.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from cluster.importing import open_database
from cluster.wiring import Wiring, wiring
from omc.access.audit import CLI, Happening
from omc.access.user import User
from omc.errors import OmcError


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    try:
        found = told(wiring(home=options.home), options.what, options.email)
    except OmcError as fault:
        message = " ".join(str(fault).split())
        if options.json:
            _print({"status": "error", "error": {"code": "FAILED", "message": message, "details": {}}})
        sys.stderr.write(f"omc: {message}\n")
        return 1
    if options.json:
        _print({"superusers": [{"id": str(each.id), "email": each.email} for each in found]})
    else:
        sys.stdout.write("".join(f"{each.email}\n" for each in found) or "nobody is a superuser\n")
    return 0


def told(wired: Wiring, what: str, email: str | None) -> list[User]:
    """Everybody who is one afterwards."""
    with ExitStack() as stops:
        open_database(wired, stops)
        return asyncio.run(_told(wired, what, email))


async def _told(wired: Wiring, what: str, email: str | None) -> list[User]:
    try:
        if email is not None:
            if (found := await wired.users.credentials(email)) is not None:
                details = {"outcome": "asked"}
                action = Happening(found[0].id, wired.clock.now(), CLI, f"superusers.{what}", details=details)
                await wired.audit.append(action)
            await wired.users.set_superuser(email, what == "grant")
        return await wired.users.superusers()
    finally:
        await wired.database.close()


def _print(document: object) -> None:
    sys.stdout.write(json.dumps(document) + "\n")


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m cluster.superusers", description=__doc__)
    commands = options.add_subparsers(dest="what", required=True)
    for what in ("grant", "revoke", "list"):
        command = commands.add_parser(what)
        command.add_argument("--home", type=Path)
        command.add_argument("--json", action="store_true")
        if what == "list":
            command.set_defaults(email=None)
        else:
            command.add_argument("email")
    return options


if __name__ == "__main__":
    sys.exit(main())
