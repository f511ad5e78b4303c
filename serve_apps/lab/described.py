"""What an algorithm says of itself: of people's own code nobody knows it until it is asked."""

from collections.abc import Awaitable
from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from omc.strategy.algorithm import Algorithm
from omc.strategy.maker import Maker
from serve_apps.envelope import Success
from serve_apps.identity import Bearer
from serve_apps.lab.ports import LabPorts
from serve_apps.making import asked
from serve_apps.metering import metered


class ParameterOut(BaseModel):
    """A number whose range is declared. `search` is where a sweep looks unless told otherwise; empty where it leaves
    the parameter alone."""

    low: float
    high: float
    integer: bool
    about: str
    search: dict[str, Any]


class Described(BaseModel):
    """`parameters` are those that are set, defaults included; `ranges` are of the numbers among them that declare one.
    `most_coins` is null where there is no most, and `memory_bars` is how many bars a decision looks back."""

    algorithm_type: str
    parameters: dict[str, Any]
    ranges: dict[str, ParameterOut]
    fewest_coins: int
    most_coins: int | None
    memory_bars: int

    @classmethod
    def of(cls, algorithm: Algorithm) -> Self:
        return cls(
            algorithm_type=algorithm.algorithm_type,
            parameters=algorithm.get_params(),
            ranges={
                name: ParameterOut(
                    low=each.low, high=each.high, integer=each.integer, about=each.about, search=dict(each.search)
                )
                for name, each in algorithm.parameters().items()
            },
            fewest_coins=algorithm.fewest_coins,
            most_coins=algorithm.most_coins,
            memory_bars=algorithm.memory_bars,
        )


def routes(ports: LabPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["algorithms"])
    asker = Depends(bearer)

    @router.get("/algorithms/{algorithm_id}/description")
    async def description(user_id: Annotated[UUID, asker], algorithm_id: UUID) -> Success[Described]:
        """Its parameters with their ranges, and the space that a sweep of it would search."""
        record = await ports.algorithms.get(algorithm_id, user_id)

        def described(maker: Maker) -> Awaitable[Described]:
            return asked(maker.of(record.code), record.algorithm_type, record.parameters, Described.of)

        if record.code is None:
            return Success(data=await described(ports.maker))
        return Success(data=await metered(ports, user_id, lambda meter: described(meter.maker)))

    return router
