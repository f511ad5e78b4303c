"""The vault's key of a running platform: given, kept, or made once; and never missed without a word.

A platform that cannot open what it has sealed does not start: its owners would learn of it when an order is due.
"""

import os
import sys

from cluster.wiring import Wiring
from omc.adapters.key_file import ensure_key
from omc.adapters.vault import FileVault
from omc.errors import VaultKeyLost
from omc.trading.deployment import DeploymentStatus, Mode

PAUSED = "real money does not trade here"


async def prepare(wired: Wiring) -> None:
    """Once the database answers, and before anything is served. VaultKeyLost while something is sealed under a key that
    is not here."""
    try:
        # What names no key is a token of an earlier platform: whether it opens is found out when it is used.
        needed = await wired.credentials.vault_keys() | await wired.second_factors.store.vault_keys()
        needed -= {""}
        lay_out(wired, needed)
        missing = needed - FileVault(wired.vault_key_file).key_ids
        if missing:
            raise _lost(wired, missing)
        await _hold_back(wired)
    finally:
        await wired.database.close()


def clear(wired: Wiring) -> None:
    """Take away a key that was given for this run."""
    wired.home.given_vault_key.unlink(missing_ok=True)


def lay_out(wired: Wiring, needed: frozenset[str]) -> None:
    """Have the vault's key where everybody looks for it, and nowhere else. VaultKeyLost when it is missing that any of
    the keys of these ids is for."""
    # One that an earlier run was given lies there still if that was killed.
    clear(wired)
    given = wired.given_vault_keys
    if given:
        # In a file of the run, because every process that seals or opens finds it there, and no environment has it.
        unfinished = wired.vault_key_file.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("".join(f"{key}\n" for key in given))
        unfinished.replace(wired.vault_key_file)
        return
    if wired.vault_key_file.exists():
        return
    if needed:
        raise _lost(wired, needed)
    ensure_key(wired.vault_key_file)
    sys.stderr.write(
        f"omc: a key for the vault was made: {wired.vault_key_file}. Keep a copy of it in a safe place: exchange keys "
        "that are stored here can be opened by nothing else.\n"
    )
    sys.stderr.flush()


def _lost(wired: Wiring, missing: frozenset[str]) -> VaultKeyLost:
    return VaultKeyLost(
        f"stored exchange keys are sealed under {', '.join(sorted(missing))}, which is not in {wired.vault_key_file}: "
        "put the vault's key back there, or give it as OMC_VAULT_KEY"
    )


async def _hold_back(wired: Wiring) -> None:
    """Where no real money is traded, nothing that would trade it may go on by itself."""
    refusal = wired.live_refusal
    if refusal is None:
        return
    for each in await wired.deployments.active():
        if each.mode is Mode.LIVE:
            await wired.deployments.set_status(each.id, DeploymentStatus.PAUSED, f"{PAUSED}: {refusal}")
