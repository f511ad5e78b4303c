"""What runs in place of a dot, of brackets and of a write, in code that people wrote.

What a value shows depends on its type, and each type shows what a table lists: an attribute that nobody thought about
does not exist here. Values of the code's own classes show whatever the code gave them.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any

from omc.errors import InvalidInput
from omc.strategy.sandbox import arithmetic
from omc.strategy.sandbox.bases import PLATFORM
from omc.strategy.sandbox.classes import is_own, is_the_platforms, own_attribute
from omc.strategy.sandbox.facade import FORM, Facade, Form, Function, kinds_of, part, reached

Wrapper = Callable[[Any], Any]
"""From a value to what it shows by a name."""
Names = Mapping[str, Wrapper | None]
"""None for what is shown as it is."""
SHOWN: dict[type, Names] = {}
"""By exact type."""
FAMILIES: list[tuple[type, Names]] = []
"""Of every type below one, unless it has a table of its own."""
OF_CLASSES: dict[type, frozenset[str]] = {}
"""What types themselves show."""
ITEMS: dict[type, Callable[[Any], None] | None] = {}
"""Types whose values have items, and what looks at the key first."""
WRITTEN_ITEMS: set[type] = set()
WRITTEN_THROUGH: dict[type, Callable[[Any], Any]] = {}
"""What is written to in place of a value, where what is written is looked at."""
WRITTEN_ATTRIBUTES: dict[type, frozenset[str]] = {}
CONTEXTS: set[type] = set()
_MISSING = object()


def show(kind: type, names: str, wrapped: Mapping[str, Wrapper] | None = None) -> None:
    """Let values of exactly this type show these names."""
    SHOWN[kind] = {**dict.fromkeys(names.split()), **(wrapped or {})}
    _known.cache_clear()


def show_family(kind: type, names: str, wrapped: Mapping[str, Wrapper] | None = None) -> None:
    FAMILIES.append((kind, {**dict.fromkeys(names.split()), **(wrapped or {})}))
    _known.cache_clear()


@cache
def _known(kind: type) -> Names:
    if kind in SHOWN:
        return SHOWN[kind]
    return next((names for base, names in FAMILIES if issubclass(kind, base)), {})


def attribute(value: Any, name: str) -> Any:
    kind = type(value)
    names = SHOWN.get(kind)
    if names is not None and name in names:
        wrapper = names[name]
        return getattr(value, name) if wrapper is None else wrapper(value)
    if kind is Facade:
        return reached(value, name)
    if type(name) is not str:
        raise InvalidInput("an attribute's name is text")
    if name.startswith("_"):
        if own_attribute(value, kind, name) and not name.startswith("__"):
            return getattr(value, name)
        raise InvalidInput(f'"{name}" is not an attribute that code may read')
    if is_own(kind):
        return getattr(value, name)
    return _rare(value, kind, name)


def _rare(value: Any, kind: type, name: str) -> Any:
    if kind is Function:
        # `pd.DataFrame` and the like stand for a type, but show only what hangs on them.
        return part(value, name)
    if kind is Form:
        return FORM
    if isinstance(value, type):
        return _of_class(value, name)
    names = _known(kind)
    if name not in names:
        if issubclass(kind, tuple) and name in getattr(kind, "_fields", ()):
            return getattr(value, name)
        column = names.get("*")
        if column is not None:
            return column((value, name))
        raise InvalidInput(f"{name} of {_called(kind)} is not among what algorithms may use")
    wrapper = names[name]
    return getattr(value, name) if wrapper is None else wrapper(value)


def _of_class(kind: type, name: str) -> Any:
    if is_own(kind) or kind in PLATFORM:
        if any(name in vars(base) for base in kind.__mro__ if is_own(base) or base in PLATFORM):
            return getattr(kind, name)
    elif name in OF_CLASSES.get(kind, ()):
        return getattr(kind, name)
    raise InvalidInput(f"{name} of the type {_called(kind)} is not among what algorithms may use")


def _called(kind: type) -> str:
    return kind.__name__


def get_attribute(value: Any, name: str, default: Any = _MISSING) -> Any:
    """`getattr`, by the same rules."""
    try:
        return attribute(value, name)
    except AttributeError:
        if default is _MISSING:
            raise
        return default


def has_attribute(value: Any, name: str) -> bool:
    try:
        attribute(value, name)
    except (AttributeError, InvalidInput):
        return False
    return True


def item(value: Any, key: Any) -> Any:
    kind = type(value)
    if kind in ITEMS:
        look = ITEMS[kind]
        if look is not None:
            look(key)
        return value[key]
    if is_own(kind) or (issubclass(kind, tuple) and hasattr(kind, "_fields")):
        return value[key]
    if kind is Form or kind is Function or isinstance(value, type):
        # `list[int]`: only ever an annotation.
        return FORM
    raise InvalidInput(f"{_called(kind)} has no items that algorithms may use")


def write_item(value: Any) -> Any:
    kind = type(value)
    if kind in WRITTEN_ITEMS or is_own(kind):
        through = WRITTEN_THROUGH.get(kind)
        return value if through is None else through(value)
    raise InvalidInput(f"items of {_called(kind)} cannot be written to")


def write_attribute(value: Any, name: str) -> Any:
    kind = type(value)
    if is_own(kind):
        if is_the_platforms((kind,), name):
            raise InvalidInput(f"{name} is the platform's own and cannot be written to")
        return value
    if name in WRITTEN_ATTRIBUTES.get(kind, ()):
        return value
    raise InvalidInput(f"{name} of {_called(kind)} cannot be written to")


def held_attribute(value: Any, name: str) -> tuple[Any, Any, str | None, Any]:
    """What `value.name += …` reads before it writes."""
    write_attribute(value, name)
    return value, None, name, attribute(value, name)


def held_item(value: Any, key: Any) -> tuple[Any, Any, str | None, Any]:
    write_item(value)
    return value, key, None, item(value, key)


def augment(held: tuple[Any, Any, str | None, Any], sign: str, by: Any) -> None:
    value, key, name, current = held
    made = arithmetic.in_place(sign, current, by)
    if name is None:
        value[key] = made
    else:
        setattr(value, name, made)


def is_instance(value: Any, kinds: Any) -> bool:
    return isinstance(value, kinds_of(kinds))


def is_subclass(kind: Any, kinds: Any) -> bool:
    return issubclass(kinds_of(kind)[0], kinds_of(kinds))


def type_of(*args: Any) -> Any:
    """`type` of one argument, where that is one of Python's own simple types or a class of the code."""
    if len(args) != 1:
        raise InvalidInput("type makes no classes here: write a class statement")
    kind = type(args[0])
    if is_own(kind) or kind in (bool, int, float, complex, str, list, tuple, dict, set, frozenset, type(None)):
        return kind
    raise InvalidInput(f"the type of a {_called(kind)} is not among what algorithms may use: ask isinstance")


def context(value: Any) -> Any:
    if type(value) in CONTEXTS:
        return value
    raise InvalidInput(f"{_called(type(value))} cannot stand in a with statement; np.errstate(…) can")


def caught(kinds: Any) -> Any:
    """Only what is below Exception can be caught."""
    for kind in kinds if type(kinds) is tuple else (kinds,):
        if not isinstance(kind, type) or not issubclass(kind, Exception):
            raise InvalidInput("only Exception and what is below it can be caught")
    return kinds


def refuse_callables(keys: Any) -> None:
    """Looks at what is put in brackets."""
    for key in keys if type(keys) is tuple else (keys,):
        if callable(key) and not isinstance(key, type):
            raise InvalidInput("a function in brackets would be called there: call it first")


def guards(extra: Iterable[tuple[str, Any]] = ()) -> dict[str, Any]:
    """By the names that the policy calls them."""
    return {
        "_getattr_": attribute,
        "_getitem_": item,
        "_write_item_": write_item,
        "_write_attribute_": write_attribute,
        "_held_attribute_": held_attribute,
        "_held_item_": held_item,
        "_augment_": augment,
        "_inplacevar_": arithmetic.in_place,
        "_times_": arithmetic.times,
        "_power_": arithmetic.power,
        "_shifted_": arithmetic.shifted,
        "_modulo_": arithmetic.modulo,
        "_spec_": arithmetic.spec,
        "_context_": context,
        "_caught_": caught,
        **dict(extra),
    }
