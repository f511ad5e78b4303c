"""What a trader is told and what it says: events in, commands out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from omc.feature.frame import FloatArray
from omc.risk.verdict import Denied
from omc.trading.blotter import Decision, TraderMemory
from omc.trading.order import Order, OrderIntent


@dataclass(frozen=True, slots=True)
class QuotesArrived:
    """A bar was stored: bid and ask by coin, (C,) float64, NaN where a coin was not quoted.

    Quotes are a candle without extent. A replay of candles says how far each price went, and where it ended.
    """

    time: datetime
    bid: FloatArray
    ask: FloatArray
    high: FloatArray | None = None
    low: FloatArray | None = None
    close: FloatArray | None = None


@dataclass(frozen=True, slots=True)
class OrderEnded:
    """An order became final, whatever it became."""

    order: Order


@dataclass(frozen=True, slots=True)
class IntentDenied:
    denied: Denied


@dataclass(frozen=True, slots=True)
class WeightsDecided:
    """The algorithm's answer to `Decide`: (C,) weights, and why, by coin."""

    time: datetime
    weights: FloatArray
    why: Mapping[str, str] = field(default_factory=dict)
    trigger: str | None = None
    """What fired, where it is asked on some bars only; empty where nothing did, and `weights` are those of before."""


Event = QuotesArrived | OrderEnded | IntentDenied | WeightsDecided


@dataclass(frozen=True, slots=True)
class Remember:
    """Make the memory durable before the next command is carried out; the decision belongs in the journal."""

    memory: TraderMemory
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Submit:
    """Carry the intent to its end and say what it became."""

    intent: OrderIntent


@dataclass(frozen=True, slots=True)
class Decide:
    """Ask the algorithm what it wants after the bar of `time`."""

    time: datetime


@dataclass(frozen=True, slots=True)
class Halt:
    """Stop trading until a person activates the deployment again."""

    reason: str


Command = Remember | Submit | Decide | Halt
