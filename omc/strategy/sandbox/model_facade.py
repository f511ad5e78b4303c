"""scikit-learn's and XGBoost's models, as far as algorithms may use them: fitted to arrays in memory, in one thread.

Both are loaded when the first of them is asked for: whoever uses none does not pay for it.
"""

import importlib
import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from omc.errors import InvalidInput
from omc.strategy.sandbox import guards
from omc.strategy.sandbox.classes import may_inherit
from omc.strategy.sandbox.facade import Facade, Function
from omc.strategy.sandbox.guards import show
from omc.strategy.sandbox.imports import MODULES

ESTIMATOR = """apply classes_ coef_ decision_function explained_variance_ explained_variance_ratio_ feature_importances_
feature_names_in_ fit_predict get_n_splits intercept_ mean_ n_features_in_ n_iter_ partial_fit predict predict_log_proba
predict_proba scale_ score split transform inverse_transform var_ components_ fit fit_transform get_params kneighbors"""
_FITTING = frozenset(["sample_weight", "X", "y", "eval_set", "verbose"])
_PREDICTING = frozenset(["output_margin", "predict_type", "iteration_range"])
_ANSWERING = ("apply", "decision_function", "inverse_transform", "predict_log_proba", "predict_proba", "transform")
_PLAIN = (bool, int, float, str, type(None), np.integer, np.floating)
_DATA = (np.ndarray, pd.DataFrame, pd.Series, list, tuple, type(None))


def _made_again(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The same, but that chance begins where it began before."""
    return {name: 0 if name.endswith("random_state") and each is None else each for name, each in settings.items()}


def _setting(name: str, value: Any) -> None:
    """InvalidInput for what could name a file, start threads, print, or be called."""
    if name in ("memory", "model_file", "xgb_model", "callbacks", "device", "transform_input"):
        raise InvalidInput(f"{name} cannot be chosen here")
    if name in ("n_jobs", "nthread") and value not in (None, 1):
        raise InvalidInput(f"{name} is 1: an algorithm runs in one thread")
    if name in ("copy", "copy_X") and value is not True:
        # Without a copy, scikit-learn makes memory writable that was not.
        raise InvalidInput(f"{name} is True: what a model learns from is not written over")
    if name.startswith("verbos") and value not in (0, False, None):
        raise InvalidInput(f"{name} is 0: use print")
    _plain_value(name, value)


def _plain_value(name: str, value: Any) -> None:
    if isinstance(value, list | tuple):
        for each in value:
            _plain_value(name, each)
    elif isinstance(value, dict):
        for each in value.values():
            _plain_value(name, each)
    elif (not isinstance(value, _PLAIN) and type(value) is not np.ndarray and type(value) not in guards.SHOWN) or (
        callable(value) and not hasattr(value, "fit")
    ):
        raise InvalidInput(f"{name} is a number, text, or a list of these")


def _data(values: Any) -> None:
    for each in values:
        if not isinstance(each, (*_DATA, *_PLAIN)) and type(each) not in guards.SHOWN:
            raise InvalidInput("a model learns from arrays and tables")


def _setter(value: Any) -> Callable[..., Any]:
    def call(**settings: Any) -> Any:
        for name, each in settings.items():
            _setting(name.rsplit("__", 1)[-1], each)
        return value.set_params(**_made_again(settings))

    return call


def _fitter(method: str, options: frozenset[str]) -> guards.Wrapper:
    def wrapper(value: Any) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            for name, each in kwargs.items():
                if name not in options:
                    raise InvalidInput(f"{method} takes no {name} here")
                if name == "verbose":
                    _setting(name, each)
            _data(args)
            return getattr(value, method)(*args, **kwargs)

        return call

    return wrapper


_METHODS: Mapping[str, guards.Wrapper] = {
    "set_params": _setter,
    "fit": _fitter("fit", _FITTING),
    "fit_transform": _fitter("fit_transform", _FITTING),
    "predict": _fitter("predict", _PREDICTING | _FITTING),
    "score": _fitter("score", _FITTING),
    "partial_fit": _fitter("partial_fit", _FITTING | {"classes"}),
    "kneighbors": _fitter("kneighbors", frozenset({"n_neighbors", "return_distance"})),
    **{name: _fitter(name, _PREDICTING) for name in _ANSWERING},
}


def _learned(name: str) -> guards.Wrapper:
    """What a model learned: numbers, and no object that could be taken apart."""

    def wrapper(value: Any) -> Any:
        found = getattr(value, name)
        if not isinstance(found, (*_PLAIN, np.ndarray)):
            raise InvalidInput(f"{name} is not a number or an array of them here")
        return found

    return wrapper


def _estimator(name: str, kind: type) -> Function:
    shown = [each for each in ESTIMATOR.split() if not each.endswith("_")]
    learned = {each: _learned(each) for each in ESTIMATOR.split() if each.endswith("_")}
    if kind not in guards.SHOWN:
        show(kind, " ".join(shown), {**learned, **_METHODS})
    default: dict[str, Any] = {"n_jobs": 1} if kind.__module__.startswith("xgboost") else {}
    if "random_state" in inspect.signature(kind).parameters:
        default["random_state"] = 0

    def make(*args: Any, **settings: Any) -> Any:
        for each in args:
            _plain_value("a setting", each)
        for each, value in settings.items():
            _setting(each, value)
        return kind(*args, **{**default, **_made_again(settings)})

    return Function(name, make, kind)


def _sklearn(module: str, name: str) -> Any:
    value = getattr(importlib.import_module(module), name)
    if module == "sklearn.base":
        may_inherit(value)
        return value
    if name == "make_pipeline":
        return Function(name, partial(_pipeline, value))
    return _estimator(name, value) if isinstance(value, type) else Function(name, partial(_metric, name, value))


def _pipeline(make: Callable[..., Any], *steps: Any, **options: Any) -> Any:
    if options:
        raise InvalidInput(f"a pipeline takes no {', '.join(options)} here")
    for each in steps:
        if type(each) not in guards.SHOWN or not hasattr(each, "fit"):
            raise InvalidInput("a pipeline is made of models")
    made = make(*steps)
    _estimator("Pipeline", type(made))
    return made


def _metric(name: str, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
    _data(args)
    for each, value in options.items():
        if each not in ("sample_weight", "labels", "average"):
            raise InvalidInput(f"{name} takes no {each} here")
        _plain_value(each, value)
    return function(*args, **options)


def sklearn_facades() -> dict[str, Facade]:
    """By module."""
    made = {
        module: Facade(module, {name: partial(_sklearn, module, name) for name in names})
        for module, names in MODULES.items()
        if module.startswith("sklearn.")
    }
    made["sklearn"] = Facade(
        "sklearn", {module.split(".")[1]: partial(made.__getitem__, module) for module in list(made)}
    )
    return made


def xgboost_facade() -> Facade:
    return Facade("xgboost", {name: partial(_xgboost, name) for name in MODULES["xgboost"]})


def _xgboost(name: str) -> Any:
    import xgboost

    value = getattr(xgboost, name)
    _show_boosters(xgboost)
    if name == "train":
        return Function("xgboost.train", partial(_train, xgboost))
    if name in ("DMatrix", "QuantileDMatrix"):
        return Function(f"xgboost.{name}", partial(_matrix, value), value)
    if name == "Booster":

        def refuse(*_: Any, **__: Any) -> Any:
            raise InvalidInput("xgboost.train makes boosters")

        return Function("xgboost.Booster", refuse, value)
    return _estimator(f"xgboost.{name}", value)


def _show_boosters(xgboost: Any) -> None:
    booster, options = xgboost.Booster, frozenset({"predict_type", "output_margin", "iteration_range"})
    methods = {each: _fitter(each, options) for each in ("predict", "inplace_predict")}
    show(booster, "best_iteration best_score num_boosted_rounds num_features", methods)
    for kind in (xgboost.DMatrix, xgboost.QuantileDMatrix):
        show(kind, "get_label get_weight num_col num_row")


def _array(name: str, value: Any) -> Any:
    if type(value) not in (np.ndarray, pd.DataFrame, pd.Series):
        raise InvalidInput(f"{name} is an array or a table: a name of a file is none")
    return value


def _matrix(make: Callable[..., Any], data: Any, label: Any = None, *, weight: Any = None, **options: Any) -> Any:
    for name, value in options.items():
        if name not in ("nthread", "missing", "max_bin"):
            raise InvalidInput(f"a matrix takes no {name} here")
        _setting(name, value)
    given = {name: _array(name, each) for name, each in (("label", label), ("weight", weight)) if each is not None}
    return make(_array("data", data), **given, **{**options, "nthread": 1})


def _train(xgboost: Any, params: Any, dtrain: Any, num_boost_round: int = 10, **options: Any) -> Any:
    if type(params) is not dict or any(type(name) is not str for name in params):
        raise InvalidInput("the settings of a booster are a dict")
    for name, value in params.items():
        _setting(name, value)
    if options:
        raise InvalidInput(f"xgboost.train takes no {', '.join(options)} here")
    if type(dtrain) not in (xgboost.DMatrix, xgboost.QuantileDMatrix) or type(num_boost_round) is not int:
        raise InvalidInput("xgboost.train takes settings, a matrix and a whole number of rounds")
    return xgboost.train({"nthread": 1, "verbosity": 0, **params}, dtrain, num_boost_round=num_boost_round)


def show_model(value: Any) -> None:
    """Let code use a model that was restored, whether or not it has imported the like of it by then."""
    if type(value).__name__ == "Booster":
        import xgboost

        _show_boosters(xgboost)
    else:
        _estimator(type(value).__name__, type(value))


def loadable() -> tuple[str, ...]:
    """Every module that code may come to load: for a process that cannot load anything later."""
    return tuple(name for name in MODULES if name.split(".")[0] in ("sklearn", "xgboost"))
