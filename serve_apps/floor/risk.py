"""How near limits are, and what broke them."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from omc.market.money import ZERO
from omc.risk.kill_switch import strictest
from omc.risk.standing import Standing, day_of
from omc.risk.store import Place
from omc.trading.deployment import Deployment, Mode
from omc.trading.journal import JournalEntry
from serve_apps.envelope import Page, Paging, Success
from serve_apps.floor.emergency import HaltOut
from serve_apps.floor.marks import marks_now
from serve_apps.floor.owned import deployments_of
from serve_apps.floor.ports import FloorPorts
from serve_apps.identity import Bearer
from serve_apps.patience import newest_board
from serve_apps.wire import Metric, Money, Time

_EVENTS = ("breach", "halt", "reset", "limits")
Event = Literal["breach", "halt", "reset", "limits"]


class Losses(BaseModel):
    """`day_result_aud` is realized, unrealized and fees since the owner's day began; null before it was measured that
    day. Cash that was put in or taken out is neither earned nor lost.
    `broken_today` names the limits that were."""

    equity_aud: Money
    day_result_aud: Money | None
    highest_equity_aud: Money | None
    drawdown: Metric
    broken_today: list[str]


class DeploymentRisk(Losses):
    """`realized_today_aud` is after fees. Buying stops when the day's loss, or the drawdown, reaches its limit."""

    deployment_id: UUID
    deployment_name: str
    status: str
    halted: bool
    realized_today_aud: Money
    daily_loss_limit_aud: Money
    drawdown_limit: Metric
    largest_position_aud: Money
    position_limit_aud: Money


class AccountRisk(Losses):
    """All deployments of one mode together."""

    mode: Literal["paper", "live"]
    held_aud: Money


class RiskStatus(BaseModel):
    """`halted`, `since` and `reason` are those of what halts the whole account; `halts` are all switches on."""

    halted: bool
    since: Time | None
    reason: str | None
    halts: list[HaltOut]
    day: date
    time_zone: str
    account: list[AccountRisk]
    deployments: list[DeploymentRisk]


class RiskEvent(BaseModel):
    """A breach, once each day and limit: its level and limit, the figure and the threshold. Or a halt, a reset, a
    change of limits."""

    seq: int
    kind: Event
    deployment_id: UUID | None
    recorded_at: Time
    data: dict[str, Any]


class RiskEventQuery(Paging):
    kind: Event | None = None
    deployment_id: UUID | None = None


def routes(ports: FloorPorts, bearer: Bearer) -> APIRouter:
    router = APIRouter(tags=["risk"])
    asker = Depends(bearer)

    @router.get("/risk/status")
    async def status(user_id: Annotated[UUID, asker]) -> Success[RiskStatus]:
        """Whether anything is halted, and how much of its limits is used, by the newest quotes."""
        limits = await ports.limits.limits(user_id)
        zone = limits.zone_of("account")
        board = await newest_board(ports.hot)
        # A played tape has its own days.
        today = day_of(board.time if board else ports.clock.now(), zone)
        owned = await deployments_of(ports.deployments, user_id)
        on = [each for each in await ports.flag.on() if each.user_id in (None, user_id)]
        whole = strictest(each for each in on if each.binds(user_id, None, adding=True))
        modes = [mode for mode in Mode if any(each.mode is mode for each in owned)]
        midnight = datetime.combine(today, time(), zone)
        bound = {each.id for each in owned if any(halt.binds(user_id, each.id, adding=True) for halt in on)}
        return Success(
            data=RiskStatus(
                halted=whole is not None,
                since=whole.since if whole else None,
                reason=whole.reason if whole else None,
                halts=[HaltOut.of(each) for each in on],
                day=today,
                time_zone=limits.time_zone,
                account=[await _account(ports, Place(mode, user_id), today) for mode in modes],
                deployments=[await _deployment(ports, each, midnight, halted=each.id in bound) for each in owned],
            )
        )

    @router.get("/risk/events")
    async def events(user_id: Annotated[UUID, asker], query: Annotated[RiskEventQuery, Query()]) -> Page[RiskEvent]:
        """Limits that were broken, halts, resets and changes of limits, newest first."""
        if query.deployment_id is not None:
            await ports.deployments.get(query.deployment_id, user_id)
        kinds = (query.kind,) if query.kind else _EVENTS
        found, total = await ports.blotter.journal(user_id, query.deployment_id, kinds, query.offset, query.per_page)
        return Page.of([_event(each) for each in found], total, query)

    return router


async def _account(ports: FloorPorts, place: Place, today: date) -> AccountRisk:
    holdings = await ports.limits.holdings(place)
    marks = await marks_now(ports.hot, ports.archive, list(holdings.coins))
    lost = _lost(await _standing(ports, place), holdings.equity_aud(marks), holdings.capital_aud, today)
    return AccountRisk(mode=place.mode.value, held_aud=holdings.worth_aud(marks), **lost)


async def _deployment(ports: FloorPorts, deployment: Deployment, midnight: datetime, *, halted: bool) -> DeploymentRisk:
    account, limits = await ports.blotter.account(deployment.id), deployment.limits
    held = {coin: position for coin, position in account.positions.items() if position.quantity}
    marks = await marks_now(ports.hot, ports.archive, held)
    standing = await _standing(ports, Place.all_of(deployment)[0])
    worth: list[Decimal] = [
        position.quantity * marks[coin] if coin in marks else position.cost_aud for coin, position in held.items()
    ]
    return DeploymentRisk(
        deployment_id=deployment.id,
        deployment_name=deployment.name,
        status=deployment.status.value,
        halted=halted,
        realized_today_aud=await ports.blotter.realized_since(deployment.id, midnight),
        daily_loss_limit_aud=limits.daily_loss_aud,
        drawdown_limit=float(limits.drawdown) if limits.drawdown is not None else None,
        largest_position_aud=max(worth, default=ZERO),
        position_limit_aud=limits.position_notional_aud,
        **_lost(standing, account.equity_aud(marks), account.deposited_aud, midnight.date()),
    )


async def _standing(ports: FloorPorts, place: Place) -> Standing | None:
    return (await ports.limits.standings([place])).get(place)


def _lost(stored: Standing | None, equity_aud: Decimal, capital_aud: Decimal, today: date) -> dict[str, Any]:
    now = stored.at(today, equity_aud, capital_aud) if stored else None
    measured = stored is not None and stored.day == today
    return {
        "equity_aud": equity_aud,
        "day_result_aud": now.day_result_aud(equity_aud) if now and measured else None,
        "highest_equity_aud": now.peak_aud if now else None,
        "drawdown": float(now.drawdown(equity_aud)) if now else None,
        "broken_today": sorted(now.told) if now and measured else [],
    }


def _event(entry: JournalEntry) -> RiskEvent:
    kind: Any = entry.kind
    data = {name: str(value) if isinstance(value, datetime | Decimal) else value for name, value in entry.data.items()}
    return RiskEvent(
        seq=entry.seq, kind=kind, deployment_id=entry.deployment_id, recorded_at=entry.recorded_at, data=data
    )
