"""What a process for people's code cannot fetch once it is locked: modules, time zones, compiled functions.

A locked process opens no file, starts no thread and makes no memory executable. So whatever a library would do on first
use is done here, once, in the process that all others are forked from.
"""

import codecs
import contextlib
import importlib
import io
import math
import sys
import warnings
import zoneinfo
from collections.abc import Iterator
from typing import Any

import numba
import numpy as np
import pandas as pd
from numba.core.dispatcher import Dispatcher

from omc.errors import InvalidInput
from omc.feature.frame import Frame, read_only
from omc.feature.indicator import Indicators
from omc.strategy.registry import make, templates
from omc.strategy.sandbox.model_file import packed, unpacked

_BARS = 2_700
"""More than any built-in algorithm remembers by default."""
_CODECS = ("ascii", "latin-1", "cp1252", "utf-8-sig", "utf-16", "utf-32", "idna", "hex", "base64", "unicode-escape")
_ZONES: list[object] = []
"""Held here, for zoneinfo itself keeps only the zones that somebody holds."""


def warm() -> None:
    """Everything, for the life of this process. Takes seconds, most of them imports."""
    # Arithmetic on made-up prices has nothing to warn of.
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        _codecs()
        _zones()
        _numpy()
        _pandas()
        _scikit_learn()
        _xgboost()
        _stored_models()
        _algorithms()
    _no_more_compiling()
    _no_more_imports()


def _codecs() -> None:
    for name in _CODECS:
        codecs.lookup(name)


def _zones() -> None:
    # Where a zone's clock changes, pandas asks of the same class in plain Python, by this very name.
    in_python = importlib.import_module("zoneinfo._zoneinfo").ZoneInfo
    _ZONES[:] = [
        made(name) for name in sorted(zoneinfo.available_timezones()) for made in (zoneinfo.ZoneInfo, in_python)
    ]


def _numpy() -> None:
    numbers = np.random.default_rng(0).normal(size=(32, 4))
    repr(numbers)
    str(np.linalg.lstsq(numbers, numbers[:, 0], rcond=None))
    np.linalg.eigh(numbers.T @ numbers)
    np.linalg.svd(numbers)
    np.fft.rfft(numbers)
    np.polynomial.Polynomial.fit(np.arange(32.0), numbers[:, 0], 2)
    np.ma.masked_invalid(numbers).mean()
    np.random.seed(0)


def _pandas() -> None:
    times = pd.date_range("2026-01-01", periods=96, freq="h", tz="UTC")
    walk = np.cumprod(1.0 + np.random.default_rng(0).normal(0.0, 0.01, (96, 2)), axis=0)
    table = pd.DataFrame(walk, index=times, columns=["BTC", "ETH"])
    for shown in (table, table["BTC"], table.index, table.describe(), pd.Series(["a", None]), table.iloc[:0]):
        repr(shown)
    table.info(buf=io.StringIO())
    table.to_string()
    table.tz_convert("Australia/Sydney").resample("D").agg(["first", "max", "mean"])
    table.groupby(times.dayofweek).agg({"BTC": "mean", "ETH": np.ptp})
    table.rolling(5, min_periods=1).agg(["mean", "std", "median", "skew"])
    table.rolling("5h").corr()
    table.rolling(5).rank()
    table.rolling(5).apply(np.ptp, raw=True)
    table.expanding().quantile(0.5)
    table.ewm(span=5).mean()
    table.ewm(halflife="3h", times=pd.Series(times)).mean()
    table.pct_change().shift(1).fillna(0.0).clip(-1.0, 1.0).rank(axis=1)
    table.stack().unstack().melt().pivot_table(index="variable", values="value")
    table.reset_index(names="time").merge(table.add_suffix("_2"), left_on="time", right_index=True)
    pd.merge_asof(table, table.add_suffix("_2"), left_index=True, right_index=True)
    pd.concat([table, table]).drop_duplicates().sort_index().interpolate("time")
    pd.cut(table["BTC"], 4).value_counts()
    pd.qcut(table["BTC"], 4, labels=False)
    pd.to_datetime(pd.Series(["2026-01-01", "2026-01-02 03:04"]), format="mixed")
    pd.get_dummies(pd.Series(["a", "b"]).astype("category"))
    pd.Series(["a,b"]).str.split(",", expand=True)
    table.corr()
    table.cov()
    for how in ("dict", "records"):
        table.to_dict(how)
    table.query("BTC > 1")
    times.strftime("%Y").unique()
    pd.Timedelta("1h"), pd.Timestamp("2026-01-01", tz="Australia/Sydney"), pd.tseries.offsets.BDay(1) + times[0]


def _scikit_learn() -> None:
    """One thread each: others could not be started."""
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.ensemble import (
        ExtraTreesClassifier,
        GradientBoostingClassifier,
        HistGradientBoostingClassifier,
        HistGradientBoostingRegressor,
        RandomForestClassifier,
        RandomForestRegressor,
    )
    from sklearn.isotonic import IsotonicRegression
    from sklearn.linear_model import ElasticNet, Lasso, LinearRegression, LogisticRegression, Ridge, SGDClassifier
    from sklearn.metrics import accuracy_score, log_loss, r2_score
    from sklearn.model_selection import TimeSeriesSplit, cross_val_score
    from sklearn.naive_bayes import GaussianNB
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import MinMaxScaler, PolynomialFeatures, RobustScaler, StandardScaler
    from sklearn.svm import SVC, LinearSVC
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    numbers = np.random.default_rng(0).normal(size=(80, 4))
    answers = (numbers[:, 0] > 0.0).astype(np.int64)
    for classifier in (
        LogisticRegression(),
        SGDClassifier(),
        RandomForestClassifier(5, n_jobs=1),
        ExtraTreesClassifier(5, n_jobs=1),
        GradientBoostingClassifier(n_estimators=3),
        HistGradientBoostingClassifier(max_iter=3),
        DecisionTreeClassifier(),
        GaussianNB(),
        KNeighborsClassifier(n_jobs=1),
        MLPClassifier((4,), max_iter=3),
        SVC(),
        LinearSVC(),
        make_pipeline(StandardScaler(), MinMaxScaler(), RobustScaler(), PCA(2), LogisticRegression()),
    ):
        found = classifier.fit(numbers, answers).predict(numbers)
        repr(classifier), accuracy_score(answers, found)
    for regressor in (
        LinearRegression(),
        Ridge(),
        Lasso(),
        ElasticNet(),
        RandomForestRegressor(5, n_jobs=1),
        HistGradientBoostingRegressor(max_iter=3),
        DecisionTreeRegressor(),
        make_pipeline(PolynomialFeatures(2), Ridge()),
    ):
        r2_score(numbers[:, 1], regressor.fit(numbers, numbers[:, 1]).predict(numbers))
    IsotonicRegression().fit(numbers[:, 0], numbers[:, 1])
    KMeans(2, n_init=1).fit(numbers)
    log_loss(answers, LogisticRegression().fit(numbers, answers).predict_proba(numbers))
    cross_val_score(LogisticRegression(), numbers, answers, cv=TimeSeriesSplit(2), n_jobs=1)
    # Early stopping draws its rows by another way.
    HistGradientBoostingClassifier(max_iter=3, early_stopping=True).fit(numbers, answers)


def _xgboost() -> None:
    import xgboost

    numbers = np.random.default_rng(0).normal(size=(80, 4))
    answers = (numbers[:, 0] > 0.0).astype(np.float64)
    for estimator in (xgboost.XGBClassifier, xgboost.XGBRegressor):
        fitted = estimator(n_estimators=2, n_jobs=1).fit(numbers, answers)
        fitted.predict(numbers)
        kept = fitted.get_booster().save_raw("json")
        xgboost.Booster({"nthread": 1}, model_file=kept)
    xgboost.train({"nthread": 1}, xgboost.DMatrix(numbers, answers, nthread=1), num_boost_round=1)


def _stored_models() -> None:
    """Written and read once, so that what writes and reads them is here."""
    import xgboost
    from sklearn import ensemble, linear_model, neighbors, pipeline, preprocessing, tree

    numbers = np.random.default_rng(0).normal(size=(80, 4))
    answers = (numbers[:, 0] > 0.0).astype(np.int64)
    estimators = (
        pipeline.make_pipeline(preprocessing.StandardScaler(), linear_model.LogisticRegression()),
        ensemble.RandomForestClassifier(2, n_jobs=1, random_state=np.random.RandomState(1)),
        ensemble.GradientBoostingClassifier(n_estimators=2),
        ensemble.HistGradientBoostingClassifier(max_iter=2),
        neighbors.KNeighborsClassifier(n_jobs=1),
        tree.DecisionTreeClassifier(),
        xgboost.XGBClassifier(n_estimators=2, n_jobs=1),
    )
    state = {"models": [each.fit(numbers, answers) for each in estimators], "chance": np.random.default_rng(1)}
    learned = {
        "booster": estimators[-1].get_booster(),
        "numbers": numbers,
        "rest": (1.5, math.nan, {1, 2}, {"a": None}),
    }
    unpacked(packed(state | learned))
    for wrong in (b"", packed({"a": 1})[:-30]):
        with contextlib.suppress(InvalidInput):
            unpacked(wrong)


def _algorithms() -> None:
    """Every built-in algorithm on arrays that can be written to and on such that cannot, as shared memory gives them:
    compiled functions are loaded for the kinds of arrays that they meet."""
    times = np.datetime64("2026-01-01", "us") + np.arange(_BARS) * np.timedelta64(300, "s")
    walk = np.cumprod(1.0 + np.random.default_rng(0).normal(0.0, 0.002, (_BARS, 2)), axis=0)
    last = np.round(100.0 * walk, 8)
    for frame in (
        Frame(times, ("BTC", "ETH"), last, last, last),
        Frame(read_only(times), ("BTC", "ETH"), read_only(last), read_only(last), read_only(last)),
    ):
        for template in templates():
            make(template.algorithm_type, {}).predict(frame)
        each = Indicators(frame.last)
        each.ema(3), each.macd(2, 3, 2), each.rsi(3), each.rank(3), each.correlation(3, 0), each.volatility(3)


def dispatchers() -> Iterator[Any]:
    """The compiled functions of algorithms and features."""
    for name, module in list(sys.modules.items()):
        if name.startswith(("omc.strategy.", "omc.feature.")):
            yield from (each for each in vars(module).values() if isinstance(each, Dispatcher))


def _no_more_compiling() -> None:
    """An unknown kind of array is then a TypeError; the compiler, which a lock leaves without executable memory, would
    end the process."""
    for each in dispatchers():
        # What `disable_compile` sets, but that is only for functions that were called by more than other compiled ones.
        each._can_compile = False  # noqa: SLF001
    # Functions that somebody's code would decorate stay plain Python there.
    numba.config.DISABLE_JIT = True  # type: ignore[attr-defined]


def _no_more_imports() -> None:
    """A module that is not here is then simply not found, which libraries that can do without it know how to take; they
    would not expect that it is there and cannot be read."""
    sys.path.clear()
    sys.path_hooks.clear()
    sys.path_importer_cache.clear()
