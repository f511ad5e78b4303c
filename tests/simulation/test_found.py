"""What was found once is found again: that a guard is missing, by the seed that found it; and no bug that is mended."""

from itertools import chain
from pathlib import Path

import pytest

from tests.simulation.guards import Guard
from tests.simulation.happening import Blow
from tests.simulation.scenario import Scenario
from tests.simulation.seed import run

SEARCHED = range(1, 3001)
"""Where one is looked for, when no known seed finds it: among those that can."""


def _can_find(guard: Guard, drawn: Scenario) -> bool:
    match guard:
        case Guard.CLOSED_ACCOUNT:
            return drawn.takes
        case Guard.UNKNOWN_STATE:
            return bool(drawn.fault_rate) and not drawn.lags
        case Guard.SINGLE_SENDER:
            return any(each.what is Blow.SPLIT_SENDING for each in drawn.happenings)
        case Guard.PROMISE:
            wide = (bounds.gross_notional_aud or bounds.position_notional_aud for bounds in drawn.limits[1:])
            return drawn.lockstep and not drawn.shared and drawn.deployments > drawn.users and any(wide)
        case _:
            return True


def _found() -> list[tuple[str, int]]:
    lines = (Path(__file__).parent / "found.txt").read_text().splitlines()
    said = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return [(words[0], int(words[1])) for words in said]


FOUND = _found()


@pytest.mark.parametrize("guard", Guard, ids=lambda guard: guard.value)
def test_without_a_guard_a_seed_finds_the_bug_and_with_it_none(guard: Guard) -> None:
    """The seed that is known, or another: whatever changes in the product changes histories."""
    known = [seed for name, seed in FOUND if name == guard.value]
    others = (seed for seed in SEARCHED if _can_find(guard, Scenario.of(seed)))
    found = (seed for seed in chain(known, others) if run(seed, guard).violations and not run(seed).violations)
    assert next(found, None) is not None


@pytest.mark.parametrize("seed", [seed for guard, seed in FOUND if guard == "-"])
def test_what_a_seed_has_found_is_mended(seed: int) -> None:
    assert run(seed).violations == ()
