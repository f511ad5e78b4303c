"""From source to the algorithm that it defines: what it says of itself, and made with parameters."""

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from omc.errors import InvalidInput
from omc.strategy.builtin import Builtin
from omc.strategy.description import Description, Scalar
from omc.strategy.parameter import Parameter
from omc.strategy.sandbox.classes import is_own
from omc.strategy.sandbox.confined import Confined
from omc.strategy.sandbox.program import FILENAME, compile_source

_PLAIN = (bool, int, float, str, type(None))
_LONGEST = 500


class Loaded:
    """Somebody's code, loaded: it makes the algorithm that it defines."""

    def __init__(self, kind: Any, again: "Callable[[], Loaded]") -> None:
        self._kind, self._again = kind, again
        self._fields: Mapping[str, Any] = _fields(kind)

    def describe(self) -> Description:
        """InvalidInput for a class that says of itself what cannot be."""
        kind, required = self._kind, tuple(name for name, default in self._fields.items() if default is _REQUIRED)
        fewest, most = getattr(kind, "fewest_coins", 1), getattr(kind, "most_coins", None)
        if type(fewest) is not int or fewest < 1 or (most is not None and (type(most) is not int or most < fewest)):
            raise InvalidInput(f"{kind.__name__}: fewest_coins and most_coins are whole numbers from 1 up")
        return Description(
            algorithm_type=_text(kind, "algorithm_type", kind.__name__),
            description=_text(kind, "description", (kind.__doc__ or "").strip()),
            fewest_coins=fewest,
            most_coins=most,
            defaults={name: None if default is _REQUIRED else default for name, default in self._fields.items()},
            parameters=_parameters(kind),
            required=required,
            fits=any("fit" in vars(base) for base in kind.__mro__ if is_own(base)),
        )

    def anew(self) -> "Loaded":
        """The same code, in which nothing is left of what it did since it was loaded: run once more where it has
        anywhere to keep it."""
        return self._again()

    def make(self, parameters: Mapping[str, Scalar]) -> Confined:
        """The algorithm. InvalidInput for parameters that it does not have, of another type, or that it refuses."""
        name = self._kind.__name__
        for each, value in parameters.items():
            if each not in self._fields:
                known = ", ".join(self._fields) or "none"
                raise InvalidInput(f"{name} has no parameter {each!r}; it has {known}")
            _check(name, each, value, self._fields[each])
        missing = [each for each, value in self._fields.items() if value is _REQUIRED and each not in parameters]
        if missing:
            raise InvalidInput(f"{name} needs {', '.join(missing)}")
        if issubclass(self._kind, Builtin):
            return Confined(self._kind.of(**parameters), {})
        defaults = {each: value for each, value in self._fields.items() if value is not _REQUIRED}
        return Confined(self._kind(**{**defaults, **parameters}), {**defaults, **parameters})


class _Required:
    """In place of a default that is not there."""


_REQUIRED = _Required()


def load(source: str | bytes, out: Callable[[str], Any] | None = None) -> Loaded:
    """The one algorithm that `source` defines; `out` takes what the code prints.

    InvalidInput names line, column, what and why for code that is refused, that does not run, or that defines no
    algorithm or several."""
    program = compile_source(source)

    def run() -> Loaded:
        try:
            names = program.run(out=out)
        except Exception as fault:
            raise InvalidInput(f"{where(fault)}{_said(fault)}") from None
        # Without anywhere to keep anything, one run is like another.
        loaded = Loaded(_defined(names), run if program.keeps else lambda: loaded)
        return loaded

    return run()


def where(fault: BaseException) -> str:
    """`line 3: `, the innermost line of the code that a fault came through; nothing when it came through none."""
    at, line = fault.__traceback__, None
    while at is not None:
        line = at.tb_lineno if at.tb_frame.f_code.co_filename == FILENAME else line
        at = at.tb_next
    return "" if line is None else f"line {line}: "


def _said(fault: BaseException) -> str:
    try:
        text = str(fault)[:_LONGEST]
    except Exception as worse:
        text = f"({type(worse).__name__} when it was to say what)"
    return text if isinstance(fault, InvalidInput) else f"{type(fault).__name__}: {text}"


def _defined(names: Mapping[str, Any]) -> Any:
    kinds = [each for each in names.values() if isinstance(each, type) and is_own(each)]
    found = {each for each in kinds if _is_algorithm(each)}
    # One that others are made from is a part of them.
    found -= {base for each in found for base in each.__mro__[1:]}
    if len(found) == 1:
        return found.pop()
    if found:
        listed = ", ".join(sorted(each.__name__ for each in found))
        raise InvalidInput(
            f"the code defines several algorithms, {listed}: keep one, and let no other have memory_bars"
        )
    for each in kinds:
        if inspect.isabstract(each):
            raise InvalidInput(f"{each.__name__} lacks {', '.join(sorted(each.__abstractmethods__))}")  # type: ignore[attr-defined]
        if _answers(each):
            raise InvalidInput(
                f"{each.__name__} lacks memory_bars: how many bars a decision looks back, its own included"
            )
    raise InvalidInput("the code defines no algorithm: a class with predict(self, frame) and memory_bars")


def _answers(kind: type) -> bool:
    return callable(getattr(kind, "predict", None))


def _is_algorithm(kind: Any) -> bool:
    if inspect.isabstract(kind):
        return False
    annotated = {name for base in kind.__mro__ for name in vars(base).get("__annotations__", {})}
    remembers = hasattr(kind, "memory_bars") or "memory_bars" in annotated or _assigns(kind, "memory_bars")
    return _answers(kind) and remembers


def _assigns(kind: Any, name: str) -> bool:
    """Whether `__init__` writes or is given an attribute of that name."""
    code = getattr(kind.__init__, "__code__", None)
    return code is not None and (name in code.co_names or name in code.co_consts)


def _fields(kind: Any) -> dict[str, Any]:
    """Each parameter's default."""
    if dataclasses.is_dataclass(kind):
        return {
            each.name: _default(kind, each.name, _REQUIRED if each.default is dataclasses.MISSING else each.default)
            for each in dataclasses.fields(kind)
            if each.init
        }
    if kind.__init__ is object.__init__:
        return {}
    found = {}
    for each in list(inspect.signature(kind.__init__).parameters.values())[1:]:
        if each.kind not in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY):
            raise InvalidInput(f"{kind.__name__} names its parameters one by one, without stars")
        found[each.name] = _default(kind, each.name, _REQUIRED if each.default is each.empty else each.default)
    return found


def _default(kind: Any, name: str, value: Any) -> Any:
    if value is not _REQUIRED and type(value) not in _PLAIN:
        raise InvalidInput(f"{kind.__name__}: the default of {name} is a number, text, True, False or None")
    return value


def _check(owner: str, name: str, value: Any, default: Any) -> None:
    if type(value) not in _PLAIN:
        raise InvalidInput(f"{owner}: {name} is a number, text, True, False or None")
    if default is _REQUIRED or default is None or value is None:
        return
    fits = type(value) is type(default) or (type(default) is float and type(value) is int)
    if not fits:
        raise InvalidInput(f"{owner}: {name} must be {_KINDS[type(default)]}, not {value!r}")


_KINDS = {int: "a whole number", float: "a number", bool: "True or False", str: "text"}


def _parameters(kind: Any) -> dict[str, Parameter]:
    if not dataclasses.is_dataclass(kind):
        return {}
    owner: Any = kind
    found = {each.name: each.metadata.get("parameter") for each in dataclasses.fields(kind)}
    if issubclass(owner, Builtin) and None in found.values():
        name = next(name for name, each in found.items() if each is None)
        raise InvalidInput(f"{owner.__name__}: {name} is made with whole(…) or real(…)")
    return {name: each for name, each in found.items() if type(each) is Parameter}


def _text(kind: Any, name: str, otherwise: str) -> str:
    value = getattr(kind, name, otherwise)
    if type(value) is not str:
        raise InvalidInput(f"{kind.__name__}: {name} is text")
    return value[:_LONGEST]
