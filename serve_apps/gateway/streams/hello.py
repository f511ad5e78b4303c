"""What a client says of itself: its token, where its stream is to go on, and which coins it asks for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs

from starlette.types import Message, Scope

from omc.errors import InvalidInput
from omc.market.coin import ticker

BEARER = "bearer"
LONGEST = 4_096
"""Bytes of any message of a client: a token is half as long at most."""
_MOST_COINS = 100
_LARGEST_SEQ = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Hello:
    """A token does not show in what is printed of it."""

    token: str | None = field(default=None, repr=False)
    seq: int | None = None
    coins: frozenset[str] | None = None
    subprotocol: str | None = None

    @classmethod
    def of_scope(cls, scope: Scope) -> Self:
        """What the address and the subprotocols say. InvalidInput when it cannot be understood."""
        try:
            query = parse_qs(scope.get("query_string", b"").decode("ascii"), max_num_fields=10)
        except ValueError:
            raise InvalidInput("the address has a query that cannot be read") from None
        given = {name: values[-1] for name, values in query.items()}
        offered = list(scope.get("subprotocols", ()))
        bearer = BEARER if BEARER in offered else None
        token = next((each for each in offered if each != BEARER), None) if bearer else None
        return cls(token or given.get("token"), _seq(given.get("seq")), _coins(given.get("coins")), bearer)

    def with_first(self, message: "First") -> Self:
        """With what the first message says, which counts more."""
        seq = self.seq if message.seq is None else message.seq
        return type(self)(message.token, seq, self.coins, self.subprotocol)


@dataclass(frozen=True, slots=True)
class First:
    """A message of a client: a token, and where to go on."""

    token: str = field(repr=False)
    seq: int | None = None

    @classmethod
    def of(cls, message: Message) -> Self:
        """InvalidInput when it is anything else."""
        told = message.get("text")
        if told is None or len(told) > LONGEST:
            raise InvalidInput('say {"token": "…"} as a text of JSON')
        try:
            given = json.loads(told)
        except (ValueError, RecursionError):
            raise InvalidInput("what you say is not JSON") from None
        if not isinstance(given, Mapping) or set(given) - {"token", "seq"} or not isinstance(given.get("token"), str):
            raise InvalidInput('say {"token": "…"}, and "seq" when your stream is to go on')
        return cls(given["token"], _seq(given.get("seq")))


def without_token(scope: Scope) -> None:
    """Take the query out of `scope`: servers log it when they accept a connection."""
    scope["query_string"] = b""


def _seq(given: Any) -> int | None:
    if given is None:
        return None
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) < 20:
        given = int(given)
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= _LARGEST_SEQ:
        raise InvalidInput("seq must be the number of a message: a whole number, not below 0")
    return given


def _coins(given: str | None) -> frozenset[str] | None:
    if given is None:
        return None
    coins = frozenset(ticker(each) for each in given.split(",") if each.strip())
    if not 0 < len(coins) <= _MOST_COINS:
        raise InvalidInput(f"name between one and {_MOST_COINS} coins, as BTC,ETH")
    return coins
