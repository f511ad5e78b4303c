"""Alembic's entry: it gets a connection that is in a transaction, and leaves committing to whoever opened it."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
