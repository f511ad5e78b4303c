"""Whether an algorithm would run on the floor, found out before anything is deployed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from omc.errors import Conflict
from omc.strategy.algorithm import Algorithm, AlgorithmRecord
from omc.strategy.decider import kept_bars
from omc.strategy.maker import Maker
from omc.strategy.model_store import content_for, no_model
from omc.trading.deployed_code import unconfined
from omc.trading.deployment import Mode
from serve_apps.floor.paid import paid
from serve_apps.floor.ports import FloorPorts
from serve_apps.floor.proven import check_proven
from serve_apps.making import asked, whole_parameters


async def runnable(
    ports: FloorPorts,
    record: AlgorithmRecord,
    parameters: Mapping[str, Any],
    mode: Mode,
    *,
    coins: Sequence[str],
    model_id: UUID | None,
    running: Mapping[str, Any] | None = None,
) -> Mapping[str, Any]:
    """The parameters that its trader is to be given; `running` are those that it trades by already. Otherwise what
    `check_runs`, `check_proven` (of real money), `check_exits`, `check_model` and `paid` refuse."""

    async def look(maker: Maker) -> Mapping[str, Any]:
        looking = replace(ports, maker=maker)
        await check_runs(looking, record, parameters, mode, coins)
        if mode is Mode.LIVE:
            await check_proven(maker, record, parameters)
        if running is not None:
            await check_exits(maker, record, running, parameters)
        return parameters if model_id is None else await check_model(looking, record, parameters, coins, model_id)

    return await paid(ports, record.user_id, record.algorithm_type, look)


async def check_runs(
    ports: FloorPorts, record: AlgorithmRecord, parameters: Mapping[str, Any], mode: Mode, coins: Sequence[str]
) -> None:
    """InvalidInput, or a fault of `Sandbox`, for what its trader would find out: that it cannot be made, does not take
    these coins, or looks back too far on as many. Conflict where it may not trade in this mode."""

    def look(algorithm: Algorithm) -> None:
        algorithm.check_coins(coins)
        algorithm.check_together()
        kept_bars(algorithm, len(coins))

    refusal = unconfined(mode, record.code, ports.maker)
    if refusal is not None:
        raise Conflict(refusal)
    await asked(ports.maker.of(record.code), record.algorithm_type, parameters, look)


async def check_exits(
    maker: Maker, record: AlgorithmRecord, running: Mapping[str, Any], parameters: Mapping[str, Any]
) -> None:
    """Conflict where what is held would be closed otherwise from one bar to the next. A stop that trails has come as
    far as the old rules took it, and no backtest could say where the new ones find it."""
    make = maker.of(record.code)
    # By their text: what is not set is NaN, which is equal to nothing.
    before, after = [
        await asked(make, record.algorithm_type, each, lambda algorithm: repr(algorithm.exits))
        for each in (running, parameters)
    ]
    if before != after:
        named = ", ".join(sorted(name for name in parameters if parameters[name] != running.get(name)))
        raise Conflict(
            f"{named}: stops, targets and ages by which positions are closed stay what they were deployed with: "
            f"deploy it anew to have others"
        )


async def check_model(
    ports: FloorPorts, record: AlgorithmRecord, parameters: Mapping[str, Any], coins: Sequence[str], model_id: UUID
) -> dict[str, Any]:
    """All parameters. InvalidInput for a model that was fitted for something else, NotFound for one of another
    algorithm."""
    whole = await whole_parameters(ports.maker.of(record.code), record.algorithm_type, parameters)
    if (await ports.models.get(model_id, record.user_id)).algorithm_id != record.id:
        raise no_model(model_id)
    content = await content_for(
        ports.models,
        model_id,
        record.user_id,
        code=record.code,
        parameters=whole,
        coins=coins,
        first_traded=None,
    )
    # What cannot be restored is better known now than to the trader.
    await asked(ports.maker.of(record.code, content), record.algorithm_type, whole, lambda _: None)
    return whole
