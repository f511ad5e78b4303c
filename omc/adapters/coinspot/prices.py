"""CoinSpot's public prices."""

from datetime import datetime
from typing import Any

from omc.adapters.coinspot.client import COINSPOT_URL, read_public
from omc.adapters.coinspot.holdoff import Holdoff
from omc.adapters.coinspot.line import Channel, Line
from omc.adapters.coinspot.sandbox import SandboxControl
from omc.adapters.coinspot.wire import board_of
from omc.adapters.system_clock import SystemClock
from omc.clock import Clock
from omc.errors import Unavailable
from omc.market.quote import QuoteBoard

_TRIES = 3


class CoinspotPrices:
    """A PriceSource. Inert until used. A board's time is when its answer came, by `clock`; at a sandbox exchange, whose
    control is then the clock, it is the tape's time."""

    def __init__(
        self,
        base_url: str = COINSPOT_URL,
        clock: Clock | SandboxControl | None = None,
        timeout_s: float = 10.0,
        line: Channel | None = None,
    ) -> None:
        self.base_url = base_url
        self.clock = clock or SystemClock()
        self.timeout_s = timeout_s
        self._line = line or Line(base_url, timeout_s)
        self._holdoff = Holdoff()

    def __repr__(self) -> str:
        return f"CoinspotPrices({self.base_url!r}, clock={self.clock!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return CoinspotPrices, (self.base_url, self.clock, self.timeout_s)

    async def latest(self) -> QuoteBoard:
        if isinstance(self.clock, SandboxControl):
            payload, time = await self._at_the_tape(self.clock)
        else:
            payload, time = await self._read(), self.clock.now()
        return board_of(payload, time)

    async def close(self) -> None:
        await self._line.close()

    async def _read(self) -> dict[str, Any]:
        return await read_public(self._line, "latest", self._holdoff)

    async def _at_the_tape(self, control: SandboxControl) -> tuple[dict[str, Any], datetime]:
        """An answer and the tape's time at which it was given. In lock-step only whoever asks for prices moves the
        tape; a tape that plays by itself may move in between, and then the answer is asked for again."""
        before = await control.clock()
        for _ in range(_TRIES):
            payload = await self._read()
            after = before if before.lockstep else await control.clock()
            if after.position == before.position:
                return payload, after.time
            before = after
        raise Unavailable("latest: the tape moves faster than it can be read")
