"""Sweeps from rows and back."""

from typing import Any

from sqlalchemy import Row

from omc.adapters.postgres import jsonb, specs
from omc.backtest.run import RunStatus
from omc.backtest.sweep import Sweep


def values(sweep: Sweep) -> dict[str, Any]:
    """By column."""
    return specs.values(sweep.spec) | {
        "id": sweep.id,
        "user_id": sweep.user_id,
        "algorithm_id": sweep.algorithm_id,
        "algorithm_version": sweep.algorithm_version,
        "space": jsonb.text(sweep.space),
        "method": sweep.method,
        "points": sweep.points,
        "seed": sweep.seed,
        "objective": sweep.objective,
        "folds": sweep.folds,
        "scheme": sweep.scheme,
        "purge_bars": sweep.purge_bars,
        "embargo_bars": sweep.embargo_bars,
        "prune": sweep.prune,
        "status": sweep.status.value,
        "done": sweep.done,
        "failed": sweep.failed,
        "pruned": sweep.pruned,
        "best": None if sweep.best is None else jsonb.text(sweep.best),
        "error_message": sweep.error_message,
        "created_at": sweep.created_at,
        "started_at": sweep.started_at,
        "completed_at": sweep.completed_at,
        "driver": sweep.driver,
    }


def sweep(row: Row[Any]) -> Sweep:
    return Sweep(
        id=row.id,
        user_id=row.user_id,
        algorithm_id=row.algorithm_id,
        algorithm_version=row.algorithm_version,
        spec=specs.spec(row),
        space=row.space,
        method=row.method,
        points=row.points,
        seed=row.seed,
        objective=row.objective,
        status=RunStatus(row.status),
        done=row.done,
        best=row.best,
        error_message=row.error_message,
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
        folds=row.folds,
        scheme=row.scheme,
        purge_bars=row.purge_bars,
        embargo_bars=row.embargo_bars,
        prune=row.prune,
        failed=row.failed,
        pruned=row.pruned,
        driver=row.driver,
    )
