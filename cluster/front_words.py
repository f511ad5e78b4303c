"""What a replica's server says by itself, in the contract's words; and connections that it would keep in vain, closed.

uvicorn answers what it cannot read in plain text, and what is no handshake of a WebSocket not at all: each of these
held one of the few places behind the front, and kept the server from ending in good order.
"""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from cluster.front_layout import said

_REST_WITHIN_S = 2.0
_CLOSING = "Connection: close\r\n"
_UNREADABLE = said(422, "VALIDATION_ERROR", "the request cannot be read as HTTP", _CLOSING)
_NO_HANDSHAKE = said(422, "VALIDATION_ERROR", "this is no handshake of a WebSocket", _CLOSING)


class PlainHttp(HttpToolsProtocol):
    """HTTP. Whoever was answered before their body had come is let go when the rest, which nobody reads, stays out."""

    def send_400_response(self, msg: str) -> None:
        self.transport.write(_UNREADABLE)
        self.transport.close()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.cycle is not None:
            # uvicorn does not note it of one that was answered before.
            self.cycle.more_body = False

    def on_response_complete(self) -> None:
        if self.cycle.more_body:
            self.loop.call_later(_REST_WITHIN_S, self._let_go, self.cycle)
        super().on_response_complete()

    def _let_go(self, answered: RequestResponseCycle) -> None:
        if answered.more_body:
            self.transport.close()


class PlainSockets(WebSocketsSansIOProtocol):
    """WebSockets. What is no handshake is told so."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            # As after a refusal of its own: nothing more is said when the server ends.
            self.handshake_complete = self.close_sent = True
            self.transport.write(_NO_HANDSHAKE)
            self.transport.close()
