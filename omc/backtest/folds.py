"""Walk-forward folds: one part of the window after the other is a future that nothing was chosen by.

The window is cut into one part more than there are folds. The first part only trains; fold k is tested on part k, and
trained on the parts before it: all of them (anchored), or the one just before (rolling). Between what trains and what
tests, rows are left out: the last `purge_bars` of every part, whose outcomes reach into the next, and the first
`embargo_bars` of every part, which still remember the one before (López de Prado 2018, chapter 7).
"""

from dataclasses import dataclass

from omc.errors import InvalidInput

SCHEMES = ("anchored", "rolling")
MOST_FOLDS = 50
_FEWEST_BARS = 2


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows of the window, from the first to before the last."""

    train: tuple[int, int]
    test: tuple[int, int]


def check_folds(count: int, scheme: str, purge_bars: int, embargo_bars: int) -> None:
    """InvalidInput for folds that no window could have."""
    if scheme not in SCHEMES:
        raise InvalidInput(f"the scheme of folds is {' or '.join(SCHEMES)}, not {scheme!r}")
    if not 0 <= count <= MOST_FOLDS or count == 1:
        raise InvalidInput(f"a sweep has no folds, or from 2 to {MOST_FOLDS}, not {count}")
    if purge_bars < 0 or embargo_bars < 0:
        raise InvalidInput("purge_bars and embargo_bars cannot be negative")


def fewest_bars(count: int, purge_bars: int, embargo_bars: int) -> int:
    """Of a window with so many folds, none included."""
    return (count + 1) * (_FEWEST_BARS + purge_bars + embargo_bars) if count else _FEWEST_BARS


def folds(rows: int, count: int, *, scheme: str, purge_bars: int, embargo_bars: int) -> tuple[Fold, ...]:
    """The folds of a window of `rows`, oldest first. InvalidInput when too few rows are left to test on."""
    check_folds(count, scheme, purge_bars, embargo_bars)
    edges = [rows * part // (count + 1) for part in range(count + 2)]
    if rows < fewest_bars(count, purge_bars, embargo_bars):
        raise InvalidInput(
            f"{rows} bars are too few for {count} folds: each would be tested on less than {_FEWEST_BARS} of them"
        )
    return tuple(
        Fold(
            train=(0 if scheme == "anchored" else edges[k - 1], edges[k] - purge_bars),
            test=(edges[k] + embargo_bars, edges[k + 1] - purge_bars),
        )
        for k in range(1, count + 1)
    )
