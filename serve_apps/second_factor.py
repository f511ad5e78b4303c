"""A code of the second factor, asked for by what moves real money or opens a way to it."""

from typing import Annotated
from uuid import UUID

from fastapi import Header

from omc.access.second_factors import SecondFactors
from omc.errors import SecondFactorNeeded, SecondFactorWrong
from serve_apps.problem import Detailed
from serve_apps.uncut import uncut

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
        await uncut(factors.demand(user_id, code))
    except SecondFactorNeeded as fault:
        raise Detailed(fault, {"second_factor": "required"}) from None
    except SecondFactorWrong as fault:
        raise Detailed(fault, {"second_factor": "wrong"}) from None
