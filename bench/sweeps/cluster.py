"""Ray clusters of a benchmark's own, and the sweep as the core knows it."""

import logging
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np

from bench.sweeps.ground import CASH_AUD, COIN, SEED, SPACE, START, times
from omc.backtest.run import BacktestSpec, RunStatus
from omc.backtest.sweep import Sweep
from omc.feature.frame import Frame
from omc.strategy.registry import make

ROOT = Path(__file__).resolve().parents[2]


def frame(bars: int, seed: int) -> Frame:
    """A random walk with trends in it, quoted without a spread."""
    draws = np.random.default_rng(seed)
    drift = np.repeat(draws.normal(0, 0.00008, bars // 2_000 + 1), 2_000)[:bars]
    last = np.round(60_000 * np.exp((draws.normal(0, 0.002, bars) + drift).cumsum()), 2)[:, None]
    return Frame(times(bars), (COIN,), last, last, last)


def asked(points: int, bars: int) -> Sweep:
    spec = BacktestSpec(
        algorithm_type="moving_average_crossover",
        parameters=make("moving_average_crossover", {}).get_params(),
        coins=(COIN,),
        start=START,
        end=START + timedelta(minutes=5 * (bars - 1)),
        initial_cash_aud=Decimal(CASH_AUD),
        rebalance_band=0.5,
    )
    return Sweep(
        id=uuid4(),
        user_id=UUID(int=1),
        algorithm_id=uuid4(),
        algorithm_version=1,
        spec=spec,
        space=SPACE,
        method="random",
        points=points,
        seed=SEED,
        objective="sharpe",
        status=RunStatus.QUEUED,
        done=0,
        best=None,
        error_message=None,
        created_at=START,
        started_at=None,
        completed_at=None,
    )


@contextmanager
def on_cluster() -> Iterator[None]:
    """One node with all of the machine's CPUs."""
    with _closed_doors() as folder:
        import ray

        ray.init(
            include_dashboard=False,
            object_store_memory=200_000_000,
            log_to_driver=False,
            logging_level=logging.WARNING,
            _temp_dir=str(folder / "ray"),
        )
        yield
        ray.shutdown()


@contextmanager
def on_nodes(count: int) -> Iterator[None]:
    """A head without CPUs, and `count` nodes of one."""
    with _closed_doors() as folder:
        import ray
        from ray.cluster_utils import Cluster

        cluster = Cluster(
            initialize_head=True,
            head_node_args={"num_cpus": 0, "object_store_memory": 100_000_000, "temp_dir": str(folder / "ray")},
        )
        for _ in range(count):
            cluster.add_node(num_cpus=1, object_store_memory=100_000_000)
        ray.init(address=cluster.address, log_to_driver=False, logging_level=logging.WARNING)
        yield
        ray.shutdown()
        cluster.shutdown()


@contextmanager
def _closed_doors() -> Iterator[Path]:
    """Ray reads this as it is imported: sockets on the loopback, and a token."""
    folder = Path(tempfile.mkdtemp(prefix="omc-b-"))
    os.environ["RAY_TMPDIR"] = str(folder)
    token = folder.with_suffix(".token") if "RAY_AUTH_TOKEN_PATH" not in os.environ else None
    if token:
        token.touch(0o600)
        token.write_text(secrets.token_hex(32))
        os.environ |= {
            "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "PYTHONPATH": str(ROOT),
        }
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
