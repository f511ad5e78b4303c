"""Sweeps in PostgreSQL, with every point tried: what was tried and lost belongs to the record too.

Points are copied in as they are, thousands at a time. The sweep's row, locked meanwhile, keeps the counts and the best
of them, so that nothing is looked through again when more come.
"""

import asyncio
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import numpy as np
from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from omc.access.quota import Quota
from omc.adapters.postgres import faults, jsonb, room, sweep_rows, trial_rows
from omc.adapters.postgres import sweep_sql as sql
from omc.adapters.postgres.database import Database
from omc.adapters.postgres.trial_decoder import TrialDecoder
from omc.adapters.postgres.tries import count_sweep
from omc.backtest.run import RunStatus
from omc.backtest.sweep import Sweep, check_reopens, shown
from omc.backtest.tried import SweepPoint, Tried
from omc.errors import Conflict, InvalidInput, NotFound
from omc.promotion.trials import Tally

_PIECE_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class PostgresSweeps:
    """A SweepStore."""

    database: Database

    async def create(self, sweep: Sweep, most: int | None = None) -> Sweep:
        try:
            async with (
                self.database.transaction() as connection,
                room.reserved(connection, Quota.SWEEPS, sweep.user_id, most),
            ):
                return sweep_rows.sweep((await connection.execute(sql.CREATE, sweep_rows.values(sweep))).one())
        except IntegrityError as error:
            if faults.constraint(error).endswith("_pkey"):
                raise Conflict(f"there is a sweep {sweep.id} already") from None
            raise NotFound(f"there is no algorithm {sweep.algorithm_id}") from None

    async def under_way(self, user_id: UUID) -> int:
        async with self.database.transaction() as connection:
            return await room.used(connection, Quota.SWEEPS, user_id)

    async def get(self, sweep_id: UUID, user_id: UUID | None = None) -> Sweep:
        async with self.database.transaction() as connection:
            row = (await connection.execute(sql.GET, {"id": sweep_id, "user_id": user_id})).first()
            return _found(row, sweep_id)

    async def page(self, user_id: UUID, offset: int, limit: int) -> tuple[list[Sweep], int]:
        async with self.database.transaction() as connection:
            rows = await connection.execute(sql.PAGE, {"user_id": user_id, "offset": offset, "limit": limit})
            total = (await connection.execute(sql.COUNT, {"user_id": user_id})).scalar_one()
            return [sweep_rows.sweep(row) for row in rows], total

    async def start(self, sweep_id: UUID) -> Sweep:
        async with self.database.transaction() as connection:
            sweep, _ = await _locked(connection, sweep_id)
            if sweep.status.over:
                raise Conflict(f"the sweep is {sweep.status} already")
            return sweep_rows.sweep((await connection.execute(sql.START, {"id": sweep_id})).one())

    async def unfinished(self) -> list[UUID]:
        async with self.database.transaction() as connection:
            return list((await connection.execute(sql.UNFINISHED)).scalars())

    async def claim(self, driver: str, sweep_id: UUID | None = None) -> Sweep | None:
        async with self.database.transaction() as connection:
            row = (await connection.execute(sql.CLAIM, {"driver": driver, "id": sweep_id})).first()
            return sweep_rows.sweep(row) if row else None

    async def abandon(self, driver: str, why: str) -> None:
        async with self.database.transaction() as connection:
            await connection.execute(sql.ABANDON, {"driver": driver, "why": why})

    async def reopen(self, sweep_id: UUID, *, interrupted: bool = False, most: int | None = None) -> Sweep:
        async with self.database.transaction() as connection:
            sweep, _ = await _locked(connection, sweep_id)
            check_reopens(sweep)
            again = (RunStatus.FAILED, RunStatus.RUNNING) if interrupted else (RunStatus.FAILED,)
            if sweep.status not in again:
                return sweep
            # One that was running has a place already.
            most = most if sweep.status is RunStatus.FAILED else None
            async with room.reserved(connection, Quota.SWEEPS, sweep.user_id, most):
                return sweep_rows.sweep((await connection.execute(sql.REOPEN, {"id": sweep_id})).one())

    async def add(self, sweep_id: UUID, tried: Tried) -> Sweep:
        if np.isinf(tried.figures).any():
            raise InvalidInput("a figure is not finite: it cannot be stored")
        indices = tried.indices.tolist()
        async with self.database.transaction() as connection:
            sweep, known = await _locked(connection, sweep_id)
            names = list(dict.fromkeys((*known, *tried.names)))
            before = await _copied(connection, known, sql.POINTS, sweep_id, indices)
            which = {"id": sweep_id, "indices": indices, "folds": sweep.folds}
            replaced = (await connection.execute(sql.REMOVE, which)).all()
            source = io.BytesIO(trial_rows.encoded(sweep_id, tried, names))
            driver = (await connection.get_raw_connection()).driver_connection
            await driver.copy_to_table(  # type: ignore[union-attr]
                "trials", source=source, columns=trial_rows.COLUMNS, format="binary"
            )
            counted = sum((part.tally() for part in before.tried()), Tally())
            await count_sweep(connection, sweep_id, tried.tally(), replaced=counted)
            over = len(tried) if tried.folds_seen == sweep.folds else len(tried.failures)
            best = await _best(connection, sweep, tried, names)
            counts = {
                "id": sweep_id,
                "done": over - sum(row.over for row in replaced),
                "failed": len(tried.failures) - sum(row.failed for row in replaced),
                "pruned": -sum(row.pruned for row in replaced),
                "figures": names,
                "best": None if best is None else jsonb.text(best),
            }
            return sweep_rows.sweep((await connection.execute(sql.COUNT_UP, counts)).one())

    async def prune(self, sweep_id: UUID, indices: Sequence[int], folds_seen: int) -> Sweep:
        values = {"id": sweep_id, "indices": list(indices), "folds_seen": folds_seen}
        async with self.database.transaction() as connection:
            await _locked(connection, sweep_id)
            more = (await connection.execute(sql.PRUNE, values)).rowcount
            return sweep_rows.sweep((await connection.execute(sql.PRUNED, {"id": sweep_id, "more": more})).one())

    async def tried(self, sweep_id: UUID) -> list[Tried]:
        async with self.database.transaction() as connection:
            names = (await connection.execute(sql.NAMES, {"id": sweep_id})).scalar_one_or_none() or []
            copied = await _copied(connection, names, sql.TRIED, sweep_id)
        return await asyncio.to_thread(copied.tried)

    async def ranking(
        self, sweep_id: UUID, user_id: UUID, sort: str, descending: bool, offset: int = 0, limit: int | None = None
    ) -> tuple[list[int], int]:
        await self.get(sweep_id, user_id)
        async with self.database.transaction() as connection:
            page: dict[str, Any] = {"id": sweep_id, "offset": offset, "limit": limit}
            if sort == "index":
                rows = await connection.execute(sql.BY_INDEX[descending], page)
            else:
                names = (await connection.execute(sql.NAMES, {"id": sweep_id})).scalar_one()
                rows = await connection.execute(sql.BY_FIGURE[descending], page | {"place": _place(names, sort)})
            return rows.scalar_one(), (await connection.execute(sql.TRIALS, {"id": sweep_id})).scalar_one()

    async def results(self, sweep_id: UUID, indices: Sequence[int]) -> list[SweepPoint]:
        async with self.database.transaction() as connection:
            names = (await connection.execute(sql.NAMES, {"id": sweep_id})).scalar_one_or_none() or []
            return await _points(connection, sweep_id, indices, names)

    async def finish(self, sweep_id: UUID, status: RunStatus, error_message: str | None = None) -> Sweep:
        async with self.database.transaction() as connection:
            sweep, _ = await _locked(connection, sweep_id)
            if sweep.status.over:
                return sweep
            values = {"id": sweep_id, "status": status.value, "error_message": error_message}
            return sweep_rows.sweep((await connection.execute(sql.FINISH, values)).one())


async def _locked(connection: AsyncConnection, sweep_id: UUID) -> tuple[Sweep, list[str]]:
    """A sweep, and the names of its figures, in the order in which its points have them."""
    row = (await connection.execute(sql.LOCK, {"id": sweep_id})).first()
    return _found(row, sweep_id), list(row.figures) if row else []


async def _points(
    connection: AsyncConnection, sweep_id: UUID, indices: Sequence[int], names: Sequence[str]
) -> list[SweepPoint]:
    copied = await _copied(connection, names, sql.POINTS, sweep_id, list(indices))
    found = await asyncio.to_thread(copied.points)
    return [found[index] for index in indices if index in found]


async def _copied(connection: AsyncConnection, names: Sequence[str], statement: str, *values: Any) -> TrialDecoder:
    """What `statement` selects. It is read away from the event loop, a piece at a time: others are answered meanwhile,
    and the stream is never held whole."""
    decoder, waiting = TrialDecoder(tuple(names)), bytearray()

    async def take(piece: bytes) -> None:
        waiting.extend(piece)
        if len(waiting) >= _PIECE_BYTES:
            await read()

    async def read() -> None:
        piece = bytes(waiting)
        waiting.clear()
        await asyncio.to_thread(decoder.feed, piece)

    driver = (await connection.get_raw_connection()).driver_connection
    await driver.copy_from_query(statement, *values, output=take, format="binary")  # type: ignore[union-attr]
    await read()
    return decoder


async def _best(connection: AsyncConnection, sweep: Sweep, tried: Tried, names: Sequence[str]) -> dict[str, Any] | None:
    """The best point, now that `tried` is stored: by comparison, unless what was the best has just become worse."""
    before = dict(sweep.best) if sweep.best else None
    row = tried.best(sweep.objective)
    now = None if row is None else _Place(tried.folds_seen, tried.column(sweep.objective)[row], tried.indices[row])
    then = _Place.of(before, sweep.objective) if before else None
    if row is not None and now is not None and (then is None or now.above(then)):
        return shown(tried.point(row))
    if then is None or then.index not in tried.indices:
        return before
    page = {"id": sweep.id, "place": _place(names, sweep.objective), "offset": 0, "limit": 1}
    first = (await connection.execute(sql.BY_FIGURE[True], page)).scalar_one()
    best = await _points(connection, sweep.id, first, names)
    return shown(best[0]) if best and best[0].metrics.get(sweep.objective) is not None else None


@dataclass(frozen=True, slots=True)
class _Place:
    """What `omc.backtest.sweep.ranked` ranks a point by."""

    folds_seen: int
    figure: float
    index: int

    @classmethod
    def of(cls, best: Mapping[str, Any], objective: str) -> Self:
        return cls(len(best.get("fold_scores", ())), best["metrics"][objective], best["index"])

    def above(self, other: Self) -> bool:
        ours, theirs = ((each.folds_seen, each.figure, -each.index) for each in (self, other))
        return ours > theirs


def _place(names: Sequence[str], name: str) -> int:
    """Where a figure stands, from 1; 0, where nothing does, for one that is not known."""
    return names.index(name) + 1 if name in names else 0


def _found(row: Row[Any] | None, sweep_id: UUID) -> Sweep:
    if row is None:
        raise NotFound(f"there is no sweep {sweep_id}")
    return sweep_rows.sweep(row)
