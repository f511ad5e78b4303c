"""The parameters by which an algorithm has its positions closed: a stop, a trailing stop and a target.

A parameter is a number, so "none" is one too: a stop at a loss of all, a target at ten times the gain of a doubling.
"""

from collections.abc import Mapping
from typing import Any

from omc.strategy.parameter import real
from omc.trading.exits import NONE, Exits

NO_STOP = 1.0
NO_TARGET = 10.0


def stop(default: float = NO_STOP) -> Any:
    """A field, to be called `stop_loss`."""
    search = (0.01, 0.2) if default < NO_STOP else None
    about = "fraction lost since the entry that sells; 1 never does"
    return real(default, low=0.0001, high=NO_STOP, about=about, search=search)


def trail(default: float = NO_STOP) -> Any:
    """A field, to be called `trailing`."""
    search = (0.01, 0.2) if default < NO_STOP else None
    about = "fraction below the best price since the entry that sells; 1 never does"
    return real(default, low=0.0001, high=NO_STOP, about=about, search=search)


def target(default: float = NO_TARGET) -> Any:
    """A field, to be called `take_profit`."""
    search = (0.01, 0.3) if default < NO_TARGET else None
    about = "fraction gained since the entry that sells; 10 never does"
    return real(default, low=0.0001, high=NO_TARGET, about=about, search=search)


def exits_of(params: Mapping[str, Any]) -> Exits:
    """What those of an algorithm's parameters ask for that are called as above."""
    stop_loss, trailing = params.get("stop_loss", NO_STOP), params.get("trailing", NO_STOP)
    gained = params.get("take_profit", NO_TARGET)
    return Exits(
        stop_loss=stop_loss if stop_loss < NO_STOP else NONE,
        trailing=trailing if trailing < NO_STOP else NONE,
        take_profit=((0, gained),) if gained < NO_TARGET else (),
    )
