"""What code holds in place of modules, library functions and types: frozen, and without anything to find inside.

Their slots begin with an underscore, which no code can name, and what code reads of them goes through `reached`.
"""

# ruff: noqa: SLF001 (what no code may name is opened here, and only here)

from collections.abc import Callable, Mapping
from types import UnionType
from typing import Any, get_args

from omc.errors import InvalidInput

Maker = Callable[[], Any]


class Facade:
    """In place of a module: names, each made when it is first asked for."""

    __slots__ = ("_made", "_makers", "_name")

    def __init__(self, name: str, makers: Mapping[str, Maker]) -> None:
        self._name, self._makers, self._made = name, makers, dict[str, Any]()

    def __repr__(self) -> str:
        return f"<{self._name}, as far as algorithms may use it>"


class Function:
    """In place of a function or of a type: it can be called. `_kind` is what `isinstance` takes it for, if anything."""

    __slots__ = ("_call", "_kind", "_name", "_parts")

    def __init__(
        self,
        name: str,
        call: Callable[..., Any],
        kind: type | tuple[type, ...] | None = None,
        parts: Mapping[str, Any] | None = None,
    ) -> None:
        self._name, self._call, self._kind, self._parts = name, call, kind, parts or {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<{self._name}>"


class Form:
    """In place of everything that is only written in annotations: it stays itself, whatever is done to it."""

    __slots__ = ()

    def __call__(self, *args: Any, **kwargs: Any) -> "Form":
        return self

    def __or__(self, other: Any) -> "Form":
        return self

    __ror__ = __or__

    def __repr__(self) -> str:
        return "<a type>"


FORM = Form()


def kind_only(name: str, kind: type) -> Function:
    """A type that may be asked about and not called."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise InvalidInput(f"{name} cannot be called: there are functions that make such values")

    return Function(name, refuse, kind)


def reached(facade: Facade, name: str) -> Any:
    """What a facade has by that name. InvalidInput when it has none."""
    if name not in facade._made:
        maker = facade._makers.get(name)
        if maker is None:
            raise InvalidInput(f"{name} of {facade._name} is not among what algorithms may use")
        facade._made[name] = maker()
    return facade._made[name]


def name_of(facade: Facade) -> str:
    """The module that it stands in for."""
    return facade._name


def part(function: Function, name: str) -> Any:
    """What hangs on a function, such as `accumulate`. InvalidInput when nothing of that name does."""
    if name not in function._parts:
        raise InvalidInput(f"{name} of {function._name} is not among what algorithms may use")
    return function._parts[name]


def real_kind(value: Any) -> Any:
    """The type that a function stands in for; any other value as it is."""
    return value._kind if type(value) is Function and isinstance(value._kind, type) else value


def kinds_of(kinds: Any) -> tuple[type, ...]:
    """What `isinstance` is to be asked in place of `kinds`."""
    if type(kinds) is tuple:
        return tuple(kind for each in kinds for kind in kinds_of(each))
    if type(kinds) is Function and kinds._kind is not None:
        return kinds._kind if isinstance(kinds._kind, tuple) else (kinds._kind,)
    if isinstance(kinds, type):
        return (kinds,)
    if type(kinds) is UnionType:
        return get_args(kinds)
    raise InvalidInput("isinstance needs types that are known here")
