"""Putting an algorithm to work."""

from contextlib import suppress
from decimal import Decimal
from typing import Annotated, Literal, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AfterValidator, BaseModel, Field, StringConstraints

from omc.errors import GateNotPassed, InvalidInput, NotFound, Overtaken
from omc.risk.limits import Bounds, Limits
from omc.strategy.algorithm import AlgorithmRecord
from omc.trading.deployment import Deployment, DeploymentStatus, Mode
from omc.trading.paper.venue import LARGEST_AUD
from omc.trading.real_money import check_asked, check_confirmed
from serve_apps.asking import TriggersIn, triggers_for
from serve_apps.envelope import Page, Paging, Success
from serve_apps.floor.bounds import ALWAYS, BoundsIn
from serve_apps.floor.effects import Effects
from serve_apps.floor.execution import ExecutionIn
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.proven import FIT, check_passed
from serve_apps.floor.real_money import check_allowed, funds_of
from serve_apps.floor.runnable import runnable
from serve_apps.floor.schemas import DeploymentOut
from serve_apps.identity import Bearer
from serve_apps.once import Once, Operation
from serve_apps.patience import newest_board
from serve_apps.second_factor import Code, demand
from serve_apps.uncut import uncut
from serve_apps.wire import Body, Cash, Coins, Finite, Parameters, Time, Whole

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]*$", min_length=1, max_length=64)
]
# A deployment that says nothing may turn over what it has, and twice that when it has doubled.
_ORDER_LIMIT, _POSITION_LIMIT, _DAILY_LOSS_LIMIT = Decimal(2), Decimal(2), Decimal("0.2")
_COUNTED_AGAIN = 3
"""How often the cash of an account is counted that trades meanwhile."""


class LimitsIn(BoundsIn):
    """The largest order and position are twice `cash` where they are left out, the daily loss a fifth of it; the others
    do not bind then."""

    def limits(self, cash_aud: Decimal, most: Limits | None, *, explicit: bool = False) -> Limits:
        """With the defaults filled in, unless all must be `explicit`; nothing beyond `most`."""
        missing = [name for name in ALWAYS if getattr(self, name) is None]
        if explicit and missing:
            raise InvalidInput(f"risk_limits: real money is traded within limits that you set: {', '.join(missing)}")
        defaults = {
            "order_notional_aud": _ORDER_LIMIT * cash_aud,
            "position_notional_aud": _POSITION_LIMIT * cash_aud,
            "daily_loss_aud": _DAILY_LOSS_LIMIT * cash_aud,
        }
        chosen = {}
        for name, default in defaults.items():
            asked: Decimal | None = getattr(self, name)
            ceiling: Decimal | None = getattr(most, name) if most else None
            if asked is not None and ceiling is not None and asked > ceiling:
                raise InvalidInput(f"risk_limits.{name} is {asked:f}: at most {ceiling:f} is allowed here")
            chosen[name] = asked or (default if ceiling is None else min(default, ceiling))
        return Limits(**chosen).changed(Bounds.of({k: v for k, v in self.named().items() if k not in chosen}))


def _exact(cash: Decimal) -> Decimal:
    if cash > LARGEST_AUD:
        raise ValueError(f"must be at most {LARGEST_AUD}: beyond it the books would not be exact")
    return cash


class DeployIn(Body):
    algorithm_id: UUID
    version: Annotated[Whole, Field(ge=1)] | None = Field(None, description="Default: the algorithm's newest.")
    deployment_name: Name
    coins: Coins
    parameters: Parameters = Field({}, description="Those named here replace the algorithm's own.")
    model_id: UUID | None = Field(
        None, description="The fitted model that decides: of the same code, parameters and coins."
    )
    mode: Literal["paper", "live"]
    cash: Annotated[Cash, AfterValidator(_exact)]
    risk_limits: LimitsIn = LimitsIn()
    confirmation: str | None = Field(
        None, max_length=200, description='For live: "trade NAME with real money", with the deployment\'s name.'
    )
    rebalance_band: Annotated[Finite, Field(ge=0, lt=1)] = Field(
        0.02, description="Nothing is traded while a holding is within this fraction of equity from its target."
    )
    execution: ExecutionIn = ExecutionIn()
    triggers: TriggersIn = Field([], description="When the algorithm is asked: on every bar, without any.")


def _modes(record: AlgorithmRecord) -> list[Literal["paper", "live"]]:
    return ["paper", "live"] if record.status in FIT[Mode.LIVE] else ["paper"]


class AvailableOut(BaseModel):
    """An algorithm that passed a gate. `modes` are those that its status allows."""

    id: UUID
    name: str
    description: str | None
    algorithm_type: str
    parameters: Parameters
    status: str
    version: int
    modes: list[Literal["paper", "live"]]
    updated_at: Time

    @classmethod
    def of(cls, record: AlgorithmRecord) -> Self:
        return cls(
            id=record.id,
            name=record.name,
            description=record.description,
            algorithm_type=record.algorithm_type,
            parameters=dict(record.parameters),
            status=record.status.value,
            version=record.version,
            modes=_modes(record),
            updated_at=record.updated_at,
        )


def routes(ports: FloorPorts, effects: Effects, bearer: Bearer, once: Once) -> APIRouter:
    router = APIRouter(tags=["deployments"], route_class=once.route)
    asker = Depends(bearer)

    @router.get("/available-algorithms")
    async def available(user_id: Annotated[UUID, asker], query: Annotated[Paging, Query()]) -> Page[AvailableOut]:
        """Algorithms that may be deployed."""
        records, total = await ports.algorithms.page(user_id, query.offset, query.per_page, FIT[Mode.PAPER])
        return Page.of([AvailableOut.of(record) for record in records], total, query)

    @router.post("/deploy", status_code=201)
    async def deploy(
        user_id: Annotated[UUID, asker],
        body: DeployIn,
        operation: Annotated[Operation, Depends(once.operation)],
        code: Code = None,
    ) -> Success[DeploymentOut]:
        """Put an algorithm to work with its own cash. It is active at once: its trader starts by itself."""
        if (made := await _made(ports, operation, user_id)) is not None:
            return Success(data=DeploymentOut.of(made))
        record = await ports.algorithms.get(body.algorithm_id, user_id)
        live = Mode(body.mode) is Mode.LIVE
        _check_fit(record, body)
        await _check_coins(body.coins)
        wanted_parameters = {**record.parameters, **body.parameters}
        parameters = await runnable(
            ports, record, wanted_parameters, Mode(body.mode), coins=body.coins, model_id=body.model_id
        )
        if live:
            await check_allowed(ports, user_id, ports.venue)
            check_confirmed(body.deployment_name, body.confirmation)
            check_asked(triggers_for(body.triggers, body.coins))
        halt = await ports.flag.halted(user_id, adding=False)
        if halt is not None:
            raise halt.fault()
        wanted = Deployment(
            id=operation.id,
            user_id=user_id,
            algorithm_id=record.id,
            algorithm_version=record.version,
            algorithm_type=record.algorithm_type,
            name=body.deployment_name,
            coins=tuple(body.coins),
            parameters=parameters,
            mode=Mode(body.mode),
            venue=ports.venue,
            cash_aud=body.cash,
            limits=body.risk_limits.limits(body.cash, ports.most, explicit=live),
            rebalance_band=body.rebalance_band,
            status=DeploymentStatus.ACTIVE,
            deployed_at=ports.clock.now(),
            model=body.model_id,
            execution=body.execution.execution(),
            triggers=triggers_for(body.triggers, body.coins),
        )
        # Last of all, so that a request that is refused anyway uses no code up.
        await _check_owner(ports, wanted, code)
        return Success(data=DeploymentOut.of(await _stored(wanted)))

    async def _stored(wanted: Deployment) -> Deployment:
        for _ in range(_COUNTED_AGAIN):
            try:
                within = await funds_of(ports, wanted) if wanted.mode is Mode.LIVE else None
                return await uncut(effects.deploy(wanted, within=within))
            except Overtaken as fault:
                overtaken = fault
        raise overtaken

    async def _check_coins(coins: list[str]) -> None:
        board = await newest_board(ports.hot)
        unknown = [coin for coin in coins if board is None or coin not in board.quotes]
        if unknown:
            stored = await ports.archive.spans(unknown)
            unknown = [coin for coin in unknown if coin not in stored]
        if unknown:
            raise InvalidInput(f"coins: {ports.venue} does not quote {', '.join(unknown)}")

    return router


async def _made(ports: FloorPorts, operation: Operation, user_id: UUID) -> Deployment | None:
    """What was deployed already, by whoever died before it could answer."""
    if operation.repeated:
        with suppress(NotFound):
            return await ports.deployments.get(operation.id, user_id)
    return None


async def _check_owner(ports: FloorPorts, wanted: Deployment, code: str | None) -> None:
    if wanted.mode is Mode.LIVE:
        await demand(ports.second_factors, wanted.user_id, code)


def _check_fit(record: AlgorithmRecord, body: DeployIn) -> None:
    if body.version not in (None, record.version):
        raise GateNotPassed(
            f"version {body.version} is not the one that passed: the newest is {record.version}; restore it to use it"
        )
    check_passed(record, Mode(body.mode))
    if body.mode == "live" and body.model_id is not None:
        raise InvalidInput("what became deployable was proven without a model: live trading has none")
