"""One client of a stream: what it has been told, and its outbox."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from omc.trading.stream import Message
from serve_apps.gateway.streams.hello import Hello
from serve_apps.gateway.streams.outbox import Outbox


@dataclass(eq=False, slots=True)
class Client:
    user_id: UUID
    hello: Hello
    outbox: Outbox
    seq: int = field(default=0)
    """The number of the last message that it was told."""
    behind: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when it is not told what the others are, until it has caught up."""

    def tell(self, message: Message) -> None:
        self.deliver(message.seq, message.text())

    def deliver(self, seq: int, text: str) -> None:
        """Tell a message that is written already: once for all clients."""
        self.seq = seq
        self.outbox.say(text)

    @property
    def gone(self) -> bool:
        """Whether nothing more needs to be told."""
        return self.outbox.closing
