"""Classes that code defines: what they may inherit from, and which they are."""

import dataclasses
from abc import ABC, ABCMeta
from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any
from weakref import WeakSet

from omc.errors import InvalidInput
from omc.strategy.sandbox.bases import PLATFORM
from omc.strategy.sandbox.facade import FORM
from omc.strategy.sandbox.offered import SPECIAL_METHODS

MODULE = "algorithm"
"""Where their classes say that they come from."""
_OWN: WeakSet[type] = WeakSet()
_BASES: set[type] = {object, ABC, *PLATFORM}
_SAID_BY_PYTHON = {"__module__", "__qualname__", "__annotations__", "__doc__", "__orig_bases__", "__classcell__"}
_SAID_BY_PYTHON |= {"__static_attributes__", "__firstlineno__", "__annotate__", "__annotate_func__"}
_PRIVATE = {"_fitted", "parameters", "of", "get_params", "set_params"}
"""What a platform's class keeps in its instances, and by which it reads and writes attributes that these name."""
_DATACLASS = {"init", "repr", "eq", "frozen", "kw_only", "slots"}


def is_own(kind: type) -> bool:
    """Whether code defined this class."""
    return kind in _OWN


def may_inherit(*kinds: type) -> None:
    """Let code's classes inherit from these, too."""
    _BASES.update(kinds)


def made(name: str, bases: Sequence[Any], body: Mapping[str, Any]) -> type:
    """What a class statement makes."""
    kept = tuple(base for base in bases if base is not FORM)
    for base in kept:
        own = isinstance(base, type) and (is_own(base) or base in _BASES or _is_fault(base))
        if not own:
            raise InvalidInput(f"class {name} cannot inherit from {getattr(base, '__name__', repr(base))}")
    for said in body:
        if said.startswith("__") and said not in _SAID_BY_PYTHON | SPECIAL_METHODS:
            raise InvalidInput(f"class {name} cannot define {said}")
    for said in (*body, *body.get("__annotations__", ())):
        if is_the_platforms(kept, said):
            raise InvalidInput(f"class {name} cannot replace {said}, which is the platform's own")
    meta: Any = ABCMeta if any(isinstance(base, ABCMeta) for base in kept) else type
    kind: type = meta(name, kept, {each: value for each, value in body.items() if each != "__orig_bases__"})
    _OWN.add(kind)
    return kind


def _is_fault(kind: type) -> bool:
    return issubclass(kind, Exception) and (kind.__module__ == "builtins" or kind is InvalidInput)


def dataclass(kind: Any = None, /, **options: Any) -> Any:
    """`dataclasses.dataclass`, for a class of the code's own."""
    for name, value in options.items():
        if name not in _DATACLASS or type(value) is not bool:
            raise InvalidInput(f"dataclass takes {', '.join(sorted(_DATACLASS))}, each True or False, not {name}")

    def decorate(plain: Any) -> Any:
        if not isinstance(plain, type) or not is_own(plain):
            raise InvalidInput("only a class of the code's own can be made a dataclass")
        done: type = dataclasses.dataclass(plain, **options)
        _OWN.add(done)
        return done

    return decorate if kind is None else decorate(kind)


def named_tuple(name: Any, names: Any) -> type:
    """`collections.namedtuple`, of names written in one string or a list."""
    parts = names.replace(",", " ").split() if type(names) is str else names
    if type(name) is not str or type(parts) not in (list, tuple) or not all(type(each) is str for each in parts):
        raise InvalidInput("a named tuple has a name and a list of names")
    kind: Any = namedtuple(name, list(parts), module=MODULE)  # type: ignore[misc]
    _OWN.add(kind)
    return kind


def is_the_platforms(kinds: Sequence[type], name: str) -> bool:
    """Whether a name is one that the platform's classes, or a library's, rely on: these may not be replaced."""
    bases = {base for kind in kinds for base in kind.__mro__}
    if name in _PRIVATE:
        return any(base in PLATFORM for base in bases)
    private = name.startswith("_") and not name.startswith("__")
    return private and any(
        name in vars(base) for base in bases if base in PLATFORM or base.__module__.startswith("sklearn")
    )


def replaced(value: Any, /, **changes: Any) -> Any:
    """`dataclasses.replace`, for a value of the code's own."""
    return dataclasses.replace(_own(value), **changes)


def as_dict(value: Any) -> Any:
    return dataclasses.asdict(_own(value))


def fields(value: Any) -> Any:
    return dataclasses.fields(value if isinstance(value, type) and is_own(value) else _own(value))


def _own(value: Any) -> Any:
    if not is_own(type(value)):
        raise InvalidInput("this is for dataclasses of the code's own")
    return value


def own_attribute(value: Any, kind: type, name: str) -> bool:
    """Whether an attribute that begins with an underscore is one that code itself gave to its own object or class."""
    if is_own(kind):
        held = getattr(value, "__dict__", None)
        if held is not None and name in held:
            return True
        return any(name in vars(base) for base in kind.__mro__ if is_own(base))
    return (
        isinstance(value, type) and is_own(value) and any(name in vars(base) for base in value.__mro__ if is_own(base))
    )
