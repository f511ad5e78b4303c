"""Trees are the same bits every time, and each row is scored by itself."""

import numpy as np
import pytest
import xgboost

from omc.strategy.gradient_boosting import GradientBoosting


def some(rows: int):
    generator = np.random.default_rng(5)
    found = generator.normal(size=(rows, 6))
    return found, (found[:, 0] * found[:, 1] + generator.normal(size=rows) > 0).astype(float), np.ones(rows)


def test_the_same_rows_give_the_same_bits_and_each_row_is_scored_by_itself():
    found, answers, weights = some(3_000)
    first, second = (GradientBoosting(trees=20).learn(each, answers, weights) for each in (found, found.copy()))
    assert first(found).tobytes() == second(found).tobytes()
    alone = np.concatenate([first(found[i : i + 1]) for i in range(300)])
    assert alone.tobytes() == first(found)[:300].tobytes()
    assert first(found[100:177]).tobytes() == first(found)[100:177].tobytes()


def test_they_are_xgboosts_own():
    found, answers, weights = some(1_000)
    own = GradientBoosting(trees=12, depth=2, learning_rate=0.2, penalty=3.0)
    plain = xgboost.XGBClassifier(n_estimators=12, max_depth=2, learning_rate=0.2, reg_lambda=3.0, n_jobs=1)
    plain.fit(found, answers, sample_weight=weights)
    assert own.learn(found, answers, weights)(found) == pytest.approx(plain.predict(found, output_margin=True))
