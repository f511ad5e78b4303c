"""The file that holds the control token: readable by its owner only, made when it is missing."""

import os
import secrets
from pathlib import Path

from omc.errors import InvalidInput


def token_in(path: Path) -> str:
    """The token in `path`. InvalidInput when others could read it, or when it holds none."""
    try:
        return _made(path)
    except FileExistsError:
        pass
    except OSError as error:
        raise InvalidInput(f"{path}: the token file cannot be made: {error.strerror}") from None
    try:
        if path.stat().st_mode & 0o077:
            raise InvalidInput(f"{path}: the token file is readable by others; its mode must be 0600")
        token = path.read_text().strip()
    except OSError as error:
        raise InvalidInput(f"{path}: the token file cannot be read: {error.strerror}") from None
    if not token:
        raise InvalidInput(f"{path}: the token file is empty")
    return token


def _made(path: Path) -> str:
    """Written whole before it gets its name, so that nobody reads half a token."""
    token, draft = secrets.token_hex(32), path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(token + "\n")
        # A link, unlike a rename, refuses to replace a token that somebody made meanwhile.
        path.hardlink_to(draft)
    finally:
        draft.unlink()
    return token
