"""Seals every stored key anew under the vault's newest key, whether the platform runs or not.

`python -m cluster.rotating` does it for the operator. It may be broken off and done again.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from cluster.operating import concluded, in_database, tell
from cluster.wiring import Wiring, wiring
from omc.access.rotation import Rotation, rotate
from omc.adapters.key_file import add_key
from omc.errors import Conflict


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    return concluded(lambda: _report(options), as_json=options.json)


def rotated(wired: Wiring, *, new: bool) -> Rotation:
    """With a `new` key on top of the file first, unless what is stored is sealed under an older one still: it is then
    gone on with. Conflict when the keys were given, and so are no file's."""
    return in_database(wired, lambda: _rotated(wired, new=new), vault=True)


async def _rotated(wired: Wiring, *, new: bool) -> Rotation:
    if new and wired.given_vault_keys:
        raise Conflict("the vault's keys are given as OMC_VAULT_KEY: put a new one before them there")
    factors = wired.second_factors.store
    sealing = await wired.credentials.vault_keys() | await factors.vault_keys()
    if new and sealing <= {wired.vault.newest()}:
        add_key(wired.vault_key_file)
    return await rotate(wired.credentials, wired.vault, wired.audit, wired.clock, factors)


def _report(options: argparse.Namespace) -> int:
    found = rotated(wiring(home=options.home), new=options.new)
    told = {**asdict(found), "needed": sorted(found.needed)}
    tell(told) if options.json else sys.stdout.write(_said(found))
    return 1 if found.failed else 0


def _said(found: Rotation) -> str:
    lines = [f"sealed anew under {found.newest}: {found.resealed}", *(f"not opened: {each}" for each in found.failed)]
    if not found.needed:
        lines.append(
            "nothing needs an older key any more: all but the first may be taken out, once no backup needs them"
        )
    else:
        lines.append(
            f"still needed: {', '.join(each or 'keys of an earlier platform' for each in sorted(found.needed))}"
        )
    return "".join(f"{line}\n" for line in lines)


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m cluster.rotating", description=__doc__)
    options.add_argument("--home", type=Path)
    options.add_argument("--new", action="store_true", help="put a new key on top of the key file first")
    options.add_argument("--json", action="store_true")
    return options


if __name__ == "__main__":
    sys.exit(main())
