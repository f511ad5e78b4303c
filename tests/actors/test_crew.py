"""Who starts traders need not be able to trade."""

import pickle
import subprocess
import sys
from pathlib import Path

from actors.crew import Packed, RayCrew
from actors.trader import TraderPorts
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.ledger.cadence import Cadence
from omc.strategy.maker import Maker

ALONE = """
import pickle, sys
import actors.supervisor
crew = pickle.loads(sys.stdin.buffer.read())
print(type(crew).__name__, [name for name in ("numba", "pandas", "sklearn", "xgboost") if name in sys.modules])
"""


def packed() -> Packed:
    inert: dict[str, object] = dict.fromkeys(
        ("blotter", "algorithms", "deployments", "leases", "archive", "quotes", "desk")
    )
    return Packed.of(TraderPorts(**inert, maker=Maker(Sandboxes().of), cadence=Cadence(every_s=9.0)))  # type: ignore[arg-type]


def test_whoever_only_starts_traders_loads_no_compiled_arithmetic():
    alone = subprocess.run(
        [sys.executable, "-c", ALONE],
        input=pickle.dumps(RayCrew(packed())),
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        check=True,
    )
    assert alone.stdout.decode() == "RayCrew []\n"


def test_ports_arrive_as_they_were_packed():
    ports = packed()()
    assert ports.cadence == Cadence(every_s=9.0)
    assert ports.maker.sandbox.__self__ == Sandboxes()
