"""Histories of backtests: every bar and every trade comes back exactly, and goes with its backtest."""

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import numpy as np
import pytest

from omc.adapters import parquet
from omc.adapters.postgres.curves import PostgresCurves
from omc.backtest.curves import Curves, CurveStore, Execution, History, MemoryCurveStore
from omc.backtest.run import RunStatus
from omc.errors import NotFound
from omc.trading.fill import Fill, Side
from tests.omc.adapters.postgres.house import NOON, SPEC, House, in_postgres

BARS = 5_000


@pytest.fixture
def store(house: House) -> CurveStore:
    return MemoryCurveStore() if house.database is None else PostgresCurves(house.database)


def history(bars: int = BARS, trades: int = 40) -> History:
    generator = np.random.default_rng(4)
    times = np.datetime64("2025-01-01T00:00:00.000001", "us") + np.arange(bars) * np.timedelta64(300, "s")
    curves = Curves(times, *(1_000 * np.exp(generator.normal(0, 1e-3, (3, bars)).cumsum(axis=1))))
    return History(
        curves,
        tuple(
            Execution(
                Fill(
                    str(at),
                    "BTC" if at % 3 else "DOGE",
                    Side.SELL if at % 2 else Side.BUY,
                    Decimal("0.00000001") * (at + 1),
                    Decimal("100.10"),
                    Decimal("0.10000012"),
                    NOON + at * timedelta(minutes=5, microseconds=1),
                ),
                "stop_loss" if at % 5 else "signal",
            )
            for at in range(trades)
        ),
    )


async def test_every_bar_comes_back_to_the_last_bit_and_every_trade_exactly(house: House, store: CurveStore):
    run, kept = await house.queued(), history()
    await store.put(run.id, kept)
    back = await store.curves(run.id)
    for ours, theirs in zip(kept.curves.columns().values(), back.columns().values(), strict=True):
        assert ours.dtype == theirs.dtype
        assert ours.tobytes() == theirs.tobytes()
    assert await store.trades(run.id) == kept.trades


async def test_a_run_that_is_carried_out_again_has_its_last_history(house: House, store: CurveStore):
    run = await house.queued()
    await store.put(run.id, history())
    await store.put(run.id, history(10, 0))
    assert len(await store.curves(run.id)) == 10
    assert await store.trades(run.id) == ()


async def test_a_run_that_keeps_none_says_so(house: House, store: CurveStore):
    run = await house.queued()
    for ask in (store.curves, store.trades):
        with pytest.raises(NotFound, match="keeps no curve"):
            await ask(run.id)


@pytest.mark.postgres
async def test_a_history_is_packed_and_unpacked_away_from_the_event_loop(database, monkeypatch):
    house, store, places = in_postgres(database), PostgresCurves(database), []

    def seen(real):
        def traced(given):
            places.append(threading.current_thread() is threading.main_thread())
            return real(given)

        return traced

    for name in ("encode", "decode"):
        monkeypatch.setattr(parquet, name, seen(getattr(parquet, name)))
    run = await house.queued()
    await store.put(run.id, history(10))
    await store.curves(run.id)
    await store.trades(run.id)
    assert places == [False] * 4


@pytest.mark.postgres
async def test_a_history_goes_with_its_backtest_and_none_comes_too_late(database):
    house, store = in_postgres(database), PostgresCurves(database)
    run = await house.queued()
    await store.put(run.id, history(10))
    await house.backtests.delete(run.id, run.user_id)
    await store.put(run.id, history(10))
    await store.put(uuid4(), history(10))
    with pytest.raises(NotFound):
        await store.curves(run.id)


@pytest.mark.postgres
async def test_slippage_and_latency_are_stored_with_what_was_asked(database):
    house = in_postgres(database)
    run = await house.queued(spec=replace(SPEC, slippage_bps=2.5, latency_bars=3))
    stored = await house.backtests.get(run.id, run.user_id)
    assert (stored.spec.slippage_bps, stored.spec.latency_bars) == (2.5, 3)
    assert stored.status is RunStatus.QUEUED
