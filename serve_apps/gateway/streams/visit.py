"""One connection from its handshake to its end: who it is, what it is told, and why it has to go."""

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from starlette.types import Message, Receive, Scope, Send

from omc.access import scope as scopes
from omc.access.asker import Asker, Askers
from omc.errors import Forbidden, InvalidInput, OmcError, Unauthenticated
from serve_apps.caller import caller
from serve_apps.gateway.streams import outbox as codes
from serve_apps.gateway.streams.client import Client
from serve_apps.gateway.streams.hello import First, Hello, without_token
from serve_apps.gateway.streams.outbox import Outbox, beside
from serve_apps.gateway.streams.places import Places, TooMany
from serve_apps.gateway.streams.ports import StreamPorts
from serve_apps.gateway.streams.stream import Stream
from serve_apps.problem import Detailed
from serve_apps.turnstile import Admission

_log = logging.getLogger("omc.streams")
_CODES: tuple[tuple[type[OmcError], int], ...] = (
    (InvalidInput, codes.BAD_MESSAGE),
    (Unauthenticated, codes.UNAUTHENTICATED),
    (Forbidden, codes.UNAUTHENTICATED),
    (TooMany, codes.TOO_MANY),
    (OmcError, codes.TRY_LATER),
)
# Every quarter of an hour would do.
_MOST_RENEWALS = 1_000


@dataclass(slots=True)
class Visit:
    """`stream` is None where there is none."""

    ports: StreamPorts
    askers: Askers
    places: Places
    stream: Stream | None
    scope: Scope
    receive: Receive
    outbox: Outbox
    admission: Admission | None = None
    """Nobody is limited without one."""
    accepted: bool = False
    token: str = field(default="", repr=False)
    """The last that was shown and believed."""

    async def run(self) -> None:
        """Returns when the client has gone, or was told to go."""
        if (await self.receive())["type"] != "websocket.connect":
            return
        try:
            await self._admitted()
        except OmcError as fault:
            # Of whoever is turned away before their token is looked at as well.
            without_token(self.scope)
            code = next(code for kind, code in _CODES if isinstance(fault, kind))
            # A code can only be told to somebody who was let in.
            self._accept(None)
            # A close frame holds 123 bytes, and what was sent to us may be quoted in it.
            self.outbox.close(code, str(fault)[:120].encode("ascii", "replace").decode())

    async def _admitted(self) -> None:
        whose = caller(self.scope, self.ports.rules.proxies)
        with self.places.door(None if whose.is_local else whose.network):
            await self._enters()
            hello, asker = await self._who()
        if asker is None:
            return
        await self._signed_in(asker)
        with self.places.seat(asker.user_id):
            if self.stream is None:
                self.outbox.close(codes.NO_SUCH_STREAM, "there is no such stream")
                return
            client = Client(asker.user_id, hello, self.outbox)
            ending = self._end_at(asker.expires_at)
            listening = asyncio.create_task(self._listen(asker.user_id, ending))
            watching = asyncio.create_task(self._watch())
            try:
                await self._told(self.stream, client, listening)
            finally:
                listening.cancel()
                watching.cancel()
                ending.cancel()
                self.stream.leave(client)

    async def _enters(self) -> None:
        """TooMany when its address has come too often."""
        if self.admission is not None and await self.admission.enters(presents_token=False):
            raise TooMany("too many connections of your address: wait, and come again")

    async def _signed_in(self, asker: Asker) -> None:
        """TooMany when its account, or a program's token, has asked too often."""
        try:
            if self.admission is not None:
                await self.admission.signed_in(asker.user_id, None if asker.is_person else str(asker.token_id))
        except Detailed as fault:
            raise TooMany(str(fault)) from None

    async def _told(self, stream: Stream, client: Client, listening: "asyncio.Task[None]") -> None:
        """Join, while the client is listened to: one that leaves before it was told everything is not told the rest."""
        joining = asyncio.create_task(stream.join(client))
        try:
            await asyncio.wait((joining, listening), return_when=asyncio.FIRST_COMPLETED)
            if joining.done():
                joining.result()
            await listening
        finally:
            joining.cancel()
            await asyncio.gather(joining, return_exceptions=True)

    async def _who(self) -> tuple[Hello, Asker | None]:
        """Who it is and what it wants; nobody when it left before it said so."""
        try:
            hello = Hello.of_scope(self.scope)
        finally:
            without_token(self.scope)
        self._accept(hello.subprotocol)
        if hello.token is None:
            try:
                message = await asyncio.wait_for(self.receive(), self.ports.hello_s)
            except TimeoutError:
                raise InvalidInput("you did not say who you are in time") from None
            if message["type"] != "websocket.receive":
                return hello, None
            hello = hello.with_first(First.of(message))
        return hello, await self._verified(hello.token or "")

    def _accept(self, subprotocol: str | None) -> None:
        if not self.accepted:
            self.accepted = True
            self.outbox.accept(subprotocol)

    async def _verified(self, token: str) -> Asker:
        asker = await self.askers.known(token)
        asker.check(scopes.Scope.READ)
        self.token = token
        return asker

    async def _watch(self) -> None:
        """End the connection of whoever's token is ended meanwhile: a program's, or a person's with the account."""
        while True:
            await asyncio.sleep(self.ports.recheck_s)
            try:
                await self.askers.known(self.token)
            except Unauthenticated as fault:
                self.outbox.close(codes.UNAUTHENTICATED, str(fault))
                return
            except OmcError as fault:
                # The database is away: what was believed goes on to be.
                _log.warning("a token cannot be looked up", extra={"error": str(fault)})

    async def _listen(self, user_id: UUID, ending: "Ending") -> None:
        """What a client may say later: a newer token of the same account."""
        for _ in range(_MOST_RENEWALS):
            message: Message = await self.receive()
            if message["type"] != "websocket.receive":
                return
            asker = await self._verified(First.of(message).token)
            if asker.user_id != user_id:
                raise Unauthenticated("the token is another account's")
            ending.move(asker.expires_at)
        raise TooMany("you have said enough")

    def _end_at(self, expires_at: datetime) -> "Ending":
        return Ending(self.ports, self.outbox, expires_at)


class Ending:
    """The end of a connection whose token ends."""

    def __init__(self, ports: StreamPorts, outbox: Outbox, expires_at: datetime) -> None:
        self._ports, self._outbox = ports, outbox
        self._timer: asyncio.TimerHandle | None = None
        self.move(expires_at)

    def move(self, expires_at: datetime) -> None:
        self.cancel()
        left_s = (expires_at - self._ports.clock.now()).total_seconds()
        self._timer = asyncio.get_running_loop().call_later(max(0.0, left_s), self._end)

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _end(self) -> None:
        self._outbox.close(codes.UNAUTHENTICATED, "the access token has expired")


async def visit(visit: Visit, send: Send) -> None:
    await beside(visit.outbox, visit.run(), send)
