"""How many points of a sweep are tried in a second, from the request over HTTP to the stored results, on the platform
as it runs; beside a bare kernel and, where `make peers` has installed them, vectorbt and backtesting.py.

`python bench/sweep.py` sweeps a moving-average crossover over 100,000 bars with 1,000, 10,000 and 100,000 points;
`--points N …` and `--bars N` change that. `--pruned` compares a pruned walk-forward search with the whole one;
`--nodes 1 2 4` sweeps on simulated nodes of one machine. `--json FILE` keeps the figures.

The bare kernel (`bench/sweeps/bare.py`) shares rolling means between points and computes signals, fills, equity and
Sharpe, and nothing else. All sides must make the same trades: a hash of every point's number of trades stands beside
each time, and final equities are compared (the platform settles in whole cents, the others in floats).
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--pruned", action="store_true", help="compare a pruned search with the whole one")
    parser.add_argument("--nodes", type=int, nargs="+", help="sweep on so many simulated nodes of one CPU")
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    figures: dict[str, Any] = {"bars": asked.bars, "cpus": os.cpu_count()}
    if asked.nodes:
        from bench.sweeps.nodes import measure as on_nodes

        figures["nodes"] = on_nodes(asked.nodes, asked.points[0], asked.bars)
    elif asked.pruned:
        from bench.sweeps.pruned import measure as pruned

        figures["pruned"] = pruned(asked.bars)
    else:
        from bench.sweeps.end_to_end import measure as end_to_end

        figures |= end_to_end(asked.points, asked.bars)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
