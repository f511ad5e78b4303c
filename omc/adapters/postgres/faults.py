"""Which of our faults a driver's fault is, by what to do next."""

import asyncio

import asyncpg
from sqlalchemy import exc

from omc.errors import InvalidInput, OmcError, Unavailable

# By SQLSTATE or its class. Deadlocks and serialization failures stand here because nothing happened: ask again.
_PASSING = ("08", "53", "57", "58", "40001", "40P01", "55P03", "25P02", "25P03", "25006")
_SENTENCES = {
    "28P01": "the database refuses the password that we have for it",
    "28000": "the database refuses this user",
    "3D000": "the database server has no database of that name",
    "42501": "the database user lacks a permission that the platform needs",
    "53300": "the database has no free connection",
}
_BROKEN = (
    OSError,
    TimeoutError,
    asyncio.TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    exc.TimeoutError,
)


def translated(error: BaseException) -> OmcError | None:
    """`error` as one of ours, or None when it is a fault in our own statement or a broken constraint."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    state = _state(cause)
    if state in _SENTENCES:
        return Unavailable(_SENTENCES[state])
    if state and state.startswith(_PASSING):
        return Unavailable(f"the database cannot answer now: {_first_line(cause)}")
    if state and state.startswith("22"):
        return InvalidInput(f"the database cannot hold a value: {_first_line(cause)}")
    if isinstance(error, exc.DBAPIError) and error.connection_invalidated:
        return Unavailable("the connection to the database was lost")
    if state is None and isinstance(cause, _BROKEN):
        return Unavailable("the database cannot be reached")
    if isinstance(error, exc.InterfaceError) and state is None:
        return Unavailable("the connection to the database was lost")
    return None


def constraint(error: exc.IntegrityError) -> str:
    """The name of the constraint that a statement broke; empty when the driver does not say."""
    cause: BaseException | None = error.orig
    while cause is not None:
        if name := getattr(cause, "constraint_name", None):
            return str(name)
        cause = cause.__cause__
    return ""


def _state(error: BaseException | None) -> str | None:
    while error is not None:
        if state := getattr(error, "sqlstate", None):
            return str(state)
        error = error.__cause__
    return None


def _first_line(error: BaseException | None) -> str:
    """The server's own sentence, without the class names that the driver's layers put before it."""
    return str(error).splitlines()[0].rsplit(">: ", 1)[-1] if error and str(error) else "it does not say why"
