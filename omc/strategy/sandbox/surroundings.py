"""All names that a run of code begins with: guards, Python's own as far as they are offered, facades."""

import builtins
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY
from functools import cache
from types import CodeType
from typing import Any, ClassVar

from omc.strategy.sandbox import classes, guards, offered, plain
from omc.strategy.sandbox.arithmetic import power_of, rounded
from omc.strategy.sandbox.facade import Facade, Function, reached
from omc.strategy.sandbox.hashes import hash_of
from omc.strategy.sandbox.kernels import decorator
from omc.strategy.sandbox.model_facade import sklearn_facades, xgboost_facade
from omc.strategy.sandbox.numpy_facade import numpy_facade, random_facade, windows
from omc.strategy.sandbox.pandas_facade import pandas_facade
from omc.strategy.sandbox.platform_facade import platform_facades
from omc.strategy.sandbox.program import importer, printer


@cache
def _libraries() -> Mapping[str, Facade]:
    """Facades that hold nothing of a run, shared by all of them."""
    made = {
        "numpy": numpy_facade(),
        "numpy.random": random_facade(),
        "numpy.lib.stride_tricks": Facade(
            "numpy.lib.stride_tricks",
            {"sliding_window_view": lambda: Function("sliding_window_view", windows)},
        ),
        "pandas": pandas_facade(),
        "xgboost": xgboost_facade(),
    }
    return {**made, **sklearn_facades(), **platform_facades()}


@cache
def _standard() -> Mapping[str, Facade]:
    """The same of the standard library."""
    made = {name: Facade(name, makers) for name, makers in plain.standard().items()}
    made["collections"]._makers["abc"] = lambda: made["collections.abc"]  # type: ignore[index]  # noqa: SLF001
    return made


def _python(out: Callable[[str], Any]) -> dict[str, Any]:
    return {
        **{name: getattr(builtins, name) for name in offered.PLAIN | offered.EXCEPTIONS},
        "__build_class__": builtins.__build_class__,
        # No code can name it. Compiled parts of libraries look for it here when they load something late.
        "__import__": builtins.__import__,
        "getattr": guards.get_attribute,
        "hasattr": guards.has_attribute,
        "hash": hash_of,
        "isinstance": guards.is_instance,
        "issubclass": guards.is_subclass,
        "pow": power_of,
        "print": printer(out),
        "round": rounded,
        "type": guards.type_of,
    }


def surroundings(
    originals: Mapping[tuple[str, int], CodeType],
    out: Callable[[str], Any],
) -> dict[str, Any]:
    """A namespace of its own for one run."""
    names: dict[str, Any] = {}
    njit = decorator(names, originals)
    numba = Facade("numba", {"njit": lambda: njit, "jit": lambda: njit, "prange": lambda: range})
    modules: dict[str, Any] = {
        **_standard(),
        **_libraries(),
        "numba": numba,
        "random": Facade("random", plain.chance()),
    }
    names.update(
        guards.guards(
            {
                "__builtins__": _python(out),
                "__name__": classes.MODULE,
                "__metaclass__": classes.made,
                "_import_": importer(modules, reached),
                "_ClassVar_": ClassVar,
                "_KW_ONLY_": KW_ONLY,
                "_object_": object,
                **{f"_{kind.__name__}_": kind for kind in (int, float, bool, str)},
                "np": modules["numpy"],
                "pd": modules["pandas"],
            }.items()
        )
    )
    return names
