"""Says who is a superuser, whether the platform runs or not: there is no other way to become one.

`python -m cluster.superusers` does it for the operator.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cluster.operating import concluded, in_database, tell
from cluster.wiring import Wiring, wiring
from omc.access.audit import CLI, Happening
from omc.access.user import User


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    return concluded(lambda: _report(options), as_json=options.json)


def told(wired: Wiring, what: str, email: str | None) -> list[User]:
    """Everybody who is one afterwards."""
    return in_database(wired, lambda: _told(wired, what, email))


def _report(options: argparse.Namespace) -> int:
    found = told(wiring(home=options.home), options.what, options.email)
    if options.json:
        tell({"superusers": [{"id": str(each.id), "email": each.email} for each in found]})
    else:
        sys.stdout.write("".join(f"{each.email}\n" for each in found) or "nobody is a superuser\n")
    return 0


async def _told(wired: Wiring, what: str, email: str | None) -> list[User]:
    if email is not None:
        if (found := await wired.users.credentials(email)) is not None:
            details = {"outcome": "asked"}
            action = Happening(found[0].id, wired.clock.now(), CLI, f"superusers.{what}", details=details)
            await wired.audit.append(action)
        await wired.users.set_superuser(email, what == "grant")
    return await wired.users.superusers()


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
