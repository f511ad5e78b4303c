"""What is asked of an order while it is carried: that it ends, or that its limit moves."""

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(slots=True)
class Wish:
    """Of one order. Whoever carries it looks here between any two steps."""

    ends: str = ""
    """Why it is to end; empty while it is not."""
    moves: list[tuple[Decimal, asyncio.Future[None]]] = field(default_factory=list)
    """Where its limit is to go, first asked first, and who waits to hear of it."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    part_of: str | None = None
    """The order that it is a part of: when that is to end, so is this."""

    def end(self, why: str) -> None:
        self.ends = self.ends or why
        self.asked.set()

    async def move(self, price_aud: Decimal) -> None:
        """Return when the venue was asked to, and its book has been looked at; raises what keeps it from that."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.moves.append((price_aud, told))
        self.asked.set()
        await told

    @staticmethod
    def tell(told: asyncio.Future[None], error: Exception | None = None) -> None:
        """Say to who asked for a move how it ended; they may be gone."""
        if told.done():
            return
        if error is None:
            told.set_result(None)
        else:
            told.set_exception(error)

    def move_no_more(self, error: Exception) -> None:
        """It moves nowhere any more; who still waits for that gets `error`."""
        for _, told in self.moves:
            Wish.tell(told, error)
        self.moves.clear()

    async def rest(self, pause_s: float) -> None:
        """Wait that long, or until something is asked."""
        try:
            async with asyncio.timeout(pause_s):
                await self.asked.wait()
        except TimeoutError:
            return
        self.asked.clear()


class Wishes:
    """Of all orders of an account."""

    def __init__(self) -> None:
        self._by_name: dict[str, Wish] = {}

    def of(self, client_order_id: str, part_of: str | None = None) -> Wish:
        """What was asked of the whole before a part of it was begun holds for the part as well."""
        wish = self._by_name.setdefault(client_order_id, Wish())
        whole = self._by_name.get(part_of) if part_of else None
        wish.part_of = part_of or wish.part_of
        if whole is not None and whole.ends:
            wish.end(whole.ends)
        return wish

    def end(self, client_order_id: str, why: str) -> None:
        """An order with all parts that carry it out."""
        self.of(client_order_id).end(why)
        for name, each in list(self._by_name.items()):
            if each.part_of == client_order_id:
                self.end(name, why)

    def forget(self, client_order_id: str, error: Exception) -> None:
        """The order is carried no more; who still waits for it to move gets `error`."""
        wish = self._by_name.pop(client_order_id, None)
        if wish is not None:
            wish.move_no_more(error)
