"""Carries a sweep out in this process: rounds, desk and store as a cluster's workers have them, without a cluster."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np

from omc.backtest.folds import folds
from omc.backtest.ground import Ground
from omc.backtest.rounds import Board, rounds
from omc.backtest.run import BacktestSpec, RunStatus
from omc.backtest.search_space import SearchSpace
from omc.backtest.sweep import Sweep, SweepStore
from omc.feature.frame import Frame
from omc.market.terms import Terms
from omc.promotion.search import Search
from omc.strategy.maker import Make
from omc.strategy.registry import make
from tune_jobs.batch import Batch, Desk

NOW = datetime(2025, 3, 1, tzinfo=UTC)
FREE = Terms(market_fee_bps=0)


def hourly(moves: np.ndarray) -> Frame:
    """A coin a column of `moves`, in logarithms, hour by hour, with hardly a spread."""
    last = np.round(100 * np.exp(np.cumsum(moves, axis=0)), 8).reshape(len(moves), -1)
    times = np.datetime64("2020-01-01", "us") + np.arange(len(moves)) * np.timedelta64(3600, "s")
    coins = ("BTC", "ETH", "SOL")[: last.shape[1]]
    return Frame(times, coins, last, np.round(last * 1.00001, 8), last)


def sweep_of(frame: Frame, space: dict[str, Any], **changes: Any) -> Sweep:
    """A grid over `frame`, but for what is named."""
    spec = BacktestSpec(
        algorithm_type="moving_average_crossover",
        parameters=make("moving_average_crossover", {}).get_params(),
        coins=frame.coins,
        start=frame.time(0),
        end=frame.time(len(frame) - 1),
        initial_cash_aud=Decimal("10000.00"),
        rebalance_band=0.05,
    )
    asked = Sweep(
        id=UUID(int=9),
        user_id=UUID(int=2),
        algorithm_id=UUID(int=1),
        algorithm_version=1,
        spec=spec,
        space=space,
        method="grid",
        points=0,
        seed=7,
        objective="sharpe",
        status=RunStatus.QUEUED,
        done=0,
        best=None,
        error_message=None,
        created_at=NOW,
        started_at=None,
        completed_at=None,
        **changes,
    )
    return replace(asked, points=SearchSpace.of(asked).points)


async def carried_out(sweep: Sweep, frame: Frame, store: SweepStore, terms: Terms, making: Make = make) -> Search:
    """A stored sweep, tried to its end."""
    space, ground = SearchSpace.of(sweep, making), Ground.of(sweep.spec, frame, terms)
    rows = len(ground.window)
    parts = folds(rows, sweep.folds, scheme=sweep.scheme, purge_bars=sweep.purge_bars, embargo_bars=sweep.embargo_bars)
    desk = Desk(ground, space.algorithms(), [part.test for part in parts] or [(0, rows)], space.needed_bars)
    board, names = Board.of(sweep, space), tuple(space.choices)
    for turn in rounds(sweep, space, board):
        if turn.dropped.size:
            await store.prune(sweep.id, turn.dropped.tolist(), turn.first)
        columns = [[board.parameters[index][name] for index in turn.indices] for name in names]
        outcome = desk.attempt(Batch(turn.indices, names, tuple(columns), turn.first, turn.stop))
        await store.add(sweep.id, board.tell(outcome, sweep.folds))
    return Search(await store.finish(sweep.id, RunStatus.COMPLETED), await store.tried(sweep.id))
