"""What a collector says of itself: its state, what it stored, and every fault by kind."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from omc.errors import OmcError
from omc.ledger.exchange import CollectorStatus

_log = logging.getLogger(__name__)


class Tally:
    """`status` is what there is to show."""

    def __init__(self, ledger: str) -> None:
        self.status = CollectorStatus(ledger, "starting", None, None, 0, {}, None)

    def note(self, **changes: Any) -> None:
        """Fields of the status that are others now."""
        self.status = replace(self.status, **changes)

    def be(self, state: str) -> None:
        self.note(state=state)

    def stored(self, rows: int) -> None:
        self.note(rows_stored=self.status.rows_stored + rows)

    def count(self, kind: str, faults: int) -> None:
        counted = self.status.faults
        self.note(faults={**counted, kind: counted.get(kind, 0) + faults})

    @contextmanager
    def counting(self, kind: str) -> Iterator[None]:
        """Count a fault of ours that passes by here."""
        try:
            yield
        except OmcError:
            self.count(kind, 1)
            raise

    def report(self, error: Exception) -> None:
        self.note(last_error=f"{type(error).__name__}: {error}")
        if isinstance(error, OmcError):
            _log.warning("collector backs off", extra={"error": str(error)})
        else:
            self.count("unexpected", 1)
            _log.exception("collector failed")
