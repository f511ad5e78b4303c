"""Seals every stored key anew under the vault's newest key, whether the platform runs or not.

`python -m cluster.rotating` does it for the operator. It may be broken off and done again.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from cluster import vault_key
from cluster.importing import open_database
from cluster.wiring import Wiring, wiring
from omc.access.rotation import Rotation, rotate
from omc.adapters.key_file import add_key
from omc.errors import Conflict, OmcError


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    try:
        found = rotated(wiring(home=options.home), new=options.new)
    except OmcError as fault:
        message = " ".join(str(fault).split())
        if options.json:
            _print({"status": "error", "error": {"code": "FAILED", "message": message, "details": {}}})
        sys.stderr.write(f"omc: {message}\n")
        return 1
    told = {**asdict(found), "needed": sorted(found.needed)}
    _print(told) if options.json else sys.stdout.write(_said(found))
    return 1 if found.failed else 0


def rotated(wired: Wiring, *, new: bool) -> Rotation:
    """With a `new` key on top of the file first, unless what is stored is sealed under an older one still: it is then
    gone on with. Conflict when the keys were given, and so are no file's."""
    with ExitStack() as stops:
        if open_database(wired, stops) and wired.given_vault_keys:
            # No platform runs that would have laid them out.
            stops.callback(vault_key.clear, wired)
            vault_key.lay_out(wired, frozenset())
        return asyncio.run(_rotated(wired, new=new))


async def _rotated(wired: Wiring, *, new: bool) -> Rotation:
    try:
        if new and wired.given_vault_keys:
            raise Conflict("the vault's keys are given as OMC_VAULT_KEY: put a new one before them there")
        factors = wired.second_factors.store
        sealing = await wired.credentials.vault_keys() | await factors.vault_keys()
        if new and sealing <= {wired.vault.newest()}:
            add_key(wired.vault_key_file)
        return await rotate(wired.credentials, wired.vault, wired.audit, wired.clock, factors)
    finally:
        await wired.database.close()


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


def _print(document: object) -> None:
    sys.stdout.write(json.dumps(document) + "\n")


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m cluster.rotating", description=__doc__)
    options.add_argument("--home", type=Path)
    options.add_argument("--new", action="store_true", help="put a new key on top of the key file first")
    options.add_argument("--json", action="store_true")
    return options


if __name__ == "__main__":
    sys.exit(main())
