"""Runs that a fitted model decides: which model may, and how what it has learned comes to the sandbox."""

from dataclasses import replace
from uuid import UUID

from omc.backtest.run import BacktestSpec
from omc.strategy.algorithm import AlgorithmRecord
from omc.strategy.fitted_model import check_use
from omc.strategy.maker import Make, Maker
from omc.strategy.model_store import ModelStore, content_for, no_model
from serve_apps.making import whole_parameters


async def with_model(models: ModelStore, record: AlgorithmRecord, spec: BacktestSpec, model_id: UUID) -> BacktestSpec:
    """`spec`, for this model to decide in. InvalidInput where it may not: `check_use` says when."""
    model = await models.get(model_id, record.user_id)
    if model.algorithm_id != record.id:
        raise no_model(model_id)
    check_use(model, code=record.code, parameters=spec.parameters, coins=spec.coins, first_traded=spec.start)
    return replace(spec, model=model_id)


async def make_for(models: ModelStore, maker: Maker, user_id: UUID, code: str | None, spec: BacktestSpec) -> Make:
    """How the algorithm of a run is made, fitted where the run has a model. InvalidInput for one that may not decide in
    it, NotFound for one that was deleted since, Refused for content that is not what was stored."""
    if spec.model is None:
        return maker.of(code)
    content = await content_for(
        models,
        spec.model,
        user_id,
        code=code,
        parameters=spec.parameters,
        coins=spec.coins,
        first_traded=spec.start,
    )
    return maker.of(code, content)


async def fitted_maker(models: ModelStore, maker: Maker, record: AlgorithmRecord, model_id: UUID | None) -> Maker:
    """`maker`, whose algorithms have learned what this model has, if any is named. InvalidInput for a model of other
    code or parameters than the record's."""
    if model_id is None:
        return maker
    model = await models.get(model_id, record.user_id)
    if model.algorithm_id != record.id:
        raise no_model(model_id)
    content = await content_for(
        models,
        model_id,
        record.user_id,
        code=record.code,
        parameters=await whole_parameters(maker.of(record.code), record.algorithm_type, record.parameters),
        coins=model.lineage.coins,
        first_traded=None,
    )
    return replace(maker, model=content)
