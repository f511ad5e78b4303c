"""Sweeps as they are asked for and shown."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Discriminator, Field, Tag

from omc.backtest.folds import MOST_FOLDS
from omc.backtest.metrics import METRICS
from omc.backtest.run import RunStatus
from omc.backtest.search_space import MOST_POINTS
from omc.backtest.sweep import Sweep, SweepPoint
from serve_apps.envelope import Paging
from serve_apps.lab.spec import SpecIn, SpecOut
from serve_apps.wire import Body, Finite, Metric, ParameterName, Scalar, Time, Whole

_METRIC_NAMES = Literal[tuple(METRICS)]  # type: ignore[valid-type]


class Range(Body):
    """Values from `low` to `high`, drawn at random; `log` draws their magnitudes evenly."""

    low: Finite
    high: Finite
    log: bool = False
    integer: bool = False


Values = Annotated[list[Scalar], Field(min_length=1, max_length=1_000)]
Searched = Annotated[
    Annotated[Values, Tag("values")] | Annotated[Range, Tag("range")],
    Discriminator(lambda given: "range" if isinstance(given, dict | Range) else "values"),
]


class SweepIn(SpecIn):
    """`grid` tries every combination of lists of values; `random` draws `points` from lists or ranges; `optuna` asks
    for `points` where earlier ones did well. With `folds` every point is tried on one part of the window after the
    other, none of which it was chosen by; with `prune` two thirds of the points are given up after each fold."""

    space: Annotated[dict[ParameterName, Searched], Field(min_length=1, max_length=20)]
    method: Literal["grid", "random", "optuna"] = "grid"
    points: Annotated[Whole, Field(ge=1, le=MOST_POINTS)] | None = Field(
        None, description="For random and optuna: how many."
    )
    seed: Annotated[Whole, Field(ge=0, le=2**31 - 1)] = 7
    objective: _METRIC_NAMES = "sharpe"  # type: ignore[valid-type]
    folds: Annotated[Whole, Field(ge=0, le=MOST_FOLDS)] = Field(0, description="0 for none, or at least 2.")
    scheme: Literal["anchored", "rolling"] = Field(
        "anchored", description="Whether a fold trains on all parts before it, or on the one just before."
    )
    purge_bars: Annotated[Whole, Field(ge=0, le=100_000)] = Field(0, description="Left out at the end of each part.")
    embargo_bars: Annotated[Whole, Field(ge=0, le=100_000)] = Field(
        0, description="Left out at the start of each part."
    )
    prune: Annotated[bool, Field(strict=True)] = Field(False, description="Needs folds.")

    def plain_space(self) -> dict[str, Any]:
        """As it is stored: a list of values or a range by parameter."""
        return {
            name: values.model_dump() if isinstance(values, Range) else list(values)
            for name, values in self.space.items()
        }


class PointOut(BaseModel):
    """One tried point; `error` says why it has no metrics. With folds, `fold_scores` are the objective by fold, and
    `pruned_after` is the number of folds after which it was given up."""

    index: int
    parameters: dict[str, Any]
    metrics: dict[str, Metric]
    error: str | None
    traceback: str | None
    fold_scores: list[Metric]
    pruned_after: int | None

    @classmethod
    def of(cls, point: SweepPoint) -> Self:
        return cls(
            index=point.index,
            parameters=dict(point.parameters),
            metrics=dict(point.metrics),
            error=point.error,
            traceback=point.traceback,
            fold_scores=list(point.fold_scores),
            pruned_after=point.pruned_after,
        )


class SweepOut(SpecOut):
    """`done` counts the points that are over: tried on all folds, `failed` among them, or `pruned`. `best` is the best
    so far."""

    id: UUID
    space: dict[str, Any]
    method: Literal["grid", "random", "optuna"]
    points: int
    seed: int
    objective: str
    folds: int
    scheme: Literal["anchored", "rolling"]
    purge_bars: int
    embargo_bars: int
    prune: bool
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
    progress: float
    done: int
    failed: int
    pruned: int
    best: dict[str, Any] | None
    error_message: str | None
    created_at: Time
    started_at: Time | None
    completed_at: Time | None

    @classmethod
    def of(cls, sweep: Sweep) -> Self:
        return cls(
            id=sweep.id,
            space=dict(sweep.space),
            method=sweep.method,
            points=sweep.points,
            seed=sweep.seed,
            objective=sweep.objective,
            folds=sweep.folds,
            scheme=sweep.scheme,
            purge_bars=sweep.purge_bars,
            embargo_bars=sweep.embargo_bars,
            prune=sweep.prune,
            status=sweep.status.value,
            progress=1.0 if sweep.status is RunStatus.COMPLETED else min(1.0, sweep.done / max(1, sweep.points)),
            done=sweep.done,
            failed=sweep.failed,
            pruned=sweep.pruned,
            best=dict(sweep.best) if sweep.best else None,
            error_message=sweep.error_message,
            created_at=sweep.created_at,
            started_at=sweep.started_at,
            completed_at=sweep.completed_at,
            **SpecOut.figures(sweep.algorithm_id, sweep.algorithm_version, sweep.spec),
        )


class ResultQuery(Paging):
    """Best first by the sweep's objective, unless told otherwise; points without the metric come last."""

    sort: Literal[("index", *METRICS)] | None = None  # type: ignore[valid-type]
    order: Literal["asc", "desc"] | None = None
    format: Literal["json", "csv", "parquet"] = "json"
