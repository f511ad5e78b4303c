"""Being told to stop.

A signal only sets a flag, which is looked at between steps: an exception that a signal raises anywhere can be lost
wherever exceptions are, in a destructor or a callback, and with it the only chance to stop.
"""

import signal
import threading
from concurrent.futures import Future
from types import FrameType
from typing import Any

ASKED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Told(Exception):
    """Somebody asked us to stop."""


class Ear:
    """Hears that we are asked to stop, and says so when it is asked."""

    def __init__(self) -> None:
        self._told = threading.Event()

    def listen(self) -> None:
        for each in ASKED:
            signal.signal(each, self._hear)

    def rest(self, seconds: float = 0.0) -> None:
        """Wait for a moment. Told as soon as somebody asked."""
        if self._told.wait(seconds):
            raise Told

    def result(self, work: Future[Any]) -> None:
        """Wait for work to be done; its own fault is raised here."""
        while not work.done():
            self.rest(0.02)
        work.result()

    def _hear(self, number: int, _: FrameType | None) -> None:
        self._told.set()
