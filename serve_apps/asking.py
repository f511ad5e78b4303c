"""When an algorithm is asked, as it is wished for."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from omc.strategy.trigger import MOST, Triggers, check_coins, triggers_of
from serve_apps.wire import ParameterName, Scalar

TriggersIn = Annotated[list[Annotated[dict[ParameterName, Scalar], Field(max_length=5)]], Field(max_length=MOST)]
"""`{"on": "price", "coin", "level_aud", "direction"}`, `{"on": "schedule", "every_s"}` or `{"on": "schedule", "at",
"zone"}`, each."""


def triggers_for(told: TriggersIn, coins: Sequence[str]) -> Triggers:
    """InvalidInput for what is no trigger, or looks at a coin that is not traded."""
    triggers = triggers_of(told)
    check_coins(triggers, coins)
    return triggers
