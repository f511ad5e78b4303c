"""What a stream says of the journal: one entry is one message, numbered without gaps within its account. Pure.

A message carries the fields that stand in the tables below and no other, so that nothing gets out because somebody
began to journal it. Amounts are texts of eight decimals, times end in Z, and nothing is NaN, as in every HTTP answer.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from math import isfinite
from typing import Any
from uuid import UUID, uuid5

from omc.market.money import eight_places
from omc.market.quote import Quote
from omc.trading.fill import Fill, Side
from omc.trading.journal import JournalEntry
from omc.trading.order import OrderStatus


@dataclass(frozen=True, slots=True)
class Numbered:
    """A journal entry with its place in its account's journal: 1 for the first, and one more for each."""

    user_id: UUID
    number: int
    entry: JournalEntry


class MessageType(StrEnum):
    SNAPSHOT = "snapshot"
    """Where things stand at `seq`."""
    RESUMED = "resumed"
    """The stream goes on after `seq`, as was asked."""
    PRICE = "price"
    CATALYST = "catalyst"
    SIGNAL = "signal"
    ORDER = "order"
    FILL = "fill"
    POSITION = "position"
    PNL = "pnl"
    RISK = "risk"
    HALT = "halt"
    DEPLOYMENT = "deployment"


@dataclass(frozen=True, slots=True)
class Message:
    """`seq` of a snapshot or of a resumption is that of the message before the next one; others rise by one."""

    type: MessageType
    seq: int
    timestamp: datetime
    data: Mapping[str, Any]

    def text(self) -> str:
        """As it is sent: JSON in ASCII."""
        whole = {"type": self.type, "seq": self.seq, "timestamp": time_text(self.timestamp), "data": self.data}
        return json.dumps(whole, separators=(",", ":"), allow_nan=False)


def message_of(numbered: Numbered) -> Message:
    """What the stream of its account says of a journal entry."""
    entry = numbered.entry
    data: dict[str, Any] = {"kind": entry.kind, "deployment_id": _text(entry.deployment_id)}
    if entry.kind in _STATUSES:
        data["status"] = entry.kind
    data |= {name: shape(value) for name, value in entry.data.items() if (shape := _shaper(name)) is not None}
    kind = _TYPES.get(entry.kind, MessageType.RISK)
    if kind is MessageType.ORDER and (fills := _trades(entry)):
        kind, data = MessageType.FILL, {**data, "fills": fills}
    return Message(kind, numbered.number, entry.recorded_at, data)


def quote_of(quote: Quote) -> dict[str, str]:
    """A coin's prices as a stream of prices shows them."""
    return {
        "coin": quote.coin,
        "bid": money_text(quote.bid_aud),
        "ask": money_text(quote.ask_aud),
        "last": money_text(quote.last_aud),
    }


def money_text(amount: Decimal) -> str:
    """Eight decimals, never an exponent."""
    return f"{eight_places(amount):f}"


def time_text(instant: datetime) -> str:
    """RFC 3339 in UTC."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _trades(entry: JournalEntry) -> list[dict[str, Any]]:
    """An order's fills. One that cannot be read is left out: it must not hold up whatever comes after it."""
    found = []
    told = entry.data.get("fills")
    for fill in told if isinstance(told, list | tuple) else ():
        with suppress(KeyError, TypeError, ValueError, ArithmeticError):
            found.append(_trade(entry, fill))
    return found


def _trade(entry: JournalEntry, told: Mapping[str, Any]) -> dict[str, Any]:
    """A fill as the journal keeps it, in the shape of a trade of the HTTP contract."""
    fill = Fill(
        fill_id=str(told["fill_id"]),
        coin=str(told["coin"]),
        side=Side(told["side"]),
        quantity=Decimal(told["quantity"]),
        total_aud=Decimal(told["total_aud"]),
        fee_aud=Decimal(told["fee_aud"]),
        executed_at=_instant(told["executed_at"]),
    )
    return {
        "id": str(uuid5(entry.deployment_id, fill.fill_id)) if entry.deployment_id else None,
        "coin": fill.coin,
        "side": fill.side.value,
        "quantity": money_text(fill.quantity),
        "price_aud": money_text(fill.price_aud),
        "total_aud": money_text(fill.total_aud),
        "fee_aud": money_text(fill.fee_aud),
        "executed_at": time_text(fill.executed_at),
    }


def _money(value: Any) -> str | None:
    """None for what is no finite number: a stream never says NaN."""
    try:
        amount = Decimal(str(value))
        return money_text(amount) if amount.is_finite() else None
    except InvalidOperation:
        return None


def _time(value: Any) -> str | None:
    try:
        return time_text(_instant(value))
    except (ValueError, OverflowError):
        return None


def _instant(value: Any) -> datetime:
    """The journal's durable form of a time is text."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


_LONGEST_TEXT = 4_000


def _text(value: Any) -> str | None:
    return None if value is None else str(value)[:_LONGEST_TEXT]


def _scalar(value: Any) -> Any:
    if isinstance(value, bool | int | None):
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None
    return _text(value)


def _by_name(value: Any) -> dict[str, Any]:
    return {str(name): _scalar(each) for name, each in value.items()} if isinstance(value, Mapping) else {}


def _texts(value: Any) -> list[str]:
    return [str(each)[:_LONGEST_TEXT] for each in value] if isinstance(value, list | tuple) else []


_STATUSES = frozenset(status.value for status in OrderStatus)
_TYPES: Mapping[str, MessageType] = {
    **dict.fromkeys(_STATUSES, MessageType.ORDER),
    "decision": MessageType.SIGNAL,
    "rebalance": MessageType.SIGNAL,
    "trigger": MessageType.SIGNAL,
    "position": MessageType.POSITION,
    "pnl": MessageType.PNL,
    "halt": MessageType.HALT,
    "reset": MessageType.HALT,
    "deployment": MessageType.DEPLOYMENT,
}
"""By kind of entry; an entry of any other kind is a message of type risk."""
_FIELDS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("quantity", "figure", "threshold"), _money),
    **dict.fromkeys(("quoted_at", "decided_at", "executed_at", "since", "until"), _time),
    **dict.fromkeys(
        (
            "client_order_id",
            "slice_of",
            "venue_order_id",
            "fill_id",
            "coin",
            "side",
            "status",
            "reason",
            "message",
            "printed",
            "level",
            "limit",
            "scope",
            "account",
            "what",
            "closed",
            "event",
            "use",
            "name",
            "time_zone",
        ),
        _text,
    ),
    **dict.fromkeys(("targets", "why", "parameters"), _by_name),
    **dict.fromkeys(("differences", "waiting"), _texts),
    "slippage_bps": _scalar,
}
"""Names that are told, and how; amounts of money, whose names end in _aud, are told by any name."""


def _shaper(name: str) -> Callable[[Any], Any] | None:
    return _money if name.endswith("_aud") else _FIELDS.get(name)
