"""The control API of a sandbox exchange: its tape's clock and step, its accounts, and its faults."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from http import HTTPStatus
from pathlib import Path
from typing import Any

import orjson

from omc.adapters.coinspot.line import Channel, Line
from omc.adapters.coinspot.signature import Credentials
from omc.errors import InvalidInput, OutcomeUnknown, Unavailable
from omc.market.tape import TapeClock


class SandboxControl:
    """A TapeControl. Inert until used: it travels as an address and the path of the file that holds the token.

    All of its requests may be repeated, so whatever goes unanswered is Unavailable: ask again.
    """

    def __init__(self, base_url: str, token_file: Path, line: Channel | None = None) -> None:
        self.base_url = base_url
        self.token_file = token_file
        self._line = line or Line(base_url)
        self._token: str | None = None

    def __repr__(self) -> str:
        return f"SandboxControl({self.base_url!r}, {str(self.token_file)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return SandboxControl, (self.base_url, self.token_file)

    async def clock(self) -> TapeClock:
        return _clock(await self._ask("GET", "clock"))

    async def step(self, position: int) -> TapeClock:
        return _clock(await self._ask("POST", "step", {"position": position}))

    async def open_account(self, account: str, cash_aud: Decimal) -> Credentials:
        """The account of that name, opened with `cash_aud` if it is new."""
        answer = await self._ask("POST", "accounts", {"account": account, "cash_aud": str(cash_aud)})
        return Credentials(answer["key"], answer["secret"])

    async def faults(self) -> dict[str, Any]:
        """What the exchange does wrong, and what it did: {"on", "seed", "total", "counts", "faults", …}."""
        return await self._ask("GET", "faults")

    async def misbehave(self, **plan: Any) -> dict[str, Any]:
        """Switch its faults on, by seed=, rate=, kinds= and most=; off without any. InvalidInput for a plan that is
        none."""
        return await self._ask("POST", "faults", plan)

    async def close(self) -> None:
        await self._line.close()

    async def _ask(self, method: str, name: str, fields: Mapping[str, Any] | None = None) -> dict[str, Any]:
        headers = {"x-sandbox-token": self._read_token(), "content-type": "application/json"}
        content = None if fields is None else orjson.dumps(fields)
        try:
            reply = await self._line.send(method, f"/sandbox/{name}", content=content, headers=headers)
        except OutcomeUnknown as fault:
            raise Unavailable(str(fault)) from None
        try:
            answer = orjson.loads(reply.content)
        except orjson.JSONDecodeError:
            answer = None
        if reply.status == HTTPStatus.OK and isinstance(answer, dict):
            return answer
        if reply.status == HTTPStatus.BAD_REQUEST and isinstance(answer, dict):
            raise InvalidInput(f"sandbox exchange: {answer.get('message')}")
        if reply.status == HTTPStatus.UNAUTHORIZED:
            # A restarted exchange may have made a new file.
            self._token = None
        raise Unavailable(f"sandbox exchange: /sandbox/{name} answered {reply.status}")

    def _read_token(self) -> str:
        if self._token is None:
            try:
                self._token = self.token_file.read_text().strip()
            except OSError as fault:
                raise Unavailable(f"{self.token_file}: the token cannot be read: {fault.strerror}") from None
        return self._token


def _clock(answer: Mapping[str, Any]) -> TapeClock:
    return TapeClock(
        time=datetime.fromisoformat(answer["time"]),
        position=answer["position"],
        bars=answer["bars"],
        lockstep=answer["lockstep"],
    )
