"""Traders that a fitted model decides for: they trade as its backtest says, and without it not at all."""

from dataclasses import dataclass, field, replace
from functools import partial
from uuid import uuid4

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from actors.trader import TraderPorts
from omc.feature.frame import Frame
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
from omc.strategy.fitted_model import Lineage, ModelRecord, hash_of_bars, hash_of_code, hash_of_content, libraries
from omc.strategy.maker import CUSTOM, Maker
from omc.strategy.model_store import MemoryModelStore
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox
from omc.trading.deployment import Deployment
from tests.actors.mortal import START, USER, House, deployment, market
from tests.actors.test_floor import floor_trades, kernel_trades
from tests.actors.test_trader_code import paused
from tests.omc.strategy.sandbox.fitting import TREND

# On their first use libraries import what they compute with, which code behind the first wall cannot.
np.zeros(1).mean()
_X = np.random.default_rng(0).normal(size=(40, 2))
make_pipeline(StandardScaler(), LogisticRegression()).fit(_X, _X[:, 0] > 0).predict_proba(_X)

SEEN = 200
PARAMETERS = {"back": 3, "penalty": 1.0}


@dataclass
class FittedHouse(House):
    """A house whose traders find models."""

    models: MemoryModelStore = field(default_factory=MemoryModelStore)

    def trader_ports(self) -> TraderPorts:
        return replace(super().trader_ports(), models=self.models)


async def housed(frame: Frame, tape, **lineage: object) -> tuple[FittedHouse, Deployment, MemorySandbox, int]:
    """A deployment of a model that was fitted on `frame`, and that model as it was fitted."""
    house = FittedHouse(tape, lambda *_: None)
    house.maker = Maker(partial(MemorySandbox, load=load))
    ours = deployment(algorithm_type=CUSTOM, parameters=PARAMETERS, model=uuid4())
    record = AlgorithmRecord(
        ours.algorithm_id, USER, "mine", None, CUSTOM, TREND, {}, AlgorithmStatus.VALIDATED, 1, START, START
    )
    await house.algorithms.create(record)
    fitted = MemorySandbox(TREND, load)
    number = fitted.fit(PARAMETERS, frame)
    content = fitted.export(number)
    bounds = (frame.time(0), frame.time(-1))
    known = Lineage(
        hash_of_code(TREND), PARAMETERS, ours.coins, *bounds, *bounds, len(frame), hash_of_bars(frame), libraries()
    )
    model = ModelRecord(
        ours.model, USER, record.id, 1, hash_of_content(content), len(content), replace(known, **lineage), START
    )
    await house.models.keep(model, content)
    return house, ours, fitted, number


async def test_a_trader_with_a_model_trades_as_the_model_decides_at_once():
    tape, _ = market(SEEN + 150, gaps=0.0)
    frame = tape.frame.select(deployment().coins)
    house, ours, fitted, number = await housed(frame.rows(0, SEEN), tape)
    try:
        await house.play(ours)
        weights = fitted.predict(PARAMETERS, frame, number).weights
        assert floor_trades(house) == kernel_trades(tape, weights, fitted.traits(PARAMETERS).exits)
        assert len(floor_trades(house)) > 20
    finally:
        await house.close()


async def test_a_deployment_whose_model_is_not_its_own_is_paused_with_the_reason():
    tape, _ = market(12, gaps=0.0)
    frame = market(60, gaps=0.0)[0].frame.select(deployment().coins)
    for lineage, said in (
        ({"code_hash": "0" * 64}, "was fitted by other code"),
        ({"parameters": {"back": 9, "penalty": 1.0}}, "back: 9 then, 3 now"),
        ({"libraries": {"numpy": "1"}}, "fit it again"),
    ):
        house, ours, *_ = await housed(frame, tape, **lineage)
        assert said in await paused(house, ours)


async def test_a_deployment_whose_model_was_changed_where_it_is_kept_is_paused_with_the_reason():
    tape, _ = market(12, gaps=0.0)
    house, ours, *_ = await housed(market(60, gaps=0.0)[0].frame.select(deployment().coins), tape)
    record, content = house.models.kept[ours.model]
    house.models.kept[ours.model] = record, content + b" "
    assert await paused(house, ours) == f"model {ours.model} is not what was stored: its hash is another"


async def test_a_deployment_of_code_that_learns_is_paused_when_it_has_no_model():
    tape, _ = market(12, gaps=0.0)
    house, ours, *_ = await housed(market(60, gaps=0.0)[0].frame.select(deployment().coins), tape)
    assert "fit a model first" in await paused(house, replace(ours, model=None))
