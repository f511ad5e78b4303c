"""What a sweep found, and how much of it is luck."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Any

from omc.backtest import overfitting
from omc.backtest.deflated import Deflated
from omc.backtest.metrics import NAN, YEAR_S
from omc.promotion.search import Search
from omc.promotion.trials import Tally


@dataclass(frozen=True, slots=True)
class Choice:
    """The point that was best before `fold` (counted from 1), its Sharpe ratio in the folds that it was chosen by, and
    in this one; annualized, NaN for none."""

    fold: int
    index: int
    parameters: Mapping[str, Any]
    in_sample: float
    out_of_sample: float


@dataclass(frozen=True, slots=True)
class SweepVerdict:
    """`deflated` is of the best point by Sharpe ratio, with all tries of the algorithm, the earlier ones included; None
    when no point has a ratio. `out_of_sample_sharpe` is that of trading, fold by fold, what was best before, and
    `degradation` how much of the ratio in sample is gone then; NaN without folds. `overfitting` is the probability
    that the best half the time is not even average in the other half; NaN when too little was tried."""

    tries: int
    deflated: Deflated | None
    overfitting: float
    out_of_sample_sharpe: float
    degradation: float
    choices: tuple[Choice, ...]


def verdict_of(search: Search, tally: Tally, bar_s: float) -> SweepVerdict:
    """Of what was tried so far, on bars of `bar_s` seconds."""
    blocks = search.blocks()
    indices, walked = search.by_fold()[0], search.walked()
    parameters = {
        int(at): point for part in search.tried for at, point in zip(part.indices, part.parameters, strict=True)
    }
    year = sqrt(YEAR_S / bar_s)
    chosen = (
        () if walked is None else zip(walked.folds, walked.chosen, walked.in_sample, walked.out_of_sample, strict=True)
    )
    return SweepVerdict(
        tries=tally.tries,
        deflated=_deflated(search, tally, bar_s),
        overfitting=overfitting.probability_of_overfitting(blocks) if len(blocks) > 1 else NAN,
        out_of_sample_sharpe=NAN if walked is None else walked.sharpe(YEAR_S / bar_s),
        degradation=NAN if walked is None else walked.degradation(YEAR_S / bar_s),
        choices=tuple(
            Choice(fold + 1, int(indices[row]), parameters[int(indices[row])], float(ours) * year, float(theirs) * year)
            for fold, row, ours, theirs in chosen
        ),
    )


def _deflated(search: Search, tally: Tally, bar_s: float) -> Deflated | None:
    whole = [part for part in search.tried if part.folds_seen == search.sweep.folds]
    found = [(part, row) for part in whole if (row := part.best("sharpe")) is not None]
    if not found:
        return None
    part, row = max(found, key=lambda each: float(each[0].column("sharpe")[each[1]]))
    return Deflated.of(part.point(row).metrics, bar_s, tally, folds=search.sweep.folds)
