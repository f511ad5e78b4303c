"""Bringing a database to the schema that this version of the platform needs."""

from pathlib import Path

import psycopg
from alembic import command, script, util
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from omc.adapters.postgres import dsn
from omc.adapters.postgres.database import Database
from omc.errors import Refused, Unavailable

_MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x6F6D63  # "omc"


def migrate(database: Database) -> None:
    """Apply the migrations that the database has not seen, all or none.

    Safe to run twice and by several boots at once: the others wait for the first. Unavailable when the database cannot
    be reached; Refused when it was made by a newer version.
    """
    address = dsn.read(database.dsn_file)
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(address, connect_timeout=10),
        poolclass=NullPool,
        hide_parameters=True,
    )
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
            at = MigrationContext.configure(connection).get_current_revision()
            head = script.ScriptDirectory.from_config(config).get_current_head()
            if at != head:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
    except util.CommandError as error:
        raise Refused("the database was made by a newer version of the platform: upgrade the platform") from error
    except psycopg.OperationalError as error:
        raise Unavailable(f"the database cannot be reached: {_sentence(error)}") from None
    except DBAPIError as error:
        raise Unavailable(f"the database could not be brought up to date: {_sentence(error.orig)}") from None


def _sentence(error: BaseException | None) -> str:
    return next(iter(str(error).strip().splitlines()), "it does not say why")
