"""A database's address with its password: one line in a file that only its owner may read."""

import os
import re
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from omc.errors import InvalidInput, Unavailable

_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"})
_USER_AND_PASSWORD = re.compile(r"(?:[^%@\s\x00]|%[0-9A-Fa-f]{2})*")


def normalized(url: str) -> str:
    """`url` as every PostgreSQL client understands it. InvalidInput, without the password, when it is none."""
    try:
        parts = urlsplit(url.strip())
        port_is_a_number = parts.port is None or parts.port > 0
    except ValueError:
        port_is_a_number = False
    if not port_is_a_number:
        raise InvalidInput("the database address has no valid host and port")
    # A driver would take a part of such a password for the host, or quote it in its complaint.
    if not _USER_AND_PASSWORD.fullmatch(parts.netloc.rpartition("@")[0]):
        raise InvalidInput("the database address has signs in its user or password to be written as %40 is for @")
    if parts.scheme not in _SCHEMES:
        raise InvalidInput(f"the database address must begin with postgresql://, not {parts.scheme or 'nothing'}://")
    if len(parts.path) < 2 and not any(key in ("dbname", "database") for key, _ in parse_qsl(parts.query)):
        raise InvalidInput("the database address names no database: postgresql://user:password@host/DATABASE")
    # asyncpg's dialect says `ssl` where the rest of the world says `sslmode`.
    query = urlencode([("sslmode" if key == "ssl" else key, value) for key, value in parse_qsl(parts.query)])
    return f"postgresql://{parts.netloc}{parts.path}" + (f"?{query}" if query else "")


def shown(dsn: str) -> str:
    """`dsn` for a person: without its password."""
    masked = re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", dsn)
    return re.sub(r"(password=)[^&]*", r"\1***", masked)


def write(file: Path, url: str) -> str:
    """Store an address where `Database(file)` looks for it, at once or not at all; the normalized address."""
    dsn = normalized(url)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    with os.fdopen(handle, "w") as out:
        out.write(dsn + "\n")
    Path(name).replace(file)
    return dsn


def read(file: Path) -> str:
    """The address in `file`. Unavailable when there is none yet: the database is not running."""
    try:
        return normalized(file.read_text())
    except OSError as error:
        raise Unavailable(f"no database is running here: {file} cannot be read") from error
