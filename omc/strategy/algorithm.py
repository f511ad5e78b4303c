"""What an algorithm is: a scikit-learn estimator from prices to target weights, and where one is kept."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, Self
from uuid import UUID

from omc.feature.frame import FloatArray, Frame


class Algorithm(Protocol):
    """Features in, target weights out.

    The weights of row t may depend on rows t - memory_bars + 1 to t alone, and on nothing else: the floor hands in only
    that many rows and must decide what the backtest decided, to the bit.
    """

    @property
    def memory_bars(self) -> int:
        """How many rows back a decision looks, its own row included."""
        ...

    @property
    def stop_loss(self) -> float:
        """The fraction lost since a position was opened that closes it; NaN for no stop. The kernel and the trader
        carry it out, because it depends on fills."""
        ...

    def get_params(self, deep: bool = True) -> dict[str, Any]: ...

    def set_params(self, **params: Any) -> Self: ...

    def fit(self, frame: Frame, labels: FloatArray | None = None) -> Self: ...

    def predict(self, frame: Frame) -> FloatArray:
        """(T, C) float64 weights: the fraction of equity wanted in each coin after bar t, 0 or more, each row adding
        up to at most 1. Rows without enough history, and coins without a quote, weigh 0."""
        ...


class AlgorithmStatus(StrEnum):
    DRAFT = "draft"
    VALIDATED = "validated"
    DEPLOYABLE = "deployable"
    DEPLOYED = "deployed"


@dataclass(frozen=True, slots=True)
class AlgorithmRecord:
    """An algorithm as somebody owns it."""

    id: UUID
    user_id: UUID
    name: str
    description: str | None
    algorithm_type: str
    code: str | None
    parameters: Mapping[str, Any]
    status: AlgorithmStatus
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class AlgorithmVersion:
    algorithm_id: UUID
    version: int
    code: str | None
    parameters: Mapping[str, Any]
    content_hash: str
    """SHA-256 of type, code and parameters in canonical JSON."""
    created_at: datetime


def content_hash(algorithm_type: str, code: str | None, parameters: Mapping[str, Any]) -> str:
    """What makes two versions the same: SHA-256 of type, code and parameters in canonical JSON."""
    content = {"algorithm_type": algorithm_type, "code": code, "parameters": dict(parameters)}
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


class AlgorithmStore(Protocol):
    """Durable algorithms. Everything is asked for by its owner: somebody else's is NotFound."""

    async def create(self, record: AlgorithmRecord) -> AlgorithmRecord: ...

    async def get(self, algorithm_id: UUID, user_id: UUID) -> AlgorithmRecord: ...

    async def page(
        self, user_id: UUID, offset: int, limit: int, statuses: Sequence[AlgorithmStatus] = ()
    ) -> tuple[list[AlgorithmRecord], int]: ...

    async def update(self, record: AlgorithmRecord) -> AlgorithmRecord:
        """Store an edit. A change of code or parameters makes a new version and takes the status back to draft."""
        ...

    async def delete(self, algorithm_id: UUID, user_id: UUID) -> None:
        """Conflict while a deployment of it is not stopped."""
        ...

    async def versions(self, algorithm_id: UUID, user_id: UUID) -> list[AlgorithmVersion]: ...

    async def set_status(self, algorithm_id: UUID, user_id: UUID, status: AlgorithmStatus) -> AlgorithmRecord: ...
