"""Python's own types and the standard library's, as far as algorithms may use them."""

import bisect
import collections
import dataclasses
import datetime  # noqa: ICN001 (named as code imports it)
import functools
import heapq
import itertools
import math
import operator
import random
import statistics
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from omc.errors import InvalidInput
from omc.strategy.sandbox import arithmetic, guards
from omc.strategy.sandbox.classes import MODULE, as_dict, dataclass, fields, named_tuple, replaced
from omc.strategy.sandbox.facade import FORM, Function
from omc.strategy.sandbox.guards import show, show_family
from omc.strategy.sandbox.imports import MODULES

_MOST_FACTORIAL = 2_000
_WIDE = ("center", "ljust", "rjust", "zfill", "expandtabs")
TEXT = """capitalize casefold count endswith find index isalnum isalpha isdecimal isdigit isidentifier islower isnumeric
isspace istitle isupper join lower lstrip partition removeprefix removesuffix replace rfind rindex rpartition rsplit
rstrip split splitlines startswith strip swapcase title upper"""
_NO_NOW = "an algorithm takes the time from the frame"


def _narrow(name: str) -> guards.Wrapper:
    def wrapper(text: Any) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            for width in (*args, *kwargs.values()):
                if isinstance(width, int) and width > arithmetic.MOST_WIDTH:
                    raise InvalidInput("a width of that many characters is too wide")
            return getattr(text, name)(*args, **kwargs)

        return call

    return wrapper


def _told(fault: Any) -> tuple[Any, ...]:
    """The words of an error: what else it carries are a library's own objects."""
    return tuple(each if type(each) in (str, int, float, bool, type(None)) else str(each) for each in fault.args)


def _seed(chance: random.Random) -> Callable[[Any], None]:
    def call(a: Any = None) -> None:
        if type(a) not in (int, float, str):
            raise InvalidInput("a seed is a number or a text, so that a decision can be made again")
        chance.seed(a)

    return call


def _item_getter(*keys: Any) -> Callable[[Any], Any]:
    """`operator.itemgetter`, by the same rules as brackets."""
    if len(keys) == 1:
        return lambda value: guards.item(value, keys[0])
    return lambda value: tuple(guards.item(value, key) for key in keys)


def _abstract(method: Any) -> Any:
    """`abc.abstractmethod`, of what the code defined itself: it is written to."""
    inner: Any = method.fget if type(method) is property else method
    inner = inner.__func__ if type(inner) in (classmethod, staticmethod) else inner
    if getattr(inner, "__module__", None) != MODULE or type(inner) is not FunctionType:
        raise InvalidInput("abstractmethod stands above a method of the code's own")
    return abstractmethod(method)


def _strftime(value: Any) -> Callable[[str], str]:
    def call(form: str) -> str:
        if type(form) is not str or any(each.isdigit() for each in form):
            raise InvalidInput("a format of times has no widths")
        return str(value.strftime(form))

    return call


def _show_all() -> None:
    show(str, TEXT, {name: _narrow(name) for name in _WIDE})
    show(int, "bit_count bit_length conjugate denominator imag is_integer numerator real")
    guards.SHOWN[bool] = guards.SHOWN[int]
    show(float, "as_integer_ratio conjugate hex imag is_integer real")
    show(complex, "conjugate imag real")
    show(list, "append clear copy count extend index insert pop remove reverse sort")
    show(tuple, "count index")
    show(dict, "clear copy get items keys pop popitem setdefault update values")
    show(collections.OrderedDict, "clear copy get items keys move_to_end pop popitem setdefault update values")
    show(collections.defaultdict, "clear copy get items keys pop popitem setdefault update values")
    show(
        collections.Counter,
        "clear copy elements get items keys most_common pop popitem setdefault subtract total update values",
    )
    show(
        collections.deque,
        "append appendleft clear copy count extend extendleft index insert maxlen pop popleft remove reverse rotate",
    )
    of_sets = "copy difference intersection isdisjoint issubset issuperset symmetric_difference union"
    show(frozenset, of_sets)
    show(
        set,
        of_sets
        + " add clear discard difference_update intersection_update pop remove symmetric_difference_update update",
    )
    show(range, "count index start step stop")
    show(slice, "indices start step stop")
    show(property, "getter setter deleter")
    show(datetime.timedelta, "days max microseconds min resolution seconds total_seconds")
    of_days = "day isocalendar isoformat isoweekday max min month replace resolution toordinal weekday year"
    show(datetime.date, of_days, {"strftime": _strftime})
    of_times = "fold hour isoformat max microsecond min minute replace resolution second tzinfo utcoffset"
    show(datetime.time, of_times, {"strftime": _strftime})
    show(
        datetime.datetime,
        f"{of_days} {of_times} astimezone date time timestamp timetz",
        {"strftime": _strftime},
    )
    show(datetime.timezone, "utc")
    show(dataclasses.Field, "default name")
    show_family(BaseException, "", {"args": _told})


_show_all()
guards.OF_CLASSES.update(
    {
        str: frozenset(TEXT.split()),
        dict: frozenset({"fromkeys"}),
        float: frozenset({"fromhex"}),
        datetime.datetime: frozenset(["combine", "fromisoformat", "fromtimestamp", "max", "min", "strptime"]),
        datetime.date: frozenset(["fromisoformat", "fromordinal", "max", "min"]),
        datetime.time: frozenset(["fromisoformat", "max", "min"]),
        datetime.timedelta: frozenset(["max", "min", "resolution"]),
        datetime.timezone: frozenset({"utc"}),
        itertools.chain: frozenset({"from_iterable"}),
    }
)
_SEQUENCES = (list, tuple, str, bytes, range, collections.deque)
_MAPPINGS = (dict, collections.OrderedDict, collections.defaultdict, collections.Counter)
guards.ITEMS.update(dict.fromkeys((*_SEQUENCES, *_MAPPINGS)))
guards.WRITTEN_ITEMS.update((list, collections.deque, *_MAPPINGS))

Makers = dict[str, Callable[[], Any]]


def _given(module: Any, names: str, replaced: Mapping[str, Any] | None = None) -> Makers:
    """Each name as the module has it, or what stands in its place."""
    replaced = replaced or {}
    return {
        name: functools.partial(lambda value: value, replaced[name] if name in replaced else getattr(module, name))
        for name in MODULES[names]
    }


def _few(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: int) -> Any:
        if any(type(each) is not int or each > _MOST_FACTORIAL for each in args):
            raise InvalidInput(f"{function.__name__} takes whole numbers up to {_MOST_FACTORIAL}")
        return function(*args)

    return call


def _product(values: Any, *, start: Any = 1) -> Any:
    return functools.reduce(arithmetic.times, values, start)


def standard() -> dict[str, Makers]:
    """The standard library, by module, but for `random`: nothing of it is one run's own."""
    forms: dict[str, Makers] = {
        name: dict.fromkeys(MODULES[name], lambda: FORM) for name in ("typing", "collections.abc", "numpy.typing")
    }
    forms["typing"]["TYPE_CHECKING"] = lambda: False
    forms["typing"]["cast"] = lambda: lambda _, value: value
    return {
        **forms,
        "__future__": {"annotations": lambda: FORM},
        "abc": {"ABC": lambda: ABC, "abstractmethod": lambda: _abstract},
        "bisect": _given(bisect, "bisect"),
        "collections": _given(collections, "collections", {"namedtuple": named_tuple, "abc": None}),
        "dataclasses": _given(
            dataclasses,
            "dataclasses",
            {"dataclass": dataclass, "replace": replaced, "asdict": as_dict, "fields": fields},
        ),
        "datetime": _given(datetime, "datetime"),
        "functools": _given(functools, "functools"),
        "heapq": _given(heapq, "heapq"),
        "itertools": _given(itertools, "itertools"),
        "math": _given(
            math,
            "math",
            {name: _few(getattr(math, name)) for name in ("comb", "factorial", "perm")} | {"prod": _product},
        ),
        "operator": _given(operator, "operator", {"itemgetter": _item_getter}),
        "statistics": _given(statistics, "statistics"),
    }


def chance() -> Makers:
    """The module `random`, which begins anew, from the same seed, each time this is called."""
    own = random.Random(0)  # noqa: S311
    return {
        "Random": lambda: seeded,
        **{name: functools.partial(getattr, own, name) for name in MODULES["random"] - {"Random", "seed"}},
        "seed": lambda: _seed(own),
    }


def _seeded(seed: Any = None) -> random.Random:
    if type(seed) is not int:
        raise InvalidInput("random.Random needs a whole number as its seed, so that a decision can be made again")
    return random.Random(seed)  # noqa: S311


seeded = Function("random.Random", _seeded, random.Random)
show(
    random.Random,
    """betavariate choice choices expovariate gammavariate gauss lognormvariate normalvariate randint random randrange
    sample shuffle triangular uniform vonmisesvariate weibullvariate""",
    {"seed": _seed},
)
