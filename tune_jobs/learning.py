"""A search that learns: Optuna's tree-structured Parzen estimator (Bergstra et al. 2011), asked and told in order."""

from collections.abc import Sequence
from math import ceil, floor
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.trial import Trial, TrialState

from omc.backtest.choice import Range, Values
from omc.backtest.search_space import SearchSpace, looking_cpu_s

_DRAWS = 50


class OptunaProposer:
    """A Proposer. Points that the algorithm would refuse are told as failed and drawn again, as often as it takes."""

    def __init__(self, space: SearchSpace) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._algorithms = space.algorithms(looking_cpu_s(space.points))
        self._within = {name: _distribution(choice) for name, choice in space.choices.items()}
        self._study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=space.seed))
        self._asked: list[Trial] = []

    def ask(self, count: int) -> list[dict[str, Any]]:
        self._asked = [self._ask() for _ in range(count)]
        return [dict(trial.params) for trial in self._asked]

    def _ask(self) -> Trial:
        for _ in range(_DRAWS):
            trial = self._study.ask(self._within)
            if self._algorithms.refusal(trial.params) is None:
                return trial
            self._study.tell(trial, state=TrialState.FAIL)
        # As a random search does: the point is tried, and fails with its reason.
        return self._study.ask(self._within)

    def close(self) -> None:
        self._algorithms.close()

    def tell(self, scores: Sequence[Sequence[float | None]], folds: int) -> None:
        for trial, means in zip(self._asked, scores, strict=True):
            known = [mean for mean in means if mean is not None]
            if not known or known[-1] != means[-1]:
                self._study.tell(trial, state=TrialState.FAIL)
            elif len(means) < folds:
                for step, mean in enumerate(known):
                    trial.report(mean, step)
                self._study.tell(trial, state=TrialState.PRUNED)
            else:
                self._study.tell(trial, known[-1])


def _distribution(choice: Values | Range) -> BaseDistribution:
    match choice:
        case Values(given):
            return CategoricalDistribution(given)
        case Range(low, high, log, True):
            return IntDistribution(ceil(low), floor(high), log=log)
        case Range(low, high, log):
            return FloatDistribution(float(low), float(high), log=log)
