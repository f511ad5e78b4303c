"""A code of the second factor, asked for by what moves real money or opens a way to it."""

from collections.abc import Coroutine
from math import ceil
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import Header

from omc.access.second_factors import SecondFactors
from omc.errors import RateLimited, SecondFactorNeeded, SecondFactorWrong
from serve_apps.problem import Detailed
from serve_apps.uncut import uncut

T = TypeVar("T")
Code = Annotated[
    str | None,
    Header(
        alias="X-Second-Factor",
        pattern=r"^[0-9]{6}$",
        description="Six digits, where the account has a second factor: each code is taken once. FORBIDDEN with "
        '`details` of `{"second_factor": "required"}` asks for one, with `wrong` for another.',
    ),
]


async def demand(factors: SecondFactors, user_id: UUID, code: str | None) -> None:
    """Return when the account has no second factor, or the code is right and was never taken."""
    try:
        await listened(factors, user_id, factors.demand(user_id, code))
    except SecondFactorNeeded as fault:
        raise Detailed(fault, {"second_factor": "required"}) from None
    except SecondFactorWrong as fault:
        raise Detailed(fault, {"second_factor": "wrong"}) from None


async def listened(factors: SecondFactors, user_id: UUID, work: Coroutine[Any, Any, T]) -> T:
    """What `work` with a code comes to; after too many wrong ones, for how long nobody is listened to."""
    try:
        return await uncut(work)
    except RateLimited as fault:
        left_s = max(1, ceil((await factors.closed_for(user_id)).total_seconds()))
        raise Detailed(fault, {"retry_after_s": left_s}, retry_after_s=left_s) from None
