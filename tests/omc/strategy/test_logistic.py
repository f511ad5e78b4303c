"""The regression is scikit-learn's optimum, and the same bits every time."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression as Plain

from omc.strategy.logistic import LogisticRegression


def some(rows: int, seed: int = 0):
    generator = np.random.default_rng(seed)
    found = generator.normal(size=(rows, 4)) * [1.0, 50.0, 1e-4, 3.0] + [0.0, 100.0, 0.0, -7.0]
    told = found[:, 0] - found[:, 1] / 100 + generator.normal(size=rows) * 2
    return found, (told > -1.0).astype(float), generator.exponential(size=rows)


@pytest.mark.parametrize("penalty", [0.01, 1.0, 100.0])
@pytest.mark.parametrize("rows", [60, 900, 9_000])
def test_it_is_the_optimum_that_scikit_learn_looks_for(rows, penalty):
    found, answers, weights = some(rows)
    model = LogisticRegression.fit(found, answers, weights, penalty)
    scaled = (found - found.mean(axis=0)) / found.std(axis=0)
    plain = Plain(C=1 / penalty, tol=1e-10, max_iter=10_000).fit(scaled, answers, weights)
    assert model.coefficients == pytest.approx(plain.coef_[0], rel=1e-5, abs=1e-6)
    assert model.intercept == pytest.approx(plain.intercept_[0], rel=1e-5, abs=1e-6)
    assert model(found) == pytest.approx(plain.decision_function(scaled), rel=1e-4, abs=1e-5)


def test_the_same_rows_give_the_same_bits_and_each_row_is_scored_by_itself():
    found, answers, weights = some(6_000)
    first, second = (LogisticRegression.fit(each, answers, weights, 1.0) for each in (found, found.copy()))
    assert first(found).tobytes() == second(found).tobytes()
    alone = np.concatenate([first(found[i : i + 1]) for i in range(200)])
    assert alone.tobytes() == first(found)[:200].tobytes()


def test_answers_that_a_line_separates_are_no_trouble_nor_is_what_never_varies():
    found = np.stack([np.linspace(-1, 1, 50), np.full(50, 3.0)], axis=1)
    model = LogisticRegression.fit(found, (found[:, 0] > 0).astype(float), np.ones(50), 1e-6)
    assert np.isfinite(model(found)).all()
    assert ((model(found) > 0) == (found[:, 0] > 0)).all()
    assert model.coefficients[1] == 0.0


def test_rows_without_weight_do_not_count():
    found, answers, weights = some(400)
    weights[200:] = 0.0
    with_them = LogisticRegression.fit(found, answers, weights, 1.0)
    scaled = (found - found.mean(axis=0)) / found.std(axis=0)
    plain = Plain(C=1.0, tol=1e-10, max_iter=10_000).fit(scaled[:200], answers[:200], weights[:200])
    assert with_them.coefficients == pytest.approx(plain.coef_[0], rel=1e-5, abs=1e-6)
