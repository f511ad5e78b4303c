"""What every stream is to whoever keeps the connections: somebody joins, is told, and leaves."""

from typing import Protocol

from serve_apps.gateway.streams.client import Client


class Stream(Protocol):
    async def join(self, client: Client) -> None:
        """Tell the client where things stand, or what it has missed, and from then on everything, once and in order.
        It may go on for as long as the client stays. Unavailable when something cannot be found out now; leaving is due
        after any outcome."""
        ...

    def leave(self, client: Client) -> None:
        """Tell the client nothing more; one that never joined is no fault."""
        ...
