"""Copied code is given the shipped compiled function, as long as it is the same code and fits what it is handed."""

import inspect

import numpy as np
import pytest

from omc.strategy import logistic, momentum_rotation, moving_average_crossover, pairs
from omc.strategy.sandbox import compile_source
from omc.strategy.sandbox.kernels import SHIPPED, Jitted

SOURCES = (moving_average_crossover, momentum_rotation, pairs, logistic)


def names_of(module, *changes):
    source = inspect.getsource(module)
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    return compile_source(source).run()


@pytest.mark.parametrize("module", SOURCES, ids=lambda each: each.__name__)
def test_each_compiled_function_of_a_copied_source_is_the_shipped_one(module):
    names = names_of(module)
    found = {name: value.shipped() for name, value in names.items() if isinstance(value, Jitted)}
    assert found
    assert all(found[name] is getattr(module, name) for name in found)


def test_every_shipped_function_comes_from_a_source_that_can_be_copied():
    assert {each.py_func.__module__ for each in SHIPPED} == {module.__name__ for module in SOURCES}


@pytest.mark.parametrize(
    "change",
    [
        ("_MOST_STEPS = 100", "_MOST_STEPS = 10"),
        ("_SMALL = 1e-10", "_SMALL = 1e-9"),
        ("_CLOSE = 1e-7", "_CLOSE = 1"),
        ("from math import exp, log, log1p", "from math import exp, log2 as log, log1p"),
        ("import numpy as np", "import math as np"),
        ("gradient[j] += penalty * at[j]", "gradient[j] += penalty * at[j] * 1.0"),
        ("_PART, _MANY = 16, 4_000", "_PART, _MANY = 16, 4_000\nrange = reversed"),
    ],
    ids=lambda change: change[1][:30],
)
def test_code_that_reads_something_else_is_somebody_elses(change):
    assert names_of(logistic, change)["_newton"].shipped() is None


def test_code_that_was_changed_runs_as_it_was_written(prices):
    names = names_of(moving_average_crossover, ("share if above else 0.0", "share if above else 0.25"))
    args = (prices.bid, prices.ask, prices.last, prices.last * 2.0, 1.0, 0.5)
    assert set(np.unique(names["_weights"](*args))) == {0.25}


HUGE = np.ones((100_000, 6))


@pytest.mark.parametrize(
    ("module", "name", "args"),
    [
        (moving_average_crossover, "_weights", (np.ones((1, 1)), HUGE, HUGE, HUGE, 1.0, 1.0)),
        (moving_average_crossover, "_weights", (np.ones((1, 1)), np.ones((1, 1)), HUGE, HUGE, 1.0, 1.0)),
        (momentum_rotation, "_weights", (HUGE, np.ones((1, 1)), np.zeros(100_000, np.int64), HUGE > 0, (1, 0.0, 1.0))),
        (
            momentum_rotation,
            "_weights",
            (HUGE[:9], HUGE[:9], np.full(9, 10**7, np.int64), HUGE[:9] > 0, (1, 0.0, 1.0)),
        ),
        (pairs, "_log_ratio", (np.ones((5, 1)),)),
        (logistic, "_scores", (HUGE[:9], np.ones(1), np.ones(1), np.ones(1), 0.0)),
        (logistic, "_solved", (np.ones((2, 2)), np.ones(900))),
        (logistic, "_look", (HUGE[:9], np.ones(9), np.ones(1), 1.0, np.ones(6), np.ones(6), np.ones((6, 6)))),
        (logistic, "_look", (HUGE[:9], np.ones(9), np.ones(9), 1.0, np.ones(6), np.ones(1), np.ones((6, 6)))),
        (logistic, "_newton", (HUGE[:9], np.ones(1), np.ones(9), 1.0, np.ones(6))),
    ],
)
def test_arrays_that_do_not_fit_never_reach_compiled_code(module, name, args):
    with pytest.raises((IndexError, ValueError)):
        names_of(module)[name](*args)
