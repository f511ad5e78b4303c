"""What HAProxy is told when it stands in front of the replicas: one public address, and sockets of ours behind it.

It opens no other port and no socket of its own to be administered through, and hands a request on as it came, but for a
name (X-Request-ID), the address that it came from, and headers that would steer what stands behind.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PEER = "x-front-peer"
"""The header that carries the address and the port of whoever connected. A client's own is replaced."""
CERTIFICATE = "certificate.pem"
"""The file beside the configuration that has the certificate and its key, which HAProxy wants in one."""
STEERING = (
    "x-request-timeout-seconds",
    "x-request-disconnect-disabled",
    "serve_multiplexed_model_id",
    "serve-multiplexed-model-id",
)
# By the status that HAProxy would answer with: what is answered instead, in the words of the contract.
_REFUSALS = {
    400: (422, "Unprocessable Entity", "VALIDATION_ERROR", "the headers are too many, or too large"),
    403: (403, "Forbidden", "FORBIDDEN", "this is not let in"),
    405: (405, "Method Not Allowed", "NOT_FOUND", "there is no such method"),
    408: (408, "Request Timeout", "VALIDATION_ERROR", "the request did not arrive in time"),
    500: (500, "Internal Server Error", "INTERNAL", "something went wrong on our side"),
    502: (503, "Service Unavailable", "UNAVAILABLE", "whoever answered was cut off: it may have been done"),
    503: (503, "Service Unavailable", "UNAVAILABLE", "nobody is there to answer this, or everybody is busy"),
    504: (503, "Service Unavailable", "UNAVAILABLE", "this took too long, and may still be done"),
}  # fmt: skip
_RETRY_AFTER_S = 2
# What replicas can read; another word they would refuse in words that are not ours.
_METHODS = "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE"
_HEADERS, _HEADER_BYTES = 100, 16_384


@dataclass(frozen=True, slots=True)
class Behind:
    """The replicas of one app, on a socket that is named after it."""

    name: str
    prefix: str
    at_once: int = 128
    """Requests. Others wait here, for a moment."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`behind` in any order: the longest prefix decides, and the empty one takes what is left."""

    host: str
    port: int
    behind: Sequence[Behind]
    connections: int = 4_096
    tls: tuple[Path, Path] | None = None
    """The certificate with its chain, and its key, each a PEM: nothing but TLS is spoken then."""
    answer_within_s: int = 120

    def __post_init__(self) -> None:
        if sum(each.prefix == "" for each in self.behind) != 1:
            raise ValueError("one app takes what no other's prefix does")


def refusals() -> dict[str, bytes]:
    """Files beside the configuration, by name: the answers that HAProxy gives itself."""
    return {f"{status}.http": _refusal(*told) for status, told in _REFUSALS.items()}


def rendered(layout: Layout) -> str:
    """HAProxy's configuration. It is to be run in the folder of the sockets."""
    first = sorted(layout.behind, key=lambda each: -len(each.prefix))
    tls = f" ssl crt {CERTIFICATE} alpn http/1.1" if layout.tls else ""
    lines = [
        "global",
        f"    maxconn {layout.connections}",
        # More would only contend with the replicas for a machine's cores.
        "    nbthread 1",
        "    noreuseport",
        # Room for headers that are too many or too large, so that they are refused below, in our words. What is no HTTP
        # at all, or larger still, is refused in HAProxy's own.
        "    tune.bufsize 65536",
        "    tune.http.maxhdr 1000",
        "    log stderr format raw local0 notice",
        "    ssl-default-bind-options ssl-min-ver TLSv1.2",
        "defaults",
        "    mode http",
        "    log global",
        "    option dontlognull",
        "    option dontlog-normal",
        # Without the query, in which a token may stand.
        '    log-format "%ci %HM %HPO %ST %ts %Tt ms %b"',
        "    option http-no-delay",
        "    http-reuse always",
        "    timeout connect 5s",
        "    timeout client 75s",
        f"    timeout server {layout.answer_within_s}s",
        "    timeout http-request 10s",
        "    timeout http-keep-alive 75s",
        "    timeout queue 5s",
        # Streams are pinged more often: nothing moves for so long only where somebody takes nothing.
        "    timeout tunnel 90s",
        "    timeout client-fin 10s",
        "    retries 3",
        # A question that changes nothing is asked again when its answer never began; nothing else is ever sent twice.
        "    retry-on conn-failure empty-response",
        *(f"    errorfile {status} {status}.http" for status in _REFUSALS),
        "frontend front",
        f"    bind {_quoted(f'{layout.host}:{layout.port}')}{tls}",
        *(f"    http-request del-header {name}" for name in STEERING),
        f"    http-request set-header {PEER} %[src]:%[src_port]",
        "    http-request set-header x-request-id %[uuid] "
        "unless { req.fhdr(x-request-id) -m reg ^[A-Za-z0-9._:-]{1,128}$ }",
        "    http-request set-var(txn.request) req.fhdr(x-request-id)",
        "    http-after-response set-header x-request-id %[var(txn.request)] if { var(txn.request) -m found }",
        f"    http-request deny deny_status 400 if {{ req.hdrs,length gt {_HEADER_BYTES} }} "
        f"|| {{ req.hdr_cnt gt {_HEADERS} }}",
        f"    http-request deny deny_status 405 unless {{ method {_METHODS} }}",
        "    http-request disable-l7-retry unless METH_GET",
        *(f"    use_backend {each.name} if {{ path_beg {each.prefix}/ }} || {{ path {each.prefix} }}"
          for each in first if each.prefix),
        f"    default_backend {first[-1].name}",
    ]  # fmt: skip
    for each in first:
        # Nobody asks whether a replica is there: who connects while none is waits for the next.
        lines += [f"backend {each.name}", f"    server replicas unix@{each.name} maxconn {each.at_once}"]
    return "\n".join(lines) + "\n"


def _refusal(status: int, reason: str, code: str, message: str) -> bytes:
    body = json.dumps({"status": "error", "error": {"code": code, "message": message, "details": {}}})
    again = f"Retry-After: {_RETRY_AFTER_S}\r\n" if status == 503 else ""
    allow = f"Allow: {', '.join(_METHODS.split())}\r\n" if status == 405 else ""
    head = (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{again}{allow}"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\n"
    )
    return (head + body).encode()


def _quoted(word: str) -> str:
    """As one word of the configuration."""
    if any(ord(sign) < 32 for sign in word):
        raise ValueError("an address or a path of one line is wanted")
    return "'" + word.replace("'", "'\\''") + "'"
