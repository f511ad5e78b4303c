"""What was earned: in all, by algorithm, by deployment, by coin, by day."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from omc.errors import InvalidInput
from omc.market.money import ZERO, eight_places
from omc.portfolio.marks import last_bids
from omc.portfolio.pnl import UTC, Line, Method, ProfitAndLoss, by_coin, by_day, by_deployment, lines, summed, total
from omc.trading.deployment import Deployment, Mode
from serve_apps.envelope import Page, Paging, Success
from serve_apps.floor.marks import marks_now
from serve_apps.floor.owned import deployments_of, fills_of
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.schemas import PnLOut
from serve_apps.identity import Bearer
from serve_apps.wire import Body, Closing, Money, Opening


class Window(Body):
    """Realized and fees of the trades from `start` to just before `end`; unrealized is of what is held at the end."""

    start: Opening | None = None
    end: Closing | None = None
    deployment_id: UUID | None = None
    mode: Literal["paper", "live"] | None = None

    def check(self) -> Self:
        if self.start and self.end and self.start > self.end:
            raise InvalidInput("start lies after end")
        return self


class Earnings(Window):
    """`method` says which coins are sold: some of all at their average cost, or those that were bought first."""

    method: Literal["average", "fifo"] = "average"


class WindowPage(Window, Paging):
    pass


class EarningsPage(Earnings, Paging):
    pass


class Summary(PnLOut):
    """`deposited_aud` and `equity_aud` are of now, and null in a window."""

    deployments: int
    trades: int
    deposited_aud: Money | None
    equity_aud: Money | None


class AlgorithmPnL(PnLOut):
    algorithm_id: UUID
    deployments: list[UUID]
    trades: int


class DeploymentPnL(PnLOut):
    deployment_id: UUID
    deployment_name: str
    trades: int


class CoinPnL(PnLOut):
    coin: str
    trades: int


class DayPnL(PnLOut):
    """`day` is one of the account's time zone; without one it is what is held now."""

    day: date | None
    trades: int


def routes(ports: FloorPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(prefix="/pnl", tags=["pnl"])
    asker = Depends(bearer)

    @router.get("/summary")
    async def summary(user_id: Annotated[UUID, asker], query: Annotated[Earnings, Query()]) -> Success[Summary]:
        """Of all deployments, or of one."""
        deployments = await chosen(ports, user_id, query)
        earned = total(await _lines(ports, deployments, query))
        whole = query.start is None and query.end is None
        deposited = sum((each.cash_aud for each in deployments), ZERO)
        return Success(
            data=Summary(
                deployments=len(deployments),
                trades=earned.fills,
                deposited_aud=deposited if whole else None,
                equity_aud=deposited + earned.net_aud if whole else None,
                **PnLOut.figures(earned),
            )
        )

    @router.get("/by-algorithm")
    async def by_algorithm(
        user_id: Annotated[UUID, asker], query: Annotated[EarningsPage, Query()]
    ) -> Page[AlgorithmPnL]:
        """Algorithms that traded, each over all of its deployments."""
        deployments = await chosen(ports, user_id, query)
        algorithms = {each.id: each.algorithm_id for each in deployments}
        earned = summed(await _lines(ports, deployments, query), lambda line: algorithms[line.deployment_id])
        rows = [
            AlgorithmPnL(
                algorithm_id=algorithm,
                deployments=[deployment for deployment, its in algorithms.items() if its == algorithm],
                trades=pnl.fills,
                **PnLOut.figures(pnl),
            )
            for algorithm, pnl in earned.items()
        ]
        return Page.cut(rows, query)

    @router.get("/by-deployment")
    async def of_deployments(
        user_id: Annotated[UUID, asker], query: Annotated[EarningsPage, Query()]
    ) -> Page[DeploymentPnL]:
        """Deployments that traded, the newest first."""
        deployments = await chosen(ports, user_id, query)
        earned = by_deployment(await _lines(ports, deployments, query))
        rows = [
            DeploymentPnL(
                deployment_id=each.id,
                deployment_name=each.name,
                trades=earned[each.id].fills,
                **PnLOut.figures(earned[each.id]),
            )
            for each in deployments
            if each.id in earned
        ]
        return Page.cut(rows, query)

    @router.get("/by-day")
    async def of_days(user_id: Annotated[UUID, asker], query: Annotated[EarningsPage, Query()]) -> Page[DayPnL]:
        """Days on which something was traded, newest first, after what is held now."""
        earned = by_day(await _lines(ports, await chosen(ports, user_id, query), query))
        days = sorted(earned, key=lambda day: day or date.max, reverse=True)
        rows = [DayPnL(day=day, trades=earned[day].fills, **PnLOut.figures(earned[day])) for day in days]
        return Page.cut(rows, query)

    @router.get("/by-coin")
    async def of_coins(user_id: Annotated[UUID, asker], query: Annotated[EarningsPage, Query()]) -> Page[CoinPnL]:
        """Coins that were traded, by ticker."""
        earned = by_coin(await _lines(ports, await chosen(ports, user_id, query), query))
        rows = [CoinPnL(coin=coin, trades=pnl.fills, **PnLOut.figures(pnl)) for coin, pnl in sorted(earned.items())]
        return Page.cut(rows, query)

    return router


async def chosen(ports: FloorPorts, user_id: UUID, query: Window) -> list[Deployment]:
    """The asker's deployments that a query is about."""
    query.check()
    if query.deployment_id is not None:
        return [await ports.deployments.get(query.deployment_id, user_id)]
    owned = await deployments_of(ports.deployments, user_id)
    return [each for each in owned if query.mode is None or each.mode is Mode(query.mode)]


async def earned_by(ports: FloorPorts, deployment: Deployment) -> ProfitAndLoss:
    """By one deployment, until now."""
    return total(await _lines(ports, [deployment], Earnings()))


async def _lines(ports: FloorPorts, deployments: list[Deployment], query: Earnings) -> list[Line]:
    fills = [(each.id, fill) for each in deployments for fill in await fills_of(ports.blotter, each, query.end)]
    coins = {fill.coin for _, fill in fills}
    marks = (
        await marks_now(ports.hot, ports.archive, coins)
        if query.end is None
        else await last_bids(ports.archive, coins, query.end)
    )
    zone = (await ports.limits.limits(deployments[0].user_id)).zone_of("account") if deployments else UTC
    told = lines(fills, marks, start=query.start, end=query.end, method=Method(query.method), zone=zone)
    return _in_eight_places(told)


def _in_eight_places(told: list[Line]) -> list[Line]:
    """With what is held rounded as it is shown, so that whatever is shown adds up to the last decimal."""
    return [
        replace(line, earned=replace(line.earned, unrealized_aud=eight_places(line.earned.unrealized_aud)))
        for line in told
    ]
