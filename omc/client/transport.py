"""Requests out, answers in, every failure one of ours; what may be asked twice is asked again when the platform says
when."""

import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any, Self

import httpx

from omc.client.errors import (
    ClientError,
    NoAnswer,
    NotSendable,
    NotThePlatform,
    TooLate,
    Unreachable,
    refused,
)

API = "/api/v1"
IDEMPOTENCY_KEY = "Idempotency-Key"
_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_AS_LONG_AS_IT_TAKES = httpx.Timeout(30.0, connect=5.0, read=None)
# A machine that is gone does not answer these, however long a request may take: after a minute it is given up.
_ALIVE = (
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 30),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 10),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3),
)
_LONGEST_PAUSE_S = 60.0
_FIRST_PAUSE_S = 0.5


class Transport:
    """A connection to the platform at `url`. A request is tried `tries` times at most. `trust` is what its certificate
    is held against; the authorities that everybody trusts when not given."""

    def __init__(
        self,
        url: str,
        *,
        transport: httpx.BaseTransport | None = None,
        trust: ssl.SSLContext | None = None,
        tries: int = 1,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._tries = tries
        self._sleep = sleep
        # An environment's proxy is for the world outside, not for the loopback.
        self._http = httpx.Client(
            base_url=self.url,
            timeout=_TIMEOUT,
            transport=transport
            or httpx.HTTPTransport(socket_options=_ALIVE, trust_env=False, verify=True if trust is None else trust),
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        patient: bool = False,
    ) -> httpx.Response:
        """The answer of a success. A read, and what carries an idempotency key, is asked again when no answer came or
        the platform is busy; everything else when it was turned away before it did anything. `patient` waits for an
        answer for as long as somebody works on it."""
        request = self._request(method, path, query, body, headers, patient)
        harmless = method == "GET" or IDEMPOTENCY_KEY in request.headers
        for tried in range(1, self._tries + 1):
            pause_s = _FIRST_PAUSE_S * 2 ** (tried - 1)
            fault: ClientError
            try:
                answer = self._sent(request)
            except (Unreachable, NoAnswer) as broken:
                again, fault = harmless, broken
            else:
                if answer.is_success:
                    return answer
                again = answer.status_code == 429 or (answer.status_code == 503 and harmless)
                told_s = _seconds(answer)
                pause_s = pause_s if told_s is None else told_s
                fault = _refusal(answer)
            if not again or tried == self._tries or pause_s > _LONGEST_PAUSE_S:
                raise fault
            self._sleep(pause_s)
        raise AssertionError("a request is tried at least once")

    def _request(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any] | None,
        body: Any,
        headers: Mapping[str, str] | None,
        patient: bool,
    ) -> httpx.Request:
        try:
            return self._http.build_request(
                method,
                API + path,
                params=query,
                json=body,
                headers=headers,
                timeout=_AS_LONG_AS_IT_TAKES if patient else _TIMEOUT,
            )
        except ValueError:
            # No JSON has a word for a number that is not finite, nor UTF-8 for half a character.
            raise NotSendable("a value is neither text nor a finite number") from None

    def _sent(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._http.send(request)
        except httpx.ConnectError as fault:
            if _mistrusted(fault):
                raise Unreachable(f"what answers at {self.url} has a certificate that is not trusted here") from None
            raise Unreachable(f"no platform answers at {self.url}") from None
        except httpx.TimeoutException:
            raise TooLate(f"the platform at {self.url} did not answer in time") from None
        except httpx.HTTPError as fault:
            raise NoAnswer(f"the platform at {self.url} broke off: {fault or type(fault).__name__}") from None


def document_of(answer: httpx.Response) -> dict[str, Any]:
    """What a success says."""
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        message = f"{answer.request.url} answered with something that is not the platform's: is it the right address?"
        raise NotThePlatform(message, answer.status_code, str(answer.request.url))
    return document


def _mistrusted(fault: BaseException | None) -> bool:
    """Whether a certificate is why nobody could be connected to."""
    while fault is not None and not isinstance(fault, ssl.SSLCertVerificationError):
        fault = fault.__cause__ or fault.__context__
    return fault is not None


def _refusal(answer: httpx.Response) -> ClientError:
    try:
        error = answer.json()["error"]
        code, message, details = error["code"], error["message"], error["details"]
    except (ValueError, KeyError, TypeError):
        said = f"{answer.request.url} answered {answer.status_code} in a shape that is not the platform's"
        return NotThePlatform(said, answer.status_code, str(answer.request.url))
    return refused(code, message, details, status=answer.status_code, retry_after_s=_seconds(answer))


def _seconds(answer: httpx.Response) -> float | None:
    told = answer.headers.get("Retry-After", "")
    return float(told) if told.isdigit() else None
