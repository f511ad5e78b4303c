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


@dataclass(frozen=True, slots=True)
class SessionFile:
    path: Path

    def load(self, url: str) -> Tokens | None:
        """The tokens for the platform at `url`; None when nobody signed in there."""
        try:
            tokens = Tokens(**json.loads(self.path.read_text()))
        except (OSError, ValueError, TypeError):
            return None
        return tokens if tokens.url == url else None

    def save(self, tokens: Tokens) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(tokens), file)
        unfinished.replace(self.path)

    def forget(self) -> None:
        self.path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold off other commands: a refresh token is good for one use, and a second use ends the session."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)
