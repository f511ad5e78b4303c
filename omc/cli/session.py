"""Who is signed in at this terminal: tokens in a file that only its owner reads."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from omc.cli.outcome import Failure


@dataclass(frozen=True, slots=True)
class Tokens:
    url: str
    email: str
    access_token: str
    refresh_token: str
    expires_at: float
    """Unix time at which the access token ends."""

    @classmethod
    def granted(cls, url: str, email: str, answer: dict[str, Any]) -> Self:
        ends = time.time() + float(answer["expires_in"])
        return cls(url, email, answer["access_token"], answer["refresh_token"], ends)

    @property
    def fresh(self) -> bool:
        """Whether the access token still lasts for a request."""
        return time.time() < self.expires_at - 30

    @property
    def usable(self) -> bool:
        """Whether this is what we once wrote: anybody's hand, or half a disk, may have been at the file since."""
        words = (self.url, self.email, self.access_token, self.refresh_token)
        if not all(isinstance(word, str) for word in words) or not isinstance(self.expires_at, float):
            return False
        return self.access_token.isascii() and self.access_token.isprintable()


@dataclass(frozen=True, slots=True)
class SessionFile:
    path: Path

    def load(self, url: str) -> Tokens | None:
        """The tokens for the platform at `url`; None when nobody signed in there."""
        try:
            tokens = Tokens(**json.loads(self.path.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return tokens if tokens.usable and tokens.url == url else None

    def save(self, tokens: Tokens) -> None:
        """Failure when the file cannot be written."""
        unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        with self._writing():
            self._make_folder()
            try:
                descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(descriptor, "w") as file:
                    json.dump(asdict(tokens), file)
                unfinished.replace(self.path)
            finally:
                unfinished.unlink(missing_ok=True)

    def forget(self) -> None:
        with self._writing():
            self.path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold off other commands: a refresh token is good for one use, and a second use ends the session."""
        with self._writing():
            self._make_folder()
            lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as fault:
            raise Failure(f"the session file {self.path} cannot be written: {fault.strerror}") from None

    def _make_folder(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
