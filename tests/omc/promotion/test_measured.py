"""Real money asks for skill: noise that looks good after enough tries is refused, a signal that is there gets in."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from omc.backtest.study import study
from omc.backtest.sweep import MemorySweepStore, Sweep
from omc.backtest.tried import Failure
from omc.clock import ManualClock
from omc.errors import InvalidInput
from omc.feature.frame import Frame
from omc.market.terms import Terms
from omc.promotion.gate import StrictStandard, Thresholds
from omc.promotion.measured import prove
from omc.promotion.promotion import Case, Promotion, judge
from omc.promotion.search import Search
from omc.promotion.trials import Tally
from omc.strategy.algorithm import AlgorithmRecord, AlgorithmStatus
from omc.strategy.registry import make
from tests.omc.promotion.searching import FREE, NOW, carried_out, hourly, sweep_of

THOUSAND = {"fast_bars": list(range(2, 42, 2)), "slow_bars": list(range(50, 300, 5))}
SIX = {"fast_bars": [2, 10], "slow_bars": [50, 100, 200]}
STATISTICS = {"track_record", "out_of_sample_sharpe", "deflated_sharpe", "pbo"}


def driftless(seed: int, hours: int = 5_000) -> Frame:
    """A random walk: there is nothing to find."""
    return hourly(np.random.default_rng(seed).normal(0, 0.004, (hours, 1)))


def trending(seed: int, hours: int = 10_000) -> Frame:
    """A walk whose drift lasts: following it earns."""
    generator = np.random.default_rng(seed)
    drift = np.zeros(hours)
    for hour, push in enumerate(generator.normal(0, 0.00008, hours - 1)):
        drift[hour + 1] = 0.995 * drift[hour] + push
    return hourly((drift + generator.normal(0, 0.002, hours))[:, None])


def record_of(sweep: Sweep) -> AlgorithmRecord:
    """The best point, validated."""
    assert sweep.best is not None
    return AlgorithmRecord(
        id=sweep.algorithm_id,
        user_id=sweep.user_id,
        name="found",
        description=None,
        algorithm_type=sweep.spec.algorithm_type,
        code=None,
        parameters=make(sweep.spec.algorithm_type, sweep.best["parameters"]).get_params(),
        status=AlgorithmStatus.VALIDATED,
        version=2,
        created_at=NOW,
        updated_at=NOW,
    )


async def searched(sweep: Sweep, frame: Frame, terms: Terms = FREE) -> tuple[Search, Tally]:
    """A sweep from its first point to the count of its tries."""
    store = MemorySweepStore(ManualClock(NOW))
    await store.create(sweep)
    search = await carried_out(sweep, frame, store, terms)
    return search, await store.tries.tally(sweep.algorithm_id)


def judged(search: Search, frame: Frame, tally: Tally, terms: Terms = FREE, **changes: object) -> Promotion:
    record = replace(record_of(search.sweep), **changes)  # type: ignore[arg-type]
    spec = replace(search.sweep.spec, parameters=record.parameters)
    proof = prove(search, spec, frame, terms, tally, confidence=0.95)
    return judge(Case(record, (), (), [], tally, proof), Thresholds(deployable=StrictStandard()))


@pytest.mark.parametrize("seed", [2, 5, 6])
async def test_noise_that_a_thousand_tries_made_look_good_is_refused_with_the_reason(seed):
    frame = driftless(seed)
    search, tally = await searched(sweep_of(frame, THOUSAND, folds=4), frame)
    promotion = judged(search, frame, tally)
    gates = {gate.name: gate for gate in promotion.gates}
    assert search.sweep.best["metrics"]["sharpe"] > 2.5
    for name in ("tested", "trades", "max_drawdown", "profit", "parity"):
        assert gates[name].passed, gates[name]
    assert (tally.tries, tally.measured) == (1_000, 1_000)
    assert not promotion.passed
    assert gates["deflated_sharpe"].figure < 0.95
    assert gates["pbo"].figure > 0.2
    assert "deflated_sharpe: Tried 1,000 times so far" in promotion.refusal


async def test_a_signal_that_is_there_passes_every_gate():
    frame = trending(1)
    search, tally = await searched(sweep_of(frame, THOUSAND, folds=4), frame)
    promotion = judged(search, frame, tally)
    assert promotion.passed, promotion.refusal
    assert {gate.name for gate in promotion.gates} >= STATISTICS
    assert all(gate.figure is not None for gate in promotion.gates)


async def test_pruning_does_not_take_tries_or_evidence_away():
    frame = trending(1, 4_000)
    search, tally = await searched(sweep_of(frame, THOUSAND, folds=4, prune=True), frame)
    gates = {gate.name: gate for gate in judged(search, frame, tally).gates}
    assert search.sweep.pruned > 500
    assert tally.tries == 1_000
    assert gates["tested"].passed
    assert all(gates[name].figure is not None for name in STATISTICS)


async def test_without_folds_nothing_is_out_of_sample():
    frame = trending(1, 2_000)
    search, tally = await searched(sweep_of(frame, SIX), frame)
    gates = {gate.name: gate for gate in judged(search, frame, tally).gates}
    assert (gates["out_of_sample_sharpe"].figure, gates["out_of_sample_sharpe"].passed) == (None, False)
    assert "run a sweep with folds" in gates["out_of_sample_sharpe"].why
    assert gates["pbo"].figure is not None


async def test_only_the_last_fold_is_out_of_sample_where_the_search_learned_from_the_others():
    frame = trending(1, 2_000)
    search, _ = await searched(sweep_of(frame, SIX, folds=4), frame)
    learned = replace(search, sweep=replace(search.sweep, method="optuna"))
    assert search.walked().folds == (1, 2, 3)
    assert learned.walked().folds == (3,)
    assert learned.walked().chosen == search.walked().chosen[-1:]


async def test_more_tries_leave_less_of_the_same_ratio():
    frame = driftless(2)
    search, tally = await searched(sweep_of(frame, SIX, folds=2), frame)

    def deflated(tries: Tally) -> float:
        return next(gate.figure for gate in judged(search, frame, tries).gates if gate.name == "deflated_sharpe")

    others = Tally.of([-2.0, 2.0] * 500, len(frame) - 1, 365 * 24)
    once, now, often = deflated(Tally.of([1.0], 500, 365)), deflated(tally), deflated(tally + others)
    assert once > now > often


@pytest.mark.parametrize("changes", [{}, {"folds": 3}, {"folds": 3, "prune": True}], ids=str)
async def test_every_try_is_counted_with_its_ratio_and_the_time_that_it_was_measured_on(changes):
    frame = trending(1, 2_000)
    search, tally = await searched(sweep_of(frame, SIX, **changes), frame)
    ratios = np.concatenate([part.column("sharpe") for part in search.tried])
    returns = np.concatenate([part.returns for part in search.tried])
    bars = np.concatenate([part.column("bars") - max(1, part.folds_seen) for part in search.tried])
    assert returns.tolist() == bars.tolist()
    exact = Tally.of(ratios, returns, 365 * 24)
    assert (tally.tries, tally.measured) == (6, exact.measured)
    assert (tally.mean_sharpe, *tally.powers) == pytest.approx((exact.mean_sharpe, *exact.powers), rel=1e-9)


async def test_parameters_that_the_search_did_not_try_are_not_proven_by_it():
    frame = trending(1, 2_000)
    search, tally = await searched(sweep_of(frame, SIX, folds=2), frame)
    other = make("moving_average_crossover", {"fast_bars": 3, "slow_bars": 50}).get_params()
    gates = {gate.name: gate for gate in judged(search, frame, tally, parameters=other).gates}
    assert not gates["tested"].passed
    assert "did not try these parameters" in gates["tested"].why


async def test_real_costs_are_the_venues():
    frame = driftless(6)
    search, tally = await searched(sweep_of(frame, THOUSAND, folds=2), frame)
    dear = Terms(market_coins=frozenset(), instant_fee_bps=100)
    profits = [
        next(gate for gate in judged(search, frame, tally, terms).gates if gate.name == "profit")
        for terms in (FREE, dear)
    ]
    assert profits[0].figure > 0 > profits[1].figure
    assert not profits[1].passed


@pytest.mark.parametrize("slippage_bps", [0.0, 25.0], ids="slippage {}".format)
async def test_profit_is_what_is_left_when_all_is_sold_at_what_a_sale_would_fetch(slippage_bps):
    """Bought at the first ask and held: the same order on the way in and out."""
    frame = hourly(np.full((400, 1), 0.001))
    terms = Terms(market_fee_bps=10)
    asked = sweep_of(frame, SIX, folds=2)
    spec = replace(asked.spec, slippage_bps=slippage_bps, rebalance_band=0.5)
    done = study(spec, frame, terms)
    (bought,) = done.fills
    price = np.round(frame.bid[-1, 0] * (1 - slippage_bps / 10_000), 8)
    sold = np.round(float(bought.quantity) * price * (1 - 0.001), 2)
    expected = (10_000 - float(bought.total_aud) + sold) / 10_000 - 1
    proof = prove(Search(asked, []), spec, frame, terms, Tally(), confidence=0.95)
    assert proof.figure("profit").value == pytest.approx(expected, abs=1.1e-6)
    assert done.simulation.equity[-1] / 10_000 - 1 > expected


async def test_what_never_trades_is_proven_nothing():
    frame = hourly(np.zeros((500, 1)))
    search, tally = await searched(sweep_of(frame, SIX, folds=2), frame)
    idle = replace(search.sweep, best={"parameters": {"fast_bars": 2, "slow_bars": 50}})
    gates = {gate.name: gate for gate in judged(replace(search, sweep=idle), frame, tally).gates}
    assert {name for name in STATISTICS if gates[name].figure is None} == STATISTICS
    assert not any(gates[name].passed for name in (*STATISTICS, "trades"))


async def test_a_window_without_prices_cannot_be_proven():
    frame = trending(1, 500)
    sweep = sweep_of(frame, SIX, folds=2)
    late = replace(sweep.spec, start=sweep.spec.end + timedelta(days=1), end=sweep.spec.end + timedelta(days=9))
    with pytest.raises(InvalidInput):
        prove(Search(sweep, []), late, frame, FREE, Tally(), confidence=0.95)


async def test_a_point_that_failed_proves_nothing():
    frame = trending(1, 500)
    search, _ = await searched(sweep_of(frame, SIX), frame)
    (part,) = search.tried
    parameters = {**search.sweep.spec.parameters, **part.parameters[0]}
    assert search.holds(parameters)
    broken = replace(search, tried=[replace(part, failures={int(part.indices[0]): Failure("it fell over")})])
    assert not broken.holds(parameters)
    assert len(broken.blocks()) == len(search.blocks()) - 1
