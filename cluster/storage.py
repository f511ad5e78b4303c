"""The database of a running platform: the embedded server or an external one, brought to the current schema."""

from dataclasses import dataclass, field

from cluster.home import Home
from cluster.wiring import Wiring
from omc.adapters.postgres import dsn
from omc.adapters.postgres.migrate import migrate
from omc.adapters.postgres.server import EmbeddedPostgres


@dataclass(slots=True)
class Storage:
    home: Home
    wired: Wiring
    _server: EmbeddedPostgres | None = field(default=None, init=False)

    def start(self) -> None:
        """Return when the database answers and has today's schema. Unavailable, in one sentence, when it does not."""
        external = self.wired.external_database()
        if external is not None:
            dsn.write(self.home.dsn_file, external)
        else:
            self._server = EmbeddedPostgres(self.home.folder)
            self._server.start()
        migrate(self.wired.database)

    def stop(self) -> None:
        if self._server is not None:
            self._server.stop()
