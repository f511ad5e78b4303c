"""Follows the audit trail of every account from its beginning to its end, whether the platform runs or not.

`python -m cluster.auditing` does it for the operator; the exit code is 1 when a chain is not what it was. Whoever can
write the whole database can write a chain anew: so the heads can be written to a file, which is kept elsewhere, and
held against the chains later.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

from cluster.operating import concluded, in_database, tell
from cluster.wiring import Wiring, wiring
from omc.access.audit import Link
from omc.access.audit_trail import Verification, verify_all
from omc.errors import InvalidInput


def main(arguments: Sequence[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    return concluded(lambda: _report(options), as_json=options.json)


def verified(wired: Wiring, kept: Mapping[UUID, Link] | None = None) -> Verification:
    """All chains at one moment, held against the heads that were `kept` elsewhere."""
    return in_database(wired, lambda: verify_all(wired.audit, kept))


def write_heads(file: Path, heads: Mapping[UUID, Link]) -> None:
    """Account, number and hash of each chain's last entry, a line each: there is nothing secret in it."""
    lines = [f"{account} {link.seq} {link.hash}\n" for account, link in sorted(heads.items())]
    try:
        file.write_text("".join(lines), encoding="ascii")
    except OSError as fault:
        raise InvalidInput(f"{file} cannot be written: {fault.strerror}") from None


def read_heads(file: Path) -> dict[UUID, Link]:
    """What `write_heads` wrote. InvalidInput when it is something else."""
    try:
        words = [line.split() for line in file.read_text(encoding="ascii").splitlines()]
        return {UUID(account): Link(int(seq), digest) for account, seq, digest in words}
    except OSError as fault:
        raise InvalidInput(f"{file} cannot be read: {fault.strerror}") from None
    except ValueError:
        raise InvalidInput(f"{file} holds no heads of audit trails") from None


def _report(options: argparse.Namespace) -> int:
    kept = read_heads(options.against) if options.against else None
    found = verified(wiring(home=options.home), kept)
    if options.export and not found.flaws:
        write_heads(options.export, found.heads)
    tell(_document(found)) if options.json else sys.stdout.write(_said(found, options.export))
    return 1 if found.flaws else 0


def _said(found: Verification, exported: Path | None) -> str:
    if found.flaws:
        return "".join(f"broken: {flaw}\n" for flaw in found.flaws)
    lines = [f"{len(found.heads)} chains with {found.entries} entries are as they were written"]
    if exported:
        lines.append(f"their heads are in {exported}: keep it where nobody who can write the database can write")
    return "".join(f"{line}\n" for line in lines)


def _document(found: Verification) -> dict[str, object]:
    flaws = [{"account": str(flaw.account), "seq": flaw.seq, "what": flaw.what} for flaw in found.flaws]
    return {"accounts": len(found.heads), "entries": found.entries, "broken": flaws}


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(prog="python -m cluster.auditing", description=__doc__)
    options.add_argument("--home", type=Path)
    options.add_argument("--export", type=Path, help="write the heads of all chains to this file")
    options.add_argument("--against", type=Path, help="heads that were written before")
    options.add_argument("--json", action="store_true")
    return options


if __name__ == "__main__":
    sys.exit(main())
