"""Secret keys in a file that only its owner can read: adapters travel with the path, never with the key."""

import os
import secrets
import stat
from pathlib import Path

from omc.errors import OmcError

_KEY_BYTES = 32


def ensure_key(path: Path) -> None:
    """Make the file with one new random key unless it is there already; safe when two do it at once."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(_KEY_BYTES) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link is made whole or not at all, and not over another's: nobody ever reads half a key.
        path.hardlink_to(written)
    except FileExistsError:
        return
    finally:
        written.unlink()


def add_key(path: Path) -> None:
    """Put one new random key above those of a file. Whoever reads it meanwhile reads all of the old or all of the new.
    A fault, and nothing is changed, when the file is as `read_keys` refuses it."""
    former = "".join(f"{key.hex()}\n" for key in read_keys(path))
    written = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(_KEY_BYTES) + "\n" + former)
        file.flush()
        os.fsync(file.fileno())
    written.replace(path)


def read_keys(path: Path) -> tuple[bytes, ...]:
    """The keys in a file, one a line in hexadecimal, newest first. A file that others can read, that is missing or
    that holds a short key is a fault that names the file and nothing in it."""
    try:
        mode = path.stat().st_mode
        lines = path.read_text(encoding="ascii").split()
        keys = tuple(bytes.fromhex(line) for line in lines)
    except OSError as fault:
        raise OmcError(f"the key file {path} cannot be read: {fault.strerror}") from None
    except ValueError:
        raise OmcError(f"the key file {path} holds something that is not hexadecimal") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise OmcError(f"the key file {path} is open to others: its mode must be 0600")
    if not keys or any(len(key) < _KEY_BYTES for key in keys):
        raise OmcError(f"the key file {path} must hold keys of at least {_KEY_BYTES} bytes")
    return keys
