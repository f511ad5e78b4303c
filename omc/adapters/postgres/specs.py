"""What backtests and sweeps have in common: a spec, spread over columns."""

from datetime import UTC
from typing import Any

from sqlalchemy import Row

from omc.adapters.postgres import jsonb
from omc.backtest.run import BacktestSpec
from omc.strategy.trigger import triggers_of

COLUMNS = """
    algorithm_type, parameters, coins, start_date, end_date, start_time, end_time, initial_cash, rebalance_band,
    slippage_bps, latency_bars, model_id, triggers
"""
VALUES = """
    :algorithm_type, CAST(:parameters AS jsonb), CAST(:coins AS jsonb), :start_date, :end_date, :start_time, :end_time,
    :initial_cash, :rebalance_band, :slippage_bps, :latency_bars, :model_id, CAST(:triggers AS jsonb)
"""


def values(spec: BacktestSpec) -> dict[str, Any]:
    return {
        "algorithm_type": spec.algorithm_type,
        "parameters": jsonb.text(spec.parameters),
        "coins": jsonb.text(spec.coins),
        "start_date": spec.start.astimezone(UTC).date(),
        "end_date": spec.end.astimezone(UTC).date(),
        "start_time": spec.start,
        "end_time": spec.end,
        "initial_cash": spec.initial_cash_aud,
        "rebalance_band": spec.rebalance_band,
        "slippage_bps": spec.slippage_bps,
        "latency_bars": spec.latency_bars,
        "model_id": spec.model,
        "triggers": jsonb.text([each.told() for each in spec.triggers]),
    }


def spec(row: Row[Any]) -> BacktestSpec:
    return BacktestSpec(
        algorithm_type=row.algorithm_type,
        parameters=row.parameters,
        coins=tuple(row.coins),
        start=row.start_time,
        end=row.end_time,
        initial_cash_aud=row.initial_cash,
        rebalance_band=row.rebalance_band,
        slippage_bps=row.slippage_bps,
        latency_bars=row.latency_bars,
        model=row.model_id,
        triggers=triggers_of(row.triggers),
    )
