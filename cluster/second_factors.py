"""Takes away the second factor of somebody who has lost it and its recovery codes, whether the platform runs or not.

`python -m cluster.second_factors` does it for the operator, who is to know who asks: the password alone is left then.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from cluster.operating import concluded, in_database, tell
from cluster.wiring import Wiring, wiring
from omc.access.audit import CLI, Happening
from omc.access.user import User, nobody_of

_ACTION = "second_factor.reset"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    return concluded(lambda: _report(options), as_json=options.json)


def reset(wired: Wiring, email: str) -> User:
    """Whose it was. NotFound for an email without an account, or an account without a second factor."""
    return in_database(wired, lambda: _reset(wired, email))


def _report(options: argparse.Namespace) -> int:
    found = reset(wiring(home=options.home), options.email)
    if options.json:
        tell({"id": str(found.id), "email": found.email, "state": "off"})
    else:
        sys.stdout.write(f"the second factor of {found.email} is off\n")
    return 0


async def _reset(wired: Wiring, email: str) -> User:
    found = await wired.users.credentials(email)
    if found is None:
        raise nobody_of(email)
    user, _ = found
    asked = Happening(user.id, wired.clock.now(), CLI, _ACTION, details={"outcome": "asked"})
    entry = await wired.audit.append(asked)
    await wired.second_factors.reset(user.id)
    done = Happening(user.id, wired.clock.now(), CLI, _ACTION, details={"outcome": "done", "asked": entry.seq})
    await wired.audit.append(done)
    return user


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m cluster.second_factors", description=__doc__)
    commands = options.add_subparsers(dest="what", required=True)
    command = commands.add_parser("reset")
    command.add_argument("--home", type=Path)
    command.add_argument("--json", action="store_true")
    command.add_argument("email")
    return options


if __name__ == "__main__":
    sys.exit(main())
