"""What an algorithm is: a scikit-learn estimator from prices to target weights, and where one is kept."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, Self
from uuid import UUID

from omc.access.quota import Quota, check_room
from omc.clock import Clock
from omc.errors import Conflict, NotFound
from omc.feature.frame import FloatArray, Frame
from omc.strategy.parameter import Parameter
from omc.trading.exits import Exits

if TYPE_CHECKING:
    # Records are kept by those, too, who never compute: compiled arithmetic takes seconds to load.
    from omc.feature.indicator import Indicators


class Algorithm(Protocol):
    """Features in, target weights out.

    The weights of row t may depend on rows t - memory_bars + 1 to t alone, and on nothing else: the floor hands in only
    that many rows and must decide what the backtest decided, to the bit.
    """

    @property
    def algorithm_type(self) -> str:
        """What it calls itself when it refuses something."""
        ...

    @property
    def fewest_coins(self) -> int: ...

    @property
    def most_coins(self) -> int | None:
        """None when there is no most."""
        ...

    @property
    def memory_bars(self) -> int:
        """How many rows back a decision looks, its own row included."""
        ...

    @property
    def exits(self) -> Exits:
        """What closes a position without being asked. The kernel and the trader carry it out: it depends on fills."""
        ...

    def check_coins(self, coins: Sequence[str]) -> None:
        """InvalidInput for fewer or more coins than it can decide on."""
        ...

    def parameters(self) -> dict[str, Parameter]:
        """The numbers that may be set, with their ranges, by name."""
        ...

    def check_together(self) -> None:
        """InvalidInput when its parameters, each fine by itself, contradict each other."""
        ...

    def of(self, **params: Any) -> "Algorithm":
        """The same with `params` and otherwise its defaults; it ends with the one that was asked for it."""
        ...

    def get_params(self, deep: bool = True) -> dict[str, Any]: ...

    def set_params(self, **params: Any) -> Self: ...

    def fit(self, frame: Frame, labels: FloatArray | None = None) -> Self: ...

    def predict(self, frame: Frame) -> FloatArray:
        """(T, C) float64 weights: the fraction of equity wanted in each coin after bar t, 0 or more, each row adding
        up to at most 1. Rows without enough history, and coins without a quote, weigh 0."""
        ...

    def decide(self, frame: Frame, indicators: "Indicators") -> FloatArray:
        """`predict`, with indicators of `frame.last` that other decisions on the same frame may share."""
        ...

    def close(self) -> None:
        """Leave nothing behind. Whoever made an algorithm closes it."""
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

    async def create(self, record: AlgorithmRecord, most: int | None = None) -> AlgorithmRecord:
        """Conflict when it is there already; RateLimited when its owner has `most` others, and nothing is stored."""
        ...

    async def get(self, algorithm_id: UUID, user_id: UUID) -> AlgorithmRecord: ...

    async def page(
        self, user_id: UUID, offset: int, limit: int, statuses: Sequence[AlgorithmStatus] = ()
    ) -> tuple[list[AlgorithmRecord], int]: ...

    async def update(self, record: AlgorithmRecord, seen: AlgorithmRecord | None = None) -> AlgorithmRecord:
        """Store an edit. A change of code or parameters makes a new version and takes the status back to draft. With
        `seen`, the algorithm as the edit was made of it, Conflict when it is another by now, and nothing is stored."""
        ...

    async def delete(self, algorithm_id: UUID, user_id: UUID) -> None:
        """Conflict while a deployment of it is not stopped."""
        ...

    async def versions(self, algorithm_id: UUID, user_id: UUID) -> list[AlgorithmVersion]: ...

    async def version(self, algorithm_id: UUID, user_id: UUID, number: int) -> AlgorithmVersion:
        """One of them: versions never change, so it is what a backtest or a deployment of that number runs."""
        ...

    async def set_status(
        self, algorithm_id: UUID, user_id: UUID, status: AlgorithmStatus, seen: AlgorithmRecord | None = None
    ) -> AlgorithmRecord:
        """With `seen`, the algorithm as it was judged, Conflict when it is another by now."""
        ...


def check_unchanged(stored: AlgorithmRecord, seen: AlgorithmRecord | None) -> None:
    """Conflict when an algorithm is no longer what somebody saw; whoever saw nothing takes it as it is."""
    if seen is not None and stored != seen:
        raise Conflict(f"the algorithm was edited meanwhile, and is at version {stored.version} now: ask again")


def _never_deployed(_: UUID) -> bool:
    return False


@dataclass(slots=True)
class MemoryAlgorithmStore:
    """An AlgorithmStore that lives and dies with the process; `deployed` says whether a deployment is not stopped."""

    clock: Clock
    deployed: Callable[[UUID], bool] = _never_deployed
    kept: dict[UUID, AlgorithmRecord] = field(default_factory=dict)
    _versions: dict[UUID, list[AlgorithmVersion]] = field(default_factory=dict)

    async def create(self, record: AlgorithmRecord, most: int | None = None) -> AlgorithmRecord:
        if record.id in self.kept:
            raise Conflict(f"there is an algorithm {record.id} already")
        check_room(Quota.ALGORITHMS, sum(each.user_id == record.user_id for each in self.kept.values()), most)
        self.kept[record.id] = record
        self._versions[record.id] = [self._version(record)]
        return record

    async def get(self, algorithm_id: UUID, user_id: UUID) -> AlgorithmRecord:
        found = self.kept.get(algorithm_id)
        if found is None or found.user_id != user_id:
            raise NotFound(f"there is no algorithm {algorithm_id}")
        return found

    async def page(
        self, user_id: UUID, offset: int, limit: int, statuses: Sequence[AlgorithmStatus] = ()
    ) -> tuple[list[AlgorithmRecord], int]:
        owned = [
            record
            for record in self.kept.values()
            if record.user_id == user_id and (not statuses or record.status in statuses)
        ]
        owned.sort(key=lambda record: record.created_at, reverse=True)
        return owned[offset : offset + limit], len(owned)

    async def update(self, record: AlgorithmRecord, seen: AlgorithmRecord | None = None) -> AlgorithmRecord:
        stored = await self.get(record.id, record.user_id)
        check_unchanged(stored, seen)
        changed = replace(
            record,
            version=stored.version,
            status=stored.status,
            created_at=stored.created_at,
            updated_at=self.clock.now(),
        )
        if self._version(changed).content_hash != self._versions[record.id][-1].content_hash:
            changed = replace(changed, version=stored.version + 1, status=AlgorithmStatus.DRAFT)
            self._versions[record.id].append(self._version(changed))
        self.kept[record.id] = changed
        return changed

    async def delete(self, algorithm_id: UUID, user_id: UUID) -> None:
        await self.get(algorithm_id, user_id)
        if self.deployed(algorithm_id):
            raise Conflict("a deployment of this algorithm is not stopped: deactivate it first")
        del self.kept[algorithm_id], self._versions[algorithm_id]

    async def versions(self, algorithm_id: UUID, user_id: UUID) -> list[AlgorithmVersion]:
        await self.get(algorithm_id, user_id)
        return list(self._versions[algorithm_id])

    async def version(self, algorithm_id: UUID, user_id: UUID, number: int) -> AlgorithmVersion:
        for found in await self.versions(algorithm_id, user_id):
            if found.version == number:
                return found
        raise NotFound(f"the algorithm has no version {number}")

    async def set_status(
        self, algorithm_id: UUID, user_id: UUID, status: AlgorithmStatus, seen: AlgorithmRecord | None = None
    ) -> AlgorithmRecord:
        stored = await self.get(algorithm_id, user_id)
        check_unchanged(stored, seen)
        self.kept[algorithm_id] = replace(stored, status=status, updated_at=self.clock.now())
        return self.kept[algorithm_id]

    @staticmethod
    def _version(record: AlgorithmRecord) -> AlgorithmVersion:
        return AlgorithmVersion(
            algorithm_id=record.id,
            version=record.version,
            code=record.code,
            parameters=record.parameters,
            content_hash=content_hash(record.algorithm_type, record.code, record.parameters),
            created_at=record.updated_at,
        )
