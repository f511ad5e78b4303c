"""Quotas: what a user has used of each, and what is said when one is used up."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from omc.access.quota import Quota, next_day
from omc.errors import RateLimited
from serve_apps.envelope import Success
from serve_apps.identity import Bearer
from serve_apps.lab.ports import LabPorts
from serve_apps.problem import Detailed
from serve_apps.wire import Time

# Seconds after which asking again may be worth it: an algorithm is deleted by hand, a sweep takes its time.
_RETRY_AFTER_S = {Quota.ALGORITHMS: 60, Quota.BACKTESTS: 5, Quota.SWEEPS: 15, Quota.MODELS: 60}


class QuotaOut(BaseModel):
    """`used` is null where each thing has its own share; `starts_anew_at` is null where nothing is counted by day."""

    limit: int | float
    used: int | float | None
    starts_anew_at: Time | None


class QuotasOut(BaseModel):
    """`code_bytes` is of one algorithm, in UTF-8; `backtests` and `sweeps` are those that are queued or running;
    `model_bytes` are of all stored models together; `cpu_s` are seconds of processor time that backtests, sweeps, fits,
    validation and promotion take in a day, and what code is asked on the floor but for its trading."""

    algorithms: QuotaOut
    code_bytes: QuotaOut
    backtests: QuotaOut
    sweeps: QuotaOut
    models: QuotaOut
    model_bytes: QuotaOut
    cpu_s: QuotaOut


def routes(ports: LabPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["quotas"])
    asker = Depends(bearer)

    @router.get("/quota")
    async def quota(user_id: Annotated[UUID, asker]) -> Success[QuotasOut]:
        """What the caller may have and use, and how much of it is used. Over it, requests answer 429."""
        now, allowed = ports.clock.now(), ports.allowance
        _, algorithms = await ports.algorithms.page(user_id, 0, 1)
        models, model_bytes = await ports.models.held_by(user_id)
        used_s = await ports.usage.used(user_id, now.date())
        shown = QuotasOut(
            algorithms=QuotaOut(limit=allowed.algorithms, used=algorithms, starts_anew_at=None),
            code_bytes=QuotaOut(limit=allowed.code_bytes, used=None, starts_anew_at=None),
            backtests=_under_way(allowed.backtests, await ports.backtests.under_way(user_id)),
            sweeps=_under_way(allowed.sweeps, await ports.sweeps.under_way(user_id)),
            models=QuotaOut(limit=allowed.models, used=models, starts_anew_at=None),
            model_bytes=QuotaOut(limit=allowed.model_bytes, used=model_bytes, starts_anew_at=None),
            cpu_s=QuotaOut(limit=allowed.cpu_s, used=round(used_s, 3), starts_anew_at=next_day(now)),
        )
        return Success(data=shown)

    return router


@contextmanager
def counted(quota: Quota, limit: int) -> Iterator[None]:
    """Around what asks a store for room: its refusal says which quota it was, and when to ask again."""
    try:
        yield
    except RateLimited as refusal:
        details = {"quota": quota.value, "limit": limit}
        raise Detailed(refusal, details, retry_after_s=_RETRY_AFTER_S[quota]) from None


def _under_way(limit: int, used: int) -> QuotaOut:
    return QuotaOut(limit=limit, used=used, starts_anew_at=None)
