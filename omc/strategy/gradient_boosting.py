"""Trees that each mend what the ones before them got wrong, by XGBoost."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from omc.feature.frame import FloatArray
from omc.strategy.model import Fitted, Scorer
from omc.strategy.parameter import real, whole

if TYPE_CHECKING:
    import xgboost


@dataclass(eq=False)
class GradientBoosting(Fitted):
    """One thread and no chance in it, so that the same rows grow the same trees everywhere."""

    algorithm_type: ClassVar[str] = "gradient_boosting"
    description: ClassVar[str] = (
        "Holds each coin, in equal parts, while gradient-boosted trees on its recent past, fitted anew on a schedule, "
        "expect a gain after costs."
    )

    trees: int = whole(50, low=1, high=1_000, about="trees of a model", search=(20, 200))
    depth: int = whole(3, low=1, high=10, about="questions that a tree asks of a row at most", search=(2, 5))
    learning_rate: float = real(
        0.1, low=0.001, high=1.0, about="part of its answer that a tree adds", search=(0.02, 0.3)
    )
    penalty: float = real(1.0, low=0.0, high=1e6, about="weight of the leaves' squares", search=(0.1, 100.0))

    def learn(self, found: FloatArray, gained: FloatArray, weights: FloatArray) -> Scorer:
        # Here and not above: nobody else on the floor should pay for it with 150 MB.
        import xgboost

        settings = {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "nthread": 1,
            "seed": 0,
            "max_depth": self.depth,
            "eta": self.learning_rate,
            "lambda": self.penalty,
        }
        rows = xgboost.QuantileDMatrix(found, gained, weight=weights, nthread=1)
        return Trees(xgboost.train(settings, rows, num_boost_round=self.trees))


@dataclass(frozen=True, slots=True)
class Trees:
    booster: "xgboost.Booster"

    def __call__(self, found: FloatArray) -> FloatArray:
        return self.booster.inplace_predict(found, predict_type="margin").astype(np.float64)
