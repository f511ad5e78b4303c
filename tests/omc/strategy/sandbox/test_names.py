"""Every public name of every type that code may hold is either shown to it or refused on purpose: a new version of a
library that brings new names fails here until somebody has looked at them."""

import importlib
import inspect
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from omc.strategy.sandbox import guards
from omc.strategy.sandbox.imports import MODULES, PANDAS
from omc.strategy.sandbox.model_facade import ESTIMATOR
from omc.strategy.sandbox.numpy_names import LINALG, NUMPY
from omc.strategy.sandbox.surroundings import surroundings

surroundings({}, lambda text: None)
REFUSED = {
    name: set(names.split())
    for name, names in (
        line.split(":", 1) for line in (Path(__file__).parent / "refused_names.txt").read_text().splitlines()
    )
}


def public(value):
    return {name for name in dir(value) if not name.startswith("_")}


def called(kind):
    return f"{kind.__module__}.{kind.__qualname__}"


def estimators():
    for module, names in MODULES.items():
        if module.split(".")[0] in ("sklearn", "xgboost") and module != "sklearn":
            for name in sorted(names):
                kind = getattr(importlib.import_module(module), name)
                if inspect.isclass(kind) and hasattr(kind, "fit"):
                    yield kind


SHOWN = {
    "numpy": (np, set(NUMPY.split()) | {"random"}),
    "numpy.linalg": (np.linalg, set(LINALG.split()) | {"LinAlgError"}),
    "pandas": (pd, set(PANDAS.split())),
    **{called(kind): (kind, set(names)) for kind, names in guards.SHOWN.items() if not hasattr(kind, "fit")},
    **{
        called(kind): (kind, set(names))
        for base, names in guards.FAMILIES
        for kind in sorted({base, *base.__subclasses__()}, key=called)
        if base is not BaseException and kind not in guards.SHOWN
    },
    **{called(kind): (kind, set(ESTIMATOR.split()) | {"set_params"}) for kind in estimators()},
}


@pytest.mark.parametrize("name", SHOWN)
def test_somebody_looked_at_every_name(name):
    holder, shown = SHOWN[name]
    assert public(holder) - shown - REFUSED.get(name, set()) == set()


@pytest.mark.parametrize("name", SHOWN)
def test_no_name_is_both_shown_and_refused(name):
    assert SHOWN[name][1] & REFUSED.get(name, set()) == set()


@pytest.mark.parametrize("name", [name for name in SHOWN if not name.startswith("omc.")])
def test_nothing_shown_writes_reads_or_looks_inside(name):
    """By what it is called, whoever classified it."""
    harmless = {"to_numpy", "to_list", "to_dict", "to_frame", "to_series", "to_period", "to_timestamp", "to_pydatetime"}
    harmless |= {"to_datetime64", "to_pytimedelta", "to_timedelta64", "to_datetime", "to_numeric", "to_timedelta"}
    suspicious = {
        each
        for each in SHOWN[name][1] - harmless
        if each.startswith(("to_", "read_", "from_", "load", "save", "dump")) or each in INSIDE
    }
    assert suspicious == set()


_INSIDE = """eval query plot style ctypes data base strides view setflags flags tofile resize attrs bit_generator io lib
core memmap ctypeslib f2py testing frompyfunc vectorize einsum frombuffer getfield setfield byteswap tobytes"""
INSIDE = frozenset(_INSIDE.split())


@pytest.mark.parametrize("module", ["numpy", "numpy.random", "pandas", "math", "statistics", "itertools", "functools"])
def test_no_facade_hands_out_a_module(module):
    names = surroundings({}, lambda text: None)
    for name in MODULES[module]:
        assert not inspect.ismodule(names["_import_"](module, name))


def test_everything_that_may_be_imported_is_there():
    find = surroundings({}, lambda text: None)["_import_"]
    for module, names in MODULES.items():
        assert not inspect.ismodule(find(module, None))
        for name in names:
            assert not inspect.ismodule(find(module, name))
