"""One kept connection to a venue, that tells apart what was never sent from what was sent and not answered."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp
import httpx

from omc.adapters.coinspot.holdoff import asked_pause_s
from omc.errors import OutcomeUnknown, Unavailable

LARGEST_ANSWER = 16 * 1024 * 1024
"""In bytes: the longest list that is asked for is a hundredth of it."""
_CONNECTIONS, _KEPT_S = 4, 30.0

# Before a connection stands nothing can have been sent; after that, anything may have been.
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    content: bytes
    pause_s: float | None = None
    """How long the venue asks to be left alone."""


class Channel(Protocol):
    """A way to a venue: a Line, or one within a process."""

    base_url: str

    async def send(
        self, method: str, path: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """The answer, whatever it says. Unavailable when nothing was sent, OutcomeUnknown when no answer came."""
        ...

    async def close(self) -> None: ...


class Line:
    """Inert until used: it travels as its address, and connects where it is used. One request at a time is best: many
    at once on one client slow each other down. `timeout_s` is for a request and its whole answer, however that comes:
    a byte now and then is no answer."""

    def __init__(self, base_url: str, timeout_s: float = 10.0) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"Line({self.base_url!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Line, (self.base_url, self.timeout_s)

    async def send(
        self, method: str, path: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """The answer, whatever it says. Unavailable when nothing was sent, OutcomeUnknown when no answer came."""
        try:
            async with asyncio.timeout(self.timeout_s):
                return await self._asked(method, path, content, headers)
        except _NEVER_SENT as fault:
            raise Unavailable(f"{self.base_url} cannot be reached ({type(fault).__name__})") from None
        except TimeoutError:
            raise OutcomeUnknown(f"{self.base_url}{path} gave no whole answer in {self.timeout_s:g} s") from None
        except (aiohttp.ClientError, OSError) as fault:
            raise OutcomeUnknown(f"{self.base_url}{path} gave no answer ({type(fault).__name__})") from None

    async def _asked(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str] | None) -> Reply:
        url = self.base_url + path
        # Where an answer points elsewhere, that is the answer.
        async with self._open().request(method, url, data=content, headers=headers, allow_redirects=False) as reply:
            parts, size = [], 0
            async for part in reply.content.iter_any():
                parts.append(part)
                size += len(part)
                if size > LARGEST_ANSWER:
                    raise OutcomeUnknown(f"{url} answers with more than {LARGEST_ANSWER} bytes")
        return Reply(reply.status, b"".join(parts), asked_pause_s(reply.headers))

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            secure = self.base_url.startswith("https:")
            self._session = aiohttp.ClientSession(
                # The whole of a request has its time; of that, this much to connect.
                timeout=aiohttp.ClientTimeout(total=None, connect=min(self.timeout_s / 2, 5.0)),
                connector=aiohttp.TCPConnector(
                    limit=_CONNECTIONS,
                    keepalive_timeout=_KEPT_S,
                    # Loopback needs no certificates, which take 18 ms to load, and must not go through anybody's proxy.
                    ssl=httpx.create_ssl_context() if secure else False,
                ),
                trust_env=secure,
                trace_configs=self._traces(),
            )
            # What is asked is sent once: whoever asked knows whether it may be sent again.
            self._session._retry_connection = False  # noqa: SLF001 - nothing else says so
        return self._session

    def _traces(self) -> list[aiohttp.TraceConfig]:
        """Who is told of each request."""
        return []
