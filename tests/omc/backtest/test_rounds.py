"""Rounds follow from what was told before, whoever told it and in whatever order."""

from dataclasses import replace

import numpy as np
import pytest

from omc.backtest.metrics import METRICS
from omc.backtest.rounds import Board, Outcome, merge, rounds, survivors
from omc.backtest.search_space import SearchSpace
from omc.backtest.tried import Failure, Tried
from tests.omc.backtest.test_search_space import RANDOM, sweep

SHARPE, TRADES, FALL = (METRICS.index(name) for name in ("sharpe", "trades", "max_drawdown"))


def score(index: int, fold: int) -> float:
    """What a point shows on a fold: the higher its index the better, with luck of its own."""
    return float(np.random.default_rng([index, fold]).normal(index / 4, 1.0))


def outcome(indices: list[int], first: int, stop: int, failing: frozenset[int] = frozenset()) -> Outcome:
    figures = np.full((len(indices), stop - first, len(METRICS)), 1.0)
    for at, index in enumerate(indices):
        for fold in range(first, stop):
            figures[at, fold - first, SHARPE] = score(index, fold)
        if index in failing:
            figures[at] = np.nan
    blocks = np.ones((len(indices), 4 * (stop - first), 3))
    return Outcome(np.array(indices), first, figures, blocks, {i: Failure("no") for i in indices if i in failing})


def play(asked, board, batches, failing=frozenset()):
    """Carry a search out, each round cut and shuffled by `batches`; the rounds it had, and all that was stored."""
    had, stored = [], {}
    for found in rounds(asked, SearchSpace.of(asked), board):
        had.append((found.indices.tolist(), found.first, found.stop, found.dropped.tolist()))
        left = found.indices[board.seen[found.indices] < found.stop].tolist()
        for part in batches([index for index in left if index not in board.failures]):
            tried = board.tell(outcome(part, found.first, found.stop, failing), asked.folds)
            stored |= {point.index: point for point in tried.points()}
    return had, stored


def whole(indices):
    return [indices] if indices else []


def shuffled(indices):
    order = np.random.default_rng(3).permutation(indices).tolist()
    return [order[at : at + 7] for at in range(0, len(order), 7)]


def walk_forward(**change):
    return replace(sweep(RANDOM, method="random", points=60), **{"folds": 3, "prune": True, **change})


def test_a_third_goes_on_after_each_fold():
    asked = walk_forward()
    had, stored = play(asked, Board.of(asked, SearchSpace.of(asked)), whole)
    assert [(len(indices), first, stop, len(dropped)) for indices, first, stop, dropped in had] == [
        (60, 0, 1, 0),
        (20, 1, 2, 40),
        (7, 2, 3, 13),
    ]
    means = {index: np.mean([score(index, 0), score(index, 1)]) for index in had[1][0]}
    assert sorted(sorted(means, key=means.get)[-7:]) == had[2][0]
    for point in stored.values():
        assert point.metrics["sharpe"] == pytest.approx(np.mean(point.fold_scores))
        assert point.metrics["trades"] == len(point.fold_scores)
        assert len(point.blocks) % len(point.fold_scores) == 0


def test_neither_the_size_nor_the_order_of_batches_changes_a_bit():
    asked, failing = walk_forward(), frozenset({5, 55})
    boards = [Board.of(asked, SearchSpace.of(asked)) for _ in range(2)]
    one, other = (play(asked, board, cut, failing) for board, cut in zip(boards, (whole, shuffled), strict=True))
    assert one == other


@pytest.mark.parametrize("stored_before", [0, 1, 30, 60, 75, 87])
def test_a_search_that_goes_on_ends_like_one_that_was_never_interrupted(stored_before):
    asked = walk_forward()
    space = SearchSpace.of(asked)
    told: list[Tried] = []
    board = Board.of(asked, space)
    for found in rounds(asked, space, board):
        told += [board.tell(outcome([i], found.first, found.stop), 3) for i in found.indices.tolist()]
    kept = {int(tried.indices[0]): tried.points()[0] for tried in told[:stored_before]}
    again = Board.of(asked, space)
    depths = sorted({len(point.fold_scores) for point in kept.values()})
    again.remember([Tried.of(p for p in kept.values() if len(p.fold_scores) == depth) for depth in depths], 3)
    play(asked, again, shuffled)
    np.testing.assert_array_equal(again.figures, board.figures)
    np.testing.assert_array_equal(again.scores, board.scores)
    np.testing.assert_array_equal(again.seen, board.seen)


def test_a_point_that_failed_is_never_tried_again_nor_dropped():
    asked, failing = walk_forward(), frozenset(range(50, 60))
    board = Board.of(asked, SearchSpace.of(asked))
    had, _ = play(asked, board, whole, failing)
    assert failing.isdisjoint(had[1][0])
    assert failing.isdisjoint(had[1][3])
    assert (len(had[1][0]), board.first_failure) == (20, "no")


def test_ties_go_to_the_lowest_index_and_no_score_is_the_worst():
    indices, means = np.array([4, 7, 9, 11, 12, 15]), np.array([1.0, np.nan, 2.0, 2.0, np.nan, 2.0])
    assert survivors(indices, means).tolist() == [9, 11]
    assert survivors(indices, np.full(6, np.nan)).tolist() == []


def test_figures_of_folds_are_summed_averaged_or_the_worst():
    first, second = np.full((1, len(METRICS)), 1.0), np.full((1, len(METRICS)), 2.0)
    first[0, FALL], second[0, FALL] = -0.5, -0.25
    merged = merge(first, second, 1)[0]
    assert (merged[SHARPE], merged[TRADES], merged[FALL]) == (1.5, 3.0, -0.5)
    second[0, SHARPE] = np.nan
    assert np.isnan(merge(first, second, 1)[0, SHARPE])


@pytest.mark.parametrize(("folds", "told"), [(0, 1), (2, 1), (3, 2)])
@pytest.mark.parametrize("prune", [False, True])
def test_a_search_that_learns_is_not_told_of_the_last_fold(folds, told, prune):
    if prune and not folds:
        return
    heard = []

    class Listener:
        def ask(self, count):
            return [{"fast_bars": 3, "slow_bars": 9}] * count

        def tell(self, scores, folds):
            heard.append((scores, folds))

    asked = replace(walk_forward(folds=folds, prune=prune), method="optuna")
    space = SearchSpace.of(asked)
    board = Board.of(asked, space)
    for turn in rounds(asked, space, board, Listener()):
        board.tell(outcome(turn.indices.tolist(), turn.first, turn.stop), asked.folds)
    assert sum(len(scores) for scores, _ in heard) == 60
    for scores, of in heard:
        assert of == told
        assert max(map(len, scores)) == told
    first = heard[0][0][0]
    assert first == pytest.approx(np.cumsum([score(0, k) for k in range(len(first))]) / np.arange(1, len(first) + 1))
