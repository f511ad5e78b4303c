"""One kept connection to a venue, that tells apart what was never sent from what was sent and not answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from omc.errors import OutcomeUnknown, Unavailable

_LIMITS = httpx.Limits(max_connections=4, max_keepalive_connections=2, keepalive_expiry=30.0)

# Before a connection stands nothing can have been sent; after that, anything may have been.
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.InvalidURL)


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    content: bytes


class Line:
    """Inert until used: it travels as its address, and connects where it is used. One request at a time is best: many
    at once on one client slow each other down."""

    def __init__(self, base_url: str, timeout_s: float = 10.0) -> None:
        self.base_url = base_url.rstrip("/")
        self.timeout_s = timeout_s
        self._client: httpx.AsyncClient | None = None

    def __repr__(self) -> str:
        return f"Line({self.base_url!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Line, (self.base_url, self.timeout_s)

    async def send(
        self, method: str, path: str, *, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        """The answer, whatever it says. Unavailable when nothing was sent, OutcomeUnknown when no answer came."""
        try:
            reply = await self._open().request(method, path, content=content, headers=headers)
        except _NEVER_SENT as fault:
            raise Unavailable(f"{self.base_url} cannot be reached ({type(fault).__name__})") from None
        except httpx.HTTPError as fault:
            raise OutcomeUnknown(f"{self.base_url}{path} gave no answer ({type(fault).__name__})") from None
        return Reply(reply.status_code, reply.content)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _open(self) -> httpx.AsyncClient:
        if self._client is None:
            secure = self.base_url.startswith("https:")
            self._client = httpx.AsyncClient(
                base_url=self.base_url,
                timeout=httpx.Timeout(self.timeout_s, connect=min(self.timeout_s, 5.0)),
                limits=_LIMITS,
                # Loopback needs no certificates, which take 18 ms to load, and must not go through anybody's proxy.
                verify=secure,
                trust_env=secure,
            )
        return self._client
