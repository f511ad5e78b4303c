"""The client: every operation of the document by its name, signed by whoever logged in."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self, TypeVar

import httpx

from omc.client.answers import Page
from omc.client.models import Login, RefreshToken, Tokens
from omc.client.operations import Operations
from omc.client.transport import Transport

T = TypeVar("T")
_MARGIN_S = 30.0
_TRIES = 4


class Client(Operations):
    """A platform at `url`, asked by a program's `token`, or by whoever `sign_in` says. Not to be shared by threads."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        token: str | None = None,
        transport: httpx.BaseTransport | None = None,
        tries: int = _TRIES,
        sleep: Callable[[float], None] = time.sleep,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(Transport(url, transport=transport, tries=tries, sleep=sleep))
        self._token = token
        self._refresh_token: str | None = None
        self._fresh_until = float("inf")
        self._seconds = seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def sign_in(self, email: str, password: str) -> None:
        """Log in. The access token is renewed by itself, for as long as the session lasts."""
        self._keep(self.login(Login(email=email, password=password)))

    def every(self, listing: Callable[..., Page[T]], *names: Any, **query: Any) -> Iterator[T]:
        """The items of all pages: `client.every(client.list_trades, per_page=200)`."""
        page = 1
        while True:
            found = listing(*names, **{"per_page": 200, **query}, page=page)
            yield from found.items
            page += 1
            if page > found.pages:
                return

    def _signature(self) -> Mapping[str, str]:
        if self._refresh_token is not None and self._seconds() >= self._fresh_until:
            self._keep(self.refresh(RefreshToken(refresh_token=self._refresh_token)))
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _keep(self, tokens: Tokens) -> None:
        self._token, self._refresh_token = tokens.access_token, tokens.refresh_token
        self._fresh_until = self._seconds() + tokens.expires_in - _MARGIN_S
