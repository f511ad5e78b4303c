"""The platform as a command sees it: requests in, data out, every failure one line."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from omc.cli import show, trust
from omc.cli.outcome import OF_ERROR_CODE, ExitCode, Failure
from omc.cli.session import SessionFile, Tokens
from omc.client.errors import ClientError, NotSendable, NotThePlatform, Refused, Unreachable
from omc.client.transport import IDEMPOTENCY_KEY, Transport, document_of


class Platform:
    """A client of the HTTP API, signed in with the tokens under `home` when there are any."""

    def __init__(
        self, url: str, home: Path, transport: httpx.BaseTransport | None = None, *, token: str | None = None
    ) -> None:
        """`token` is an API token, shown in place of the session's."""
        if not _is_address(url):
            raise Failure(f"{url!r} is not an address like http://127.0.0.1:8000", ExitCode.USAGE, code="USAGE")
        self.url = url.rstrip("/")
        self._session = SessionFile(home / "session.json")
        self._transport = Transport(self.url, transport=transport, trust=trust.of(self.url, home))
        self._patient = False
        self._token = _plain(token)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._transport.close()

    @contextlib.contextmanager
    def patiently(self, what: str) -> Iterator[None]:
        """For requests that work for as long as it takes: no answer is given up that somebody is still working on.
        `what` is shown meanwhile, where there is a screen."""
        self._patient = True
        try:
            with show.err.status(what) if show.err.is_terminal else contextlib.nullcontext():
                yield
        finally:
            self._patient = False

    def get(self, path: str, **query: Any) -> Any:
        """The `data` of one thing, or a page as it came."""
        return self._asked("GET", path, query={key: value for key, value in query.items() if value is not None})

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        code: str | None = None,
        **query: Any,
    ) -> Any:
        """`key` makes the request safe to repeat: the same key has its effect once. `code` is of the second factor."""
        named = {IDEMPOTENCY_KEY: key, "X-Second-Factor": code}
        headers = {name: value for name, value in named.items() if value is not None}
        return self._asked("POST", path, query=query, body=body or {}, headers=headers)

    def put(self, path: str, body: Mapping[str, Any], *, code: str | None = None) -> Any:
        """`code` is of the second factor."""
        return self._asked("PUT", path, body=body, headers={"X-Second-Factor": code} if code is not None else {})

    def delete(self, path: str, body: Mapping[str, Any] | None = None, *, code: str | None = None) -> None:
        """`code` is of the second factor."""
        self._asked("DELETE", path, body=body, headers={"X-Second-Factor": code} if code is not None else {})

    def everything(self, path: str, *, limit: int | None = None, **query: Any) -> Iterator[dict[str, Any]]:
        """The items of all pages of a list, or the first `limit`."""
        page, seen = 1, 0
        while True:
            answer = self.get(path, page=page, per_page=min(200, limit or 200), **query)
            for item in answer["items"]:
                yield item
                seen += 1
                if seen == limit:
                    return
            page += 1
            if page > answer["pages"]:
                return

    def register(self, email: str, password: str, full_name: str | None) -> Any:
        body = {"email": email, "password": password, "full_name": full_name}
        return self._asked("POST", "/users/register", body=body, signed=False)

    def log_in(self, email: str, password: str) -> None:
        """Sign in at this terminal."""
        answer = self._asked("POST", "/auth/login", body={"email": email, "password": password}, signed=False)
        self._session.save(Tokens.granted(self.url, email, answer))

    def log_out(self) -> None:
        """Sign out at this terminal. A session that the platform has ended already is forgotten all the same."""
        tokens = self._session.load(self.url)
        try:
            if tokens:
                self._asked("POST", "/auth/logout", body={"refresh_token": tokens.refresh_token})
        except Failure as failure:
            if failure.exit_code is not ExitCode.NOT_SIGNED_IN:
                raise
        self._session.forget()

    def ready(self) -> Any:
        """The readiness of every dependency; a Failure with the same rows in its details when one is not ready."""
        return self._asked("GET", "/ready", signed=False)

    def text(self, path: str) -> str:
        """An answer that is not JSON, as it is."""
        return self._sent("GET", path, headers=self._signature()).text

    def save(self, path: str, file: Path, **query: Any) -> int:
        """Write an answer that is not JSON into `file`; how many bytes it was."""
        asked = {key: value for key, value in query.items() if value is not None}
        return file.write_bytes(self._sent("GET", path, query=asked, headers=self._signature()).content)

    def _asked(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        signed: bool = True,
    ) -> Any:
        signature = self._signature() if signed else {}
        with _told():
            answer = self._sent(method, path, query=query, body=body, headers={**(headers or {}), **signature})
            document = document_of(answer)
        return document["data"] if document.get("status") == "success" else document

    def _sent(self, method: str, path: str, **how: Any) -> httpx.Response:
        with _told():
            return self._transport.send(method, path, patient=self._patient, **how)

    def _signature(self) -> dict[str, str]:
        if self._token:
            return {"Authorization": f"Bearer {self._token}"}
        tokens = self._session.load(self.url)
        if tokens is None:
            raise Failure(
                f"not signed in at {self.url}: `omc login` first", ExitCode.NOT_SIGNED_IN, code="UNAUTHENTICATED"
            )
        if not tokens.fresh:
            tokens = self._renewed(tokens)
        return {"Authorization": f"Bearer {tokens.access_token}"}

    def _renewed(self, old: Tokens) -> Tokens:
        with self._session.alone():
            tokens = self._session.load(self.url) or old
            if tokens.fresh:
                return tokens
            answer = self._asked("POST", "/auth/refresh", body={"refresh_token": tokens.refresh_token}, signed=False)
            renewed = Tokens.granted(self.url, tokens.email, answer)
            self._session.save(renewed)
            return renewed


def _plain(token: str | None) -> str:
    text = (token or "").strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise Failure("OMC_TOKEN holds no token", ExitCode.USAGE, code="USAGE")
    return text


def _is_address(url: str) -> bool:
    try:
        parts = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return parts.scheme in ("http", "https") and bool(parts.host) and (parts.port or 0) < 1 << 16


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Every failure of a call as one line, with its exit code."""
    try:
        yield
    except NotSendable as fault:
        raise Failure(str(fault), ExitCode.USAGE, code="USAGE") from None
    except Unreachable as fault:
        raise _unreachable(f"{fault}: start it with `omc up`") from None
    except Refused as fault:
        exit_code = OF_ERROR_CODE.get(fault.code, ExitCode.FAILED)
        raise Failure(fault.message, exit_code, code=fault.code, details=fault.details) from None
    except NotThePlatform as fault:
        raise Failure(str(fault)) from None
    except ClientError as fault:
        raise _unreachable(str(fault)) from None


def _unreachable(message: str) -> Failure:
    return Failure(message, ExitCode.UNREACHABLE, code="UNREACHABLE")
