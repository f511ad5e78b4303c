"""The best of many tries, on time that it was not chosen by."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from omc.backtest.cscv import MOST_POINTS, cross_validate
from omc.backtest.overfitting import probability_of_overfitting


def moments_of(returns: np.ndarray) -> np.ndarray:
    """(N, B, 3) of (N, B, R) returns."""
    counts = np.full(returns.shape[:2], float(returns.shape[2]))
    return np.stack([counts, returns.sum(axis=2), (returns**2).sum(axis=2)], axis=2)


def noise(points: int, blocks: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.01, (points, blocks, 50))


def test_it_is_what_the_definition_says():
    """Bailey, Borwein, López de Prado and Zhu 2017, section 3, written out."""
    returns = noise(7, 6)
    logits, ours, theirs = [], [], []
    for taken in combinations(range(6), 3):
        rest = [b for b in range(6) if b not in taken]
        inside, outside = (
            (part.mean(axis=1) / part.std(axis=1, ddof=1))
            for part in (returns[:, taken].reshape(7, -1), returns[:, rest].reshape(7, -1))
        )
        best = int(inside.argmax())
        place = (outside < outside[best]).sum() + 1
        logits.append(np.log(place / 8 / (1 - place / 8)))
        ours.append(inside[best])
        theirs.append(outside[best])
    found = cross_validate(moments_of(returns))
    assert found.logits.tolist() == pytest.approx(logits)
    assert found.in_sample.tolist() == pytest.approx(ours)
    assert found.out_of_sample.tolist() == pytest.approx(theirs)
    assert found.probability == (np.array(logits) <= 0).mean()
    assert found.probability_of_loss == (np.array(theirs) < 0).mean()
    assert found.slope == pytest.approx(np.polyfit(ours, theirs, 1)[0])


def test_the_best_of_noise_is_as_often_below_the_middle_as_above():
    found = cross_validate(moments_of(noise(200, 16)))
    assert len(found.logits) == 12_870
    assert 0.3 < found.probability < 0.7
    assert found.slope < 0


def test_skill_stays_on_top():
    returns = noise(50, 16)
    returns[17] += 0.005
    found = cross_validate(moments_of(returns))
    assert found.probability == 0
    assert found.probability_of_loss == 0


def test_the_same_points_in_another_order_have_the_same_probability():
    moments = moments_of(noise(30, 10))
    assert probability_of_overfitting(moments) == probability_of_overfitting(moments[::-1].copy())


def test_more_blocks_are_put_together():
    moments = moments_of(noise(20, 32))
    together = moments.reshape(20, 16, 2, 3).sum(axis=2)
    assert cross_validate(moments).logits.tolist() == cross_validate(together).logits.tolist()
    assert len(cross_validate(moments[:, :7]).logits) == 20


def test_points_that_never_traded_are_left_out():
    moments = moments_of(noise(3, 4))
    idle = np.zeros((5, 4, 3))
    idle[:, :, 0] = 50
    given_up = np.full((2, 4, 3), np.nan)
    found = cross_validate(np.concatenate([idle, moments, given_up]))
    assert (found.points, found.traded) == (3, 3)
    assert found.logits.tolist() == cross_validate(moments).logits.tolist()
    assert np.isnan(probability_of_overfitting(np.concatenate([idle, moments[:1]])))


@pytest.mark.parametrize("shape", [(0, 0, 3), (1, 16, 3), (5, 1, 3)], ids=["nothing", "a point", "a block"])
def test_too_little_has_no_probability(shape):
    found = cross_validate(np.ones(shape))
    assert len(found.logits) == 0
    assert np.isnan([found.probability, found.probability_of_loss, found.slope]).all()


def test_of_very_many_points_the_same_ones_are_drawn_every_time():
    generator = np.random.default_rng(3)
    moments = np.stack(
        [
            np.full((MOST_POINTS + 50, 4), 50.0),
            generator.normal(0, 0.05, (MOST_POINTS + 50, 4)),
            np.full((MOST_POINTS + 50, 4), 0.02),
        ],
        axis=2,
    )
    found = cross_validate(moments)
    assert (found.points, found.traded) == (MOST_POINTS, MOST_POINTS + 50)
    assert found.logits.tolist() == cross_validate(moments).logits.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_equal_ratios_share_their_place_exactly(seed):
    """Whole numbers, so that the definition can be written out in fractions."""
    returns = np.random.default_rng(seed).integers(-3, 4, (12, 8, 3))
    returns[1], returns[2] = returns[0], 0
    kept = [point for point in range(12) if point != 2]

    def key(point: int, blocks: tuple[int, ...]) -> Fraction:
        taken = returns[point][list(blocks)].ravel()
        n, total, squares = len(taken), int(taken.sum()), int((taken**2).sum())
        spread = n * squares - total * total
        return Fraction(total * abs(total) * (n - 1), n * spread) if spread else Fraction(0)

    logits = []
    for taken in combinations(range(8), 4):
        rest = tuple(b for b in range(8) if b not in taken)
        inside, outside = ([key(point, part) for point in kept] for part in (taken, rest))
        theirs = outside[inside.index(max(inside))]
        place = sum(each < theirs for each in outside) + (sum(each == theirs for each in outside) + 1) / 2
        logits.append(np.log(place / (len(kept) + 1 - place)))
    assert cross_validate(moments_of(returns.astype(float))).logits.tolist() == pytest.approx(logits)
