"""Whether what a sweep has shown of its folds is what its points decide when they know no more than they should.

Out of sample and overfitting are judged by what points did on their folds, and there each was handed a whole fold at
once, future and all. So those that speak for an algorithm, which are the candidate on every fold and on each fold the
point that was chosen for it, are made to decide there again: at once, which must come to what is stored, and in pieces,
which must decide the same.
"""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

import numpy as np

from omc.backtest.ground import Ground
from omc.backtest.kernel import simulate
from omc.backtest.market import Market
from omc.backtest.metrics import bounds, figures_and_moments
from omc.backtest.rounds import blocks_per_fold
from omc.backtest.search_space import SearchSpace
from omc.feature.frame import FloatArray, Frame
from omc.market.terms import Terms
from omc.promotion.gate import Figure
from omc.promotion.pieces import decided_in_pieces
from omc.promotion.search import Search
from omc.strategy.algorithm import Algorithm
from omc.strategy.maker import Make

# Another machine may round a sum otherwise.
_SAME = 1e-9


def folds_in_pieces(
    search: Search, candidate: int | None, frame: Frame, terms: Terms, make: Make, *, seed: int
) -> Figure:
    """How many decisions are others in pieces, on the first stretch where any is; one where a stretch comes to another
    result than is stored. `candidate` is a row of `search.by_fold`, and `frame` holds the sweep's window and the rows
    that warm any of its points up."""
    sweep = search.sweep
    ground = Ground.of(sweep.spec, frame, terms)
    tests, needed_bars = sweep.tests(len(ground.window)), SearchSpace.of(sweep, make).needed_bars
    parameters, (_, moments) = search.parameters(), search.by_fold()
    tried = 0
    for row, fold in sorted(set(_speaking(search, candidate, moments))):
        first, stop = (ground.first + each for each in tests[fold])
        stretch = ground.frame.rows(max(0, first - needed_bars), stop)
        anew = partial(make, sweep.spec.algorithm_type, parameters[row])
        named = f"fold {fold + 1}, decided with {parameters[row]}"
        with closing(anew()) as algorithm:
            again = _moments(algorithm, ground, stretch, stop - first, sweep.folds)
        if not np.allclose(again, moments[row, fold], rtol=_SAME, atol=0.0):
            return Figure(1.0, f"{named}, comes to another result than the sweep's: it is not the same each time")
        found = decided_in_pieces(anew, stretch, seed=seed + tried)
        if found.known != 0.0:
            return Figure(found.known, f"{named}: {found.said}")
        tried += 1
    return Figure(0.0, f"{tried} folds that were chosen by are decided the same in pieces, and come to what is stored")


def _speaking(search: Search, candidate: int | None, moments: FloatArray) -> Iterator[tuple[int, int]]:
    walked = search.walked()
    if walked is not None:
        yield from zip(walked.chosen, walked.folds, strict=True)
    if candidate is not None:
        yield from ((candidate, fold) for fold in range(search.sweep.folds) if moments[candidate, fold, 0] > 0)


def _moments(algorithm: Algorithm, ground: Ground, stretch: Frame, rows: int, folds: int) -> FloatArray:
    """(3,) of the returns of the last `rows` of a stretch, as a sweep's worker has them."""
    window = stretch.rows(len(stretch) - rows, len(stretch))
    simulation = simulate(
        Market.quoted(window),
        algorithm.predict(stretch)[len(stretch) - rows :],
        ground.costs,
        cash_aud=ground.cash_aud,
        exits=algorithm.exits,
    )
    edges = bounds(len(window), blocks_per_fold(folds))
    moments: FloatArray = figures_and_moments(simulation, ground.costs, ground.bar_s, edges)[1].sum(axis=0)
    return moments
