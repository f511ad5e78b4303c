"""What HAProxy is told when it stands in front of the replicas: one public address, and sockets of ours behind it.

It opens no other port and no socket of its own to be administered through, and hands a request on as it came, but for a
name (X-Request-ID), the address that it came from, and headers that would steer what stands behind. A replica has few
places: a request takes one only when all of it is there, or as much as HAProxy holds, and one address has some of them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
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
    400: (422, "VALIDATION_ERROR", "this cannot be read, or its headers are too many or too large"),
    403: (403, "FORBIDDEN", "this is not let in"),
    405: (405, "NOT_FOUND", "there is no such method"),
    408: (422, "VALIDATION_ERROR", "the request did not arrive in time"),
    429: (429, "RATE_LIMITED", "too many requests of your address are under way: wait until some are answered"),
    500: (500, "INTERNAL", "something went wrong on our side"),
    502: (503, "UNAVAILABLE", "whoever answered was cut off: it may have been done"),
    503: (503, "UNAVAILABLE", "nobody is there to answer this, or everybody is busy"),
    504: (503, "UNAVAILABLE", "this took too long, and may still be done"),
}  # fmt: skip
_RETRY_AFTER_S = {429: 1, 503: 2}
# What replicas can read; another word they would refuse in words that are not ours.
_METHODS = "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE"
_HEADERS, _HEADER_BYTES = 100, 16_384
_CALLER = "src,ipmask(32,64)"
_ROOM_FOR_THE_FIRST = 8
LOOPBACKS = ("127.0.0.0/8", "::1")


@dataclass(frozen=True, slots=True)
class Behind:
    """The replicas of one app, on a socket that is named after it."""

    name: str
    prefix: str
    at_once: int = 128
    """Requests. Others wait here, for a moment."""
    sockets: bool = False
    """Whether there are WebSockets, which stay. Elsewhere nobody's wish for one is handed on."""


@dataclass(frozen=True, slots=True)
class Layout:
    """`behind` in any order: the longest prefix decides, and the empty one takes what is left."""

    host: str
    port: int
    behind: Sequence[Behind]
    connections: int = 4_096
    tls: tuple[Path, Path] | None = None
    """The certificate with its chain, and its key, each a PEM: nothing but TLS is spoken then."""
    request_within_s: float = 20.0
    """How long a request may take to arrive, or as much of it as is held here."""
    body_cap_bytes: int = 1_048_576
    """A request that says that its body is larger is handed on at once, for the app to refuse it: a refusal of
    HAProxy's own would be lost with what is still being sent."""
    answer_within_s: int = 120
    of_one: int = 32
    """How many requests of one address (of IPv6 the network of 64 bits) may be under way, sockets aside; …"""
    spared: Sequence[str] = ()
    """… whoever asks for these paths finds a little more room; …"""
    lines_of_one: int = 512
    """… how many connections it may keep, and …"""
    unbounded: Sequence[str] = LOOPBACKS
    """… which addresses and networks are not counted: everybody may stand behind one of them."""

    def __post_init__(self) -> None:
        if sum(each.prefix == "" for each in self.behind) != 1:
            raise ValueError("one app takes what no other's prefix does")


def refusals() -> dict[str, bytes]:
    """Files beside the configuration, by name: the answers that HAProxy gives itself."""
    return {f"{status}.http": said(*told) for status, told in _REFUSALS.items()}


def rendered(layout: Layout) -> str:
    """HAProxy's configuration. It is to be run in the folder of the sockets."""
    first = sorted(layout.behind, key=lambda each: -len(each.prefix))
    counted, within = _counted(layout), _ms(layout.request_within_s)
    but = f" !{{ path {' '.join(layout.spared)} }}" if layout.spared else ""
    lines = [
        *_in_front(layout),
        "    http-request disable-l7-retry unless METH_GET",
        *(f"    use_backend {each.name} if {{ path_beg {each.prefix}/ }} || {{ path {each.prefix} }}"
          for each in first if each.prefix),
        f"    default_backend {first[-1].name}",
    ]  # fmt: skip
    for each in first:
        # Nobody asks whether a replica is there: who connects while none is waits for the next.
        lines.append(f"backend {each.name}")
        if each.sockets:
            # What is no wish for one is asked as any request, and refused as such.
            lines.append("    http-request del-header upgrade unless METH_GET { req.fhdr(sec-websocket-version) 13 }")
        else:
            lines += [
                "    http-request del-header upgrade",
                f"    http-request track-sc1 {_CALLER} table requests {counted}",
                f"    http-request deny deny_status 429 if {{ sc1_conn_cur gt {layout.of_one} }}{but}",
                f"    http-request deny deny_status 429 if {{ sc1_conn_cur gt {layout.of_one + _ROOM_FOR_THE_FIRST} }}",
                f"    http-request wait-for-body time {within} unless {{ req.body_size gt {layout.body_cap_bytes} }}",
            ]
        lines.append(f"    server replicas unix@{each.name} maxconn {each.at_once}")
    return "\n".join([*lines, *_table("lines"), *_table("requests")]) + "\n"


def turning_away(layout: Layout) -> str:
    """The same with nobody behind it: whoever comes is told to come again."""
    return "\n".join([*_in_front(layout), "    http-request deny deny_status 503", *_table("lines")]) + "\n"


def _in_front(layout: Layout) -> list[str]:
    """All but where a request goes."""
    tls = f" ssl crt {CERTIFICATE} alpn http/1.1" if layout.tls else ""
    return [
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
        f"    timeout http-request {_ms(layout.request_within_s)}",
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
        # Nobody asks for it, and with it one connection is as many as its client likes.
        "    option disable-h2-upgrade",
        f"    tcp-request connection track-sc0 {_CALLER} table lines {_counted(layout)}",
        f"    tcp-request connection reject if {{ sc0_conn_cur gt {layout.lines_of_one} }}",
        *(f"    http-request del-header {name}" for name in STEERING),
        f"    http-request set-header {PEER} %[src]:%[src_port]",
        "    http-request set-header x-request-id %[uuid] "
        "unless { req.fhdr(x-request-id) -m reg ^[A-Za-z0-9._:-]{1,128}$ }",
        "    http-request set-var(txn.request) req.fhdr(x-request-id)",
        "    http-after-response set-header x-request-id %[var(txn.request)] if { var(txn.request) -m found }",
        f"    http-request deny deny_status 400 if {{ req.hdrs,length gt {_HEADER_BYTES} }} "
        f"|| {{ req.hdr_cnt gt {_HEADERS} }}",
        f"    http-request deny deny_status 405 unless {{ method {_METHODS} }}",
    ]


def _counted(layout: Layout) -> str:
    return f"unless {{ src {' '.join(layout.unbounded)} }}" if layout.unbounded else ""


def _table(name: str) -> list[str]:
    return [f"backend {name}", "    stick-table type ipv6 size 100k expire 1m store conn_cur"]


def said(status: int, code: str, message: str, more: str = "") -> bytes:
    """A whole answer, with one header `more`."""
    body = json.dumps({"status": "error", "error": {"code": code, "message": message, "details": {}}})
    again = f"Retry-After: {_RETRY_AFTER_S[status]}\r\n" if status in _RETRY_AFTER_S else ""
    allow = f"Allow: {', '.join(_METHODS.split())}\r\n" if status == 405 else ""
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{again}{allow}"
        f"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n{more}\r\n"
    )
    return (head + body).encode()


def _ms(seconds: float) -> str:
    return f"{int(seconds * 1_000)}ms"


def _quoted(word: str) -> str:
    """As one word of the configuration."""
    if any(ord(sign) < 32 for sign in word):
        raise ValueError("an address or a path of one line is wanted")
    return "'" + word.replace("'", "'\\''") + "'"
