"""Where fitted models are kept: the port, and its twin in memory."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from omc.access.quota import Quota, check_bytes, check_room
from omc.errors import Conflict, NotFound
from omc.strategy.fitted_model import ModelRecord, check_use, verified


class ModelStore(Protocol):
    """Durable models. Everything is asked for by its owner: somebody else's is NotFound. No content is read."""

    async def keep(
        self, record: ModelRecord, content: bytes, most: int | None = None, most_bytes: int | None = None
    ) -> ModelRecord:
        """Store it. The same content with the same lineage is stored once for an algorithm: the first record is what
        comes back. NotFound when the algorithm is gone; RateLimited when its owner has `most` others, PayloadTooLarge
        when it would have more than `most_bytes` together with them, and nothing is stored."""
        ...

    async def held_by(self, user_id: UUID) -> tuple[int, int]:
        """How many models somebody has, and their bytes."""
        ...

    async def get(self, model_id: UUID, user_id: UUID) -> ModelRecord: ...

    async def content(self, model_id: UUID, user_id: UUID) -> bytes:
        """As it was stored, for all the store knows: `verified` says whether it is."""
        ...

    async def page(self, user_id: UUID, algorithm_id: UUID, offset: int, limit: int) -> tuple[list[ModelRecord], int]:
        """Newest first, and how many there are."""
        ...

    async def delete(self, model_id: UUID, user_id: UUID) -> None:
        """Conflict while a deployment that is not stopped uses it."""
        ...


async def content_for(
    models: ModelStore,
    model_id: UUID,
    user_id: UUID,
    *,
    code: str | None,
    parameters: Mapping[str, Any],
    coins: Sequence[str],
    first_traded: datetime | None,
) -> bytes:
    """What a run by this model restores, as `check_use` allows it. Refused for content that is not what was stored."""
    record = await models.get(model_id, user_id)
    check_use(record, code=code, parameters=parameters, coins=coins, first_traded=first_traded)
    # Megabytes are hashed, and others wait for the event loop.
    return await asyncio.to_thread(verified, record, await models.content(model_id, user_id))


def no_model(model_id: UUID) -> NotFound:
    return NotFound(f"there is no model {model_id}")


IN_USE = "a deployment that uses this model is not stopped: deactivate it first"


def _never_used(_: UUID) -> bool:
    return False


@dataclass(slots=True)
class MemoryModelStore:
    """A ModelStore that lives and dies with the process. `used` says whether a deployment that is not stopped uses a
    model, `there` whether an algorithm is."""

    used: Callable[[UUID], bool] = _never_used
    there: Callable[[UUID], bool] = lambda _: True
    kept: dict[UUID, tuple[ModelRecord, bytes]] = field(default_factory=dict)

    async def keep(
        self, record: ModelRecord, content: bytes, most: int | None = None, most_bytes: int | None = None
    ) -> ModelRecord:
        if not self.there(record.algorithm_id):
            raise NotFound(f"there is no algorithm {record.algorithm_id}")
        for each, _ in self.kept.values():
            if _sameness(each) == _sameness(record):
                return each
        many, size = await self.held_by(record.user_id)
        check_room(Quota.MODELS, many, most)
        check_bytes(size, record.size_bytes, most_bytes)
        self.kept[record.id] = record, content
        return record

    async def held_by(self, user_id: UUID) -> tuple[int, int]:
        sizes = [
            each.size_bytes
            for each, _ in self.kept.values()
            if each.user_id == user_id and self.there(each.algorithm_id)
        ]
        return len(sizes), sum(sizes)

    async def get(self, model_id: UUID, user_id: UUID) -> ModelRecord:
        return self._own(model_id, user_id)[0]

    async def content(self, model_id: UUID, user_id: UUID) -> bytes:
        return self._own(model_id, user_id)[1]

    async def page(self, user_id: UUID, algorithm_id: UUID, offset: int, limit: int) -> tuple[list[ModelRecord], int]:
        owned = [
            each
            for each, _ in self.kept.values()
            if (each.user_id, each.algorithm_id) == (user_id, algorithm_id) and self.there(algorithm_id)
        ]
        owned.sort(key=lambda each: each.created_at, reverse=True)
        return owned[offset : offset + limit], len(owned)

    async def delete(self, model_id: UUID, user_id: UUID) -> None:
        self._own(model_id, user_id)
        if self.used(model_id):
            raise Conflict(IN_USE)
        del self.kept[model_id]

    def _own(self, model_id: UUID, user_id: UUID) -> tuple[ModelRecord, bytes]:
        found = self.kept.get(model_id)
        if found is None or found[0].user_id != user_id or not self.there(found[0].algorithm_id):
            raise no_model(model_id)
        return found


def _sameness(record: ModelRecord) -> tuple[UUID, str, str]:
    return record.algorithm_id, record.content_hash, record.lineage.hash
