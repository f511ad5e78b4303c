"""How long a walk-forward of fitted models takes, beside scikit-learn and XGBoost by themselves in the same run.

`python bench/models.py [--bars 100000] [--folds 16] [--predictors 20] [--json FILE]` cuts the bars into one more part
than there are folds; each fold learns from all parts before its own, weighted by what their rows gained, and scores its
own. Both sides get the same arrays and a thread each, and must come to the same scores: scikit-learn's solver stops
near the optimum that ours reaches, so these are compared to six digits, and trees to the bit. Then a whole algorithm
decides on the same number of bars, from prices to weights, with its refits on schedule.
"""

import argparse
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from sklearn.linear_model import LogisticRegression as Plain
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from omc.feature.frame import FloatArray, Frame
from omc.strategy.gradient_boosting import GradientBoosting
from omc.strategy.logistic import Logistic
from omc.strategy.model import Fitted, Scorer

Learn = Callable[[FloatArray, FloatArray, FloatArray], Scorer]


def some(bars: int, predictors: int) -> tuple[FloatArray, FloatArray]:
    """Predictors, and gains that a few of them tell a little about."""
    generator = np.random.default_rng(7)
    found = generator.standard_t(5, (bars, predictors))
    told = found[:, :4] @ np.array([0.1, -0.08, 0.05, 0.04]) + 0.05 * found[:, 4] * found[:, 5]
    return found, 0.01 * (told + generator.standard_t(5, bars))


def folds(bars: int, count: int) -> Iterator[tuple[slice, slice]]:
    edges = np.linspace(0, bars, count + 2).astype(int)
    for start, stop in pairwise(edges[1:]):
        yield slice(0, int(start)), slice(int(start), int(stop))


def walk(learn: Learn, found: FloatArray, gains: FloatArray, count: int) -> tuple[float, FloatArray]:
    """Seconds, and the scores of every fold."""
    began, scores = time.perf_counter(), []
    for learned, own in folds(len(found), count):
        sizes = np.abs(gains[learned])
        score = learn(found[learned], (gains[learned] > 0).astype(np.float64), sizes / sizes.mean())
        scores.append(score(found[own]))
    return time.perf_counter() - began, np.concatenate(scores)


def plain_logistic(found: FloatArray, answers: FloatArray, weights: FloatArray) -> Scorer:
    scaler = StandardScaler()
    model = Plain(C=1.0, tol=1e-8, max_iter=1_000).fit(scaler.fit_transform(found), answers, weights)
    return lambda rows: model.decision_function(scaler.transform(rows))


def plain_boosted(found: FloatArray, answers: FloatArray, weights: FloatArray) -> Scorer:
    own = GradientBoosting()
    model = xgboost.XGBClassifier(
        n_estimators=own.trees,
        max_depth=own.depth,
        learning_rate=own.learning_rate,
        reg_lambda=own.penalty,
        tree_method="hist",
        n_jobs=1,
        random_state=0,
    ).fit(found, answers, sample_weight=weights)
    return lambda rows: model.predict(rows, output_margin=True).astype(np.float64)


def hash_of(scores: FloatArray) -> str:
    return hashlib.sha256(scores.tobytes()).hexdigest()[:16]


def compare(name: str, model: Fitted, plain: Learn, data: tuple[FloatArray, FloatArray], count: int) -> dict[str, Any]:
    found, gains = data
    model.learn(found[:500], (gains[:500] > 0).astype(np.float64), np.ones(500))(found[:2])  # compiles
    own_s, own = walk(model.learn, found, gains, count)
    plain_s, other = walk(plain, found, gains, count)
    digits = 0.0 if name == "boosted" else 1e-6
    if not np.allclose(own, other, rtol=0.0, atol=digits):
        raise SystemExit(f"{name}: the scores differ by {np.abs(own - other).max():.3g}")
    return {
        "own_s": own_s,
        "plain_s": plain_s,
        "ratio": plain_s / own_s,
        "largest_difference": float(np.abs(own - other).max()),
        "own_hash": hash_of(own),
        "plain_hash": hash_of(other),
    }


def decide(model: Fitted, bars: int) -> tuple[float, str]:
    """Seconds from prices to weights, with a refit a period."""
    walked = np.random.default_rng(7).normal(0, 0.002, (bars, 1)).cumsum(axis=0)
    last = np.round(60_000 * np.exp(walked), 2)
    times = np.datetime64("2024-01-01", "us") + np.arange(bars) * np.timedelta64(300, "s")
    frame = Frame(times, ("BTC",), np.round(last * 0.9999, 2), np.round(last * 1.0001, 2), last)
    model.predict(frame.rows(0, min(bars, 3_000)))
    began = time.perf_counter()
    weights = model.predict(frame)
    return time.perf_counter() - began, hash_of(weights)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--folds", type=int, default=16)
    parser.add_argument("--predictors", type=int, default=20)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    with threadpool_limits(1):
        measure(asked)


def measure(asked: argparse.Namespace) -> None:
    data, refit = some(asked.bars, asked.predictors), max(asked.bars // (asked.folds + 1), 1)
    print(f"walk-forward of {asked.folds} folds over {asked.bars} bars with {asked.predictors} predictors, one thread")
    figures: dict[str, Any] = {}
    for name, kind, plain, peer in (
        ("logistic", Logistic, plain_logistic, "scikit-learn"),
        ("boosted", GradientBoosting, plain_boosted, "XGBoost"),
    ):
        got = compare(name, kind(), plain, data, asked.folds)
        deciding_s, weights_hash = decide(kind(train_bars=refit, refit_bars=refit), asked.bars)
        figures[name] = got | {"deciding_s": deciding_s, "weights_hash": weights_hash}
        print(f"{name:<9} {got['own_s']:7.2f} s  {got['own_hash']}")
        print(
            f"{peer:<9} {got['plain_s']:7.2f} s  {got['plain_hash']}  {got['ratio']:.2f} times ours;"
            f" scores differ by {got['largest_difference']:.1e} at most"
        )
        print(f"{'':<9} {deciding_s:7.2f} s  {weights_hash}  an algorithm of it, from {asked.bars} prices to weights")
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
