"""What a sandbox says of an algorithm, as it is said in JSON and as it is believed: nothing that does not fit.

Whoever wrote the code may write the answer, too. So every field is looked at, every text is cut, and whatever else is
there is left where it is.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite, isnan
from typing import Any, TypeVar

from omc.adapters.sandbox_process.frames import unpacked
from omc.errors import InvalidInput
from omc.strategy.description import Description, Scalar, Traits
from omc.strategy.parameter import Parameter
from omc.strategy.printed import legible
from omc.trading.exits import Exits

MOST_MEMORY_BARS = 10_000_000
_MOST_COINS, _MOST_PARAMETERS, _MOST_TARGETS = 10_000, 200, 1_000
_LONGEST_NAME, _LONGEST_TEXT = 200, 4_000
_LONGEST_TOLD = 8_000
_MOST_WHOLE = 2**63
_LEVELS = ("stop_loss", "trailing", "trailing_tight", "trailing_offset")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure:
    """The answer that something failed."""

    said: str
    refused: bool
    """Whether the input was, rather than that the code failed."""


def answer_of(frame: memoryview | bytes, number: int | None) -> tuple[dict[str, Any] | Failure, str]:
    """What was done, or that it failed, and what was printed meanwhile. InvalidInput for anything but an answer to
    request `number`."""
    said = unpacked(frame)
    printed, asked = said.get("printed", ""), said.get("id")
    if asked != number or type(asked) is not type(number):
        raise InvalidInput("an answer to another question")
    if type(printed) is not str:
        raise InvalidInput("something printed that is no text")
    if type(said.get("done")) is dict:
        return said["done"], printed
    words = text(_of(said, "failed", str), _LONGEST_TOLD)
    return Failure(legible(words, len(words)), _of(said, "refused", bool)), printed


def said_description(description: Description) -> dict[str, Any]:
    return {**asdict(description), "parameters": {name: asdict(it) for name, it in description.parameters.items()}}


def description_of(said: Mapping[str, Any]) -> Description:
    """InvalidInput for what is no description."""
    defaults = {name: scalar(value) for name, value in _named(said, "defaults").items()}
    known = {name: _parameter(it) for name, it in _named(said, "parameters").items()}
    most = said.get("most_coins")
    required = _of(said, "required", list)
    if not all(name in defaults for name in (*known, *(each for each in required if isinstance(each, str)))):
        raise InvalidInput("a parameter has no name among those that may be set")
    return Description(
        algorithm_type=text(_of(said, "algorithm_type", str), _LONGEST_NAME),
        description=text(_of(said, "description", str), _LONGEST_TEXT),
        fewest_coins=whole(said, "fewest_coins", 0, _MOST_COINS),
        most_coins=None if most is None else whole(said, "most_coins", 0, _MOST_COINS),
        defaults=defaults,
        parameters=known,
        required=tuple(text(each, _LONGEST_NAME) for each in required if isinstance(each, str)),
        fits=_of(said, "fits", bool),
    )


def said_traits(traits: Traits) -> dict[str, Any]:
    exits = traits.exits
    levels = {name: None if isnan(level := getattr(exits, name)) else level for name in _LEVELS}
    others = {
        "take_profit": exits.take_profit,
        "time_stop_bars": exits.time_stop_bars,
        "reentry": exits.reentry,
        "gaps_at_open": exits.gaps_at_open,
    }
    return {"memory_bars": traits.memory_bars, "exits": levels | others if exits.any else None}


def traits_of(said: Mapping[str, Any]) -> Traits:
    """InvalidInput for traits that cannot be."""
    memory_bars = whole(said, "memory_bars", 0, MOST_MEMORY_BARS)
    if said.get("exits") is None:
        return Traits(memory_bars, Exits())
    exits = _of(said, "exits", dict)
    levels = {name: float("nan") if exits.get(name) is None else number(exits, name) for name in _LEVELS}
    targets = _of(exits, "take_profit", list)
    if len(targets) > _MOST_TARGETS or not all(type(each) is list and len(each) == 2 for each in targets):
        raise InvalidInput("take_profit is no list of ages and gains")
    try:
        return Traits(
            memory_bars,
            Exits(
                **levels,
                take_profit=tuple((_number(age), _number(gain)) for age, gain in targets),
                time_stop_bars=whole(exits, "time_stop_bars", 0, MOST_MEMORY_BARS),
                reentry=_of(exits, "reentry", bool),
                gaps_at_open=_of(exits, "gaps_at_open", bool),
            ),
        )
    except ValueError as reason:
        raise InvalidInput(str(reason)) from None


def scalar(value: object) -> Scalar:
    """A value of a parameter: a number, a word, true, false or nothing."""
    if isinstance(value, str):
        return text(value, _LONGEST_TEXT)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < _MOST_WHOLE:
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    raise InvalidInput(f"a {type(value).__name__} is no value of a parameter")


def text(value: str, longest: int) -> str:
    return value if len(value) <= longest else value[:longest] + "…"


def whole(said: Mapping[str, Any], name: str, low: int, high: int) -> int:
    value = _of(said, name, int)
    if not low <= value <= high:
        raise InvalidInput(f"{name} is {text(str(value), 40)}: from {low} to {high} it could be")
    return value


def number(said: Mapping[str, Any], name: str) -> float:
    return _number(said.get(name))


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise InvalidInput("a number is missing, or is none")
    return value


def _parameter(said: object) -> Parameter:
    if type(said) is not dict:
        raise InvalidInput("a parameter is no object")
    low, high = number(said, "low"), number(said, "high")
    if low > high:
        raise InvalidInput("a parameter's range ends before it begins")
    search = {text(name, _LONGEST_NAME): scalar(value) for name, value in _named(said, "search").items()}
    return Parameter(low, high, _of(said, "integer", bool), text(_of(said, "about", str), _LONGEST_TEXT), search)


def _named(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = _of(said, name, dict)
    if len(found) > _MOST_PARAMETERS or any(len(each) > _LONGEST_NAME for each in found):
        raise InvalidInput(f"{name} has too many names, or too long ones")
    return found


def _of(said: Mapping[str, Any], name: str, kind: type[T]) -> T:
    value = said.get(name)
    if type(value) is not kind:
        raise InvalidInput(f"{name} is {'missing' if value is None else f'a {type(value).__name__}'}")
    return value
