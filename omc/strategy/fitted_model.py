"""A fitted model as it is kept: bytes that nobody outside a sandbox reads, and everything that they came from."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import version
from platform import python_version
from typing import Any
from uuid import UUID

import numpy as np

from omc.errors import InvalidInput, Refused
from omc.feature.frame import Frame
from omc.strategy.algorithm import content_hash
from omc.strategy.parameter import same_parameters

MOST_BYTES = 32 * 2**20
"""Of one model."""
_LIBRARIES = ("numpy", "pandas", "scikit-learn", "skops", "xgboost-cpu")
_CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a model was fitted with. The same once more gives the same model."""

    code_hash: str
    """Of the code alone, by `hash_of_code`."""
    parameters: Mapping[str, Any]
    """All of them, defaults included."""
    coins: tuple[str, ...]
    start: datetime
    end: datetime
    """The window that was asked for, both bounds included."""
    first_bar: datetime
    last_bar: datetime
    bars: int
    bars_hash: str
    """Of every price that it saw, by `hash_of_bars`."""
    libraries: Mapping[str, str]
    """Versions, by name."""

    @property
    def hash(self) -> str:
        """SHA-256 of all of it in canonical JSON."""
        said = {
            "code_hash": self.code_hash,
            "parameters": dict(self.parameters),
            "coins": list(self.coins),
            "start": self.start.timestamp(),
            "end": self.end.timestamp(),
            "bars_hash": self.bars_hash,
            "libraries": dict(self.libraries),
        }
        return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """A fitted model as somebody owns it, without its content."""

    id: UUID
    user_id: UUID
    algorithm_id: UUID
    algorithm_version: int
    content_hash: str
    """SHA-256 of the content."""
    size_bytes: int
    lineage: Lineage
    created_at: datetime


def hash_of_content(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def hash_of_code(code: str) -> str:
    """The same for every version of an algorithm that has the same code, whatever its stored parameters."""
    return content_hash(_CUSTOM, code, {})


def hash_of_bars(frame: Frame) -> str:
    """SHA-256 of coins, times and prices, to the bit."""
    found = hashlib.sha256(json.dumps(list(frame.coins)).encode())
    found.update(np.ascontiguousarray(frame.times.astype("datetime64[us]")).view(np.int64).tobytes())
    for each in (frame.bid, frame.ask, frame.last):
        found.update(np.ascontiguousarray(each, dtype=np.float64).tobytes())
    return found.hexdigest()


@cache
def libraries() -> Mapping[str, str]:
    """Those that fit, write and read models here."""
    return {"python": python_version(), **{name: version(name) for name in _LIBRARIES}}


def verified(record: ModelRecord, content: bytes) -> bytes:
    """The content, if it is what was stored: Refused for anything else."""
    if hash_of_content(content) != record.content_hash:
        raise Refused(f"model {record.id} is not what was stored: its hash is another")
    return content


def check_use(
    record: ModelRecord,
    *,
    code: str | None,
    parameters: Mapping[str, Any],
    coins: Sequence[str],
    first_traded: datetime | None,
) -> None:
    """InvalidInput for a run of `code` with `parameters` on `coins` that this model was not fitted for, or that trades
    on a bar that it has seen.

    `first_traded` is the first bar that may be traded; None for a run that only begins. The last bar that the model
    learned from must lie before it. Rows that warm the algorithm up may be bars that it learned from: nothing is
    decided on them, and what was known before a window is known in it.
    """
    lineage, name = record.lineage, f"model {record.id}"
    if code is None or hash_of_code(code) != lineage.code_hash:
        raise InvalidInput(f"{name} was fitted by other code: fit a model with the version that is run")
    if not same_parameters(parameters, lineage.parameters):
        raise InvalidInput(f"{name} was fitted with other parameters ({_differing(parameters, lineage.parameters)})")
    if tuple(coins) != lineage.coins:
        raise InvalidInput(f"{name} was fitted on {', '.join(lineage.coins)}, in this order, not {', '.join(coins)}")
    if first_traded is not None and lineage.last_bar >= first_traded:
        raise InvalidInput(
            f"{name} has seen prices up to {lineage.last_bar.isoformat()}, and the first bar that may be traded is at "
            f"{first_traded.isoformat()}: a model is tried on what comes after the prices that it learned from"
        )
    if lineage.libraries != libraries():
        said = _differing(libraries(), lineage.libraries)
        raise InvalidInput(f"{name} was fitted with other versions of the libraries ({said}): fit it again")


def _differing(now: Mapping[str, Any], then: Mapping[str, Any]) -> str:
    names = sorted(name for name in {*now, *then} if now.get(name) != then.get(name))
    return ", ".join(f"{name}: {then.get(name)!r} then, {now.get(name)!r} now" for name in names)
