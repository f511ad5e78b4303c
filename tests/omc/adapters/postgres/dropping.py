"""Test databases taken away again, whatever is still connected to them."""

import time

import psycopg
from psycopg import errors, sql

_PATIENCE_S = 60.0


def drop(connection: psycopg.Connection, name: str) -> None:
    """Drop a database and whoever is in it; its own vacuum, which only a superuser may end, is waited for."""
    statement = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
    given_up = time.monotonic() + _PATIENCE_S
    while True:
        try:
            connection.execute(statement)
        except errors.InsufficientPrivilege:
            if time.monotonic() > given_up:
                raise
            time.sleep(0.1)
        else:
            return
