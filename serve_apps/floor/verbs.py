"""What people ask a trading bot: open trades, profit, which coins did well, and what each day brought.

Words and definitions are freqtrade's; a trade of its is a round trip of ours, from the first coin bought until none is
held. Profits are after all fees, that of selling what is held among them.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from omc.market.money import ZERO, eight_places
from omc.market.terms import BPS, Terms
from omc.portfolio.profit import Period, Profit, by_period, performance
from omc.portfolio.round_trips import RoundTrip, round_trips
from omc.strategy.maker import CUSTOM
from omc.strategy.registry import make
from omc.trading.blotter import TraderMemory
from omc.trading.deployment import Deployment
from serve_apps.envelope import Page, Paging, Success
from serve_apps.floor.marks import marks_now
from serve_apps.floor.owned import fills_of
from serve_apps.floor.pnl import Window, chosen
from serve_apps.floor.ports import FloorPorts
from serve_apps.identity import Bearer
from serve_apps.patience import newest_board
from serve_apps.wire import Body, Metric, Money, Time


class Whose(Body):
    deployment_id: UUID | None = None
    mode: Literal["paper", "live"] | None = None

    def window(self) -> Window:
        return Window(deployment_id=self.deployment_id, mode=self.mode)


class WhosePage(Whose, Paging):
    pass


class Periods(Whose):
    timescale: int = Field(7, ge=1, le=1000, description="How many, the newest first.")


class OpenTrade(BaseModel):
    """A coin that a deployment holds. `average_price_aud` is without fees, profits are after them, that of selling
    now among them. `stop_distance` is how far the bid may fall until a stop sells, as a fraction of it; null where none
    is known: only code itself knows the fixed stop that it asks for."""

    deployment_id: UUID
    deployment_name: str
    coin: str
    quantity: Money
    average_price_aud: Money
    current_price_aud: Money | None
    paid_aud: Money
    got_aud: Money
    profit_aud: Money | None
    profit_ratio: Metric
    opened_at: Time
    age_s: float
    stop_aud: Money | None
    stop_distance: Metric


class ProfitOut(BaseModel):
    """Of trades closed, and of all, those open at what selling would bring now. `_ratio` is of the cash put in, `_mean`
    the mean of each trade's own. A trade that earned nothing counts as won. The drawdown is of closed trades."""

    profit_closed_aud: Money
    profit_closed_ratio: Metric
    profit_closed_ratio_mean: Metric
    profit_all_aud: Money
    profit_all_ratio: Metric
    profit_all_ratio_mean: Metric
    capital_aud: Money
    trade_count: int
    closed_trade_count: int
    winning_trades: int
    losing_trades: int
    winrate: Metric
    profit_factor: Metric
    expectancy_aud: Money
    best_coin: str | None
    best_coin_profit_ratio: Metric
    max_drawdown: Metric
    max_drawdown_aud: Money
    trading_volume_aud: Money
    first_trade_at: Time | None
    latest_trade_at: Time | None
    avg_duration_s: Metric

    @classmethod
    def of(cls, profit: Profit) -> "ProfitOut":
        traded = profit.trades > 0
        return cls(
            profit_closed_aud=profit.closed_aud,
            profit_closed_ratio=profit.of_capital(profit.closed_aud),
            profit_closed_ratio_mean=profit.closed_mean,
            profit_all_aud=profit.all_aud,
            profit_all_ratio=profit.of_capital(profit.all_aud),
            profit_all_ratio_mean=profit.all_mean,
            capital_aud=profit.capital_aud,
            trade_count=profit.trades,
            closed_trade_count=profit.closed_trades,
            winning_trades=profit.winning,
            losing_trades=profit.losing,
            winrate=profit.win_rate,
            profit_factor=profit.profit_factor,
            expectancy_aud=profit.expectancy_aud,
            best_coin=profit.best_coin,
            best_coin_profit_ratio=profit.best_coin_gain if profit.best_coin else None,
            max_drawdown=profit.drawdown.fraction if traded else None,
            max_drawdown_aud=profit.drawdown.aud,
            trading_volume_aud=profit.volume_aud,
            first_trade_at=profit.first_opened,
            latest_trade_at=profit.latest_opened,
            avg_duration_s=None if profit.average_duration is None else profit.average_duration.total_seconds(),
        )


class CoinPerformance(BaseModel):
    """Of closed trades; `profit_ratio` is of all that was paid for the coin."""

    coin: str
    profit_aud: Money
    profit_ratio: Metric
    trade_count: int


class PeriodOut(BaseModel):
    """Of trades closed from `date` on; `starting_balance_aud` is the cash put in with all earlier profits."""

    date: date
    profit_aud: Money
    starting_balance_aud: Money
    profit_ratio: Metric
    trade_count: int


@dataclass(frozen=True, slots=True)
class Traded:
    """What some deployments have traded, and what selling what they hold would bring."""

    deployments: Mapping[UUID, Deployment]
    trips: list[RoundTrip]
    marks: Mapping[str, Decimal]
    terms: Terms

    @property
    def capital_aud(self) -> Decimal:
        return sum((each.cash_aud for each in self.deployments.values()), ZERO)

    def worth(self, trip: RoundTrip) -> Decimal:
        """After the fee of the sale; what its coins were paid for, where there is no bid."""
        mark = self.marks.get(trip.coin)
        if mark is None:
            return eight_places(trip.paid_aud * trip.held / trip.bought)
        return eight_places(trip.held * mark * (BPS - self.terms.fee_bps(trip.coin)) / BPS)


def routes(ports: FloorPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["verbs"])
    asker = Depends(bearer)

    @router.get("/status")
    async def status(user_id: Annotated[UUID, asker], query: Annotated[WhosePage, Query()]) -> Page[OpenTrade]:
        """What is held, deployment by deployment, oldest first."""
        traded = await _traded(user_id, query)
        held = [trip for trip in traded.trips if trip.closed_at is None]
        shown = held[query.offset : query.offset + query.per_page]
        board = await newest_board(ports.hot)
        now = board.time if board else ports.clock.now()
        memories = {owner: await ports.blotter.recall(owner) for owner in {trip.deployment_id for trip in shown}}
        rows = [await _open(traded, trip, memories[trip.deployment_id], now) for trip in shown]
        return Page.of(rows, len(held), query)

    @router.get("/profit")
    async def profit(user_id: Annotated[UUID, asker], query: Annotated[Whose, Query()]) -> Success[ProfitOut]:
        """All trades together."""
        traded = await _traded(user_id, query)
        return Success(data=ProfitOut.of(Profit.of(traded.trips, traded.worth, traded.capital_aud)))

    @router.get("/performance")
    async def performance_of_coins(
        user_id: Annotated[UUID, asker], query: Annotated[WhosePage, Query()]
    ) -> Page[CoinPerformance]:
        """Closed trades by coin, the most profitable first."""
        rows = [
            CoinPerformance(coin=row.coin, profit_aud=row.profit_aud, profit_ratio=row.gain, trade_count=row.trades)
            for row in performance((await _traded(user_id, query)).trips)
        ]
        return Page.cut(rows, query)

    @router.get("/daily")
    async def daily(user_id: Annotated[UUID, asker], query: Annotated[Periods, Query()]) -> Success[list[PeriodOut]]:
        """Profit by day of the account's time zone."""
        return await _by(user_id, query, Period.DAY)

    @router.get("/weekly")
    async def weekly(user_id: Annotated[UUID, asker], query: Annotated[Periods, Query()]) -> Success[list[PeriodOut]]:
        """Profit by week, from Monday."""
        return await _by(user_id, query, Period.WEEK)

    @router.get("/monthly")
    async def monthly(user_id: Annotated[UUID, asker], query: Annotated[Periods, Query()]) -> Success[list[PeriodOut]]:
        """Profit by month."""
        return await _by(user_id, query, Period.MONTH)

    async def _traded(user_id: UUID, query: Whose) -> Traded:
        deployments = {each.id: each for each in await chosen(ports, user_id, query.window())}
        fills = [(each.id, fill) for each in deployments.values() for fill in await fills_of(ports.blotter, each)]
        trips = await asyncio.to_thread(round_trips, fills)
        held = {trip.coin for trip in trips if trip.closed_at is None}
        marks = await marks_now(ports.hot, ports.archive, held)
        return Traded(deployments, trips, marks, ports.terms)

    async def _open(traded: Traded, trip: RoundTrip, memory: TraderMemory, now: datetime) -> OpenTrade:
        deployment, mark = traded.deployments[trip.deployment_id], traded.marks.get(trip.coin)
        position = (await ports.blotter.account(trip.deployment_id)).position(trip.coin)
        stop = _stop(deployment, memory, trip.coin, position.opening_price_aud)
        worth = None if mark is None else traded.worth(trip)
        return OpenTrade(
            deployment_id=deployment.id,
            deployment_name=deployment.name,
            coin=trip.coin,
            quantity=trip.held,
            average_price_aud=position.average_price_aud,
            current_price_aud=mark,
            paid_aud=trip.paid_aud,
            got_aud=trip.got_aud,
            profit_aud=None if worth is None else trip.profit_aud(worth),
            profit_ratio=None if worth is None else trip.gain(worth),
            opened_at=trip.opened_at,
            age_s=max(0.0, (now - trip.opened_at).total_seconds()),
            stop_aud=stop,
            stop_distance=float((mark - stop) / mark) if stop is not None and mark else None,
        )

    async def _by(user_id: UUID, query: Periods, period: Period) -> Success[list[PeriodOut]]:
        traded, zone = await _traded(user_id, query), await _zone(user_id)
        board = await newest_board(ports.hot)
        today = (board.time if board else ports.clock.now()).astimezone(zone).date()
        rows = by_period(traded.trips, period, today, query.timescale, capital_aud=traded.capital_aud, zone=zone)
        return Success(
            data=[
                PeriodOut(
                    date=row.first,
                    profit_aud=row.profit_aud,
                    starting_balance_aud=row.balance_aud,
                    profit_ratio=row.gain,
                    trade_count=row.trades,
                )
                for row in rows
            ]
        )

    async def _zone(user_id: UUID) -> ZoneInfo:
        return (await ports.limits.limits(user_id)).zone_of("account")

    return router


def _stop(deployment: Deployment, memory: TraderMemory, coin: str, opened_aud: Decimal | None) -> Decimal | None:
    """Where the nearest stop of a coin stands, as far as it is known without asking anybody's code."""
    at = deployment.coins.index(coin) if coin in deployment.coins else None
    levels: list[Decimal] = []
    trail = memory.trails[at] if memory.trails and at is not None else None
    if trail is not None:
        levels.append(eight_places(Decimal(trail)))
    if deployment.algorithm_type != CUSTOM and opened_aud is not None:
        loss = make(deployment.algorithm_type, deployment.parameters).exits.stop_loss
        levels += [eight_places(opened_aud * (1 - Decimal(loss)))] if loss < 1.0 else []
    return max(levels, default=None)
