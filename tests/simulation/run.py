"""`make simulate SEEDS=n FROM=m [GUARD=name] [TRACE=1]`: run seeds m to m+n-1, and say what they violated.

Every violation is a bug of the product. With a guard taken away there must be one: the first seed that finds it, and
finds nothing with the guard in place, is printed; the exit status is 1 when none does.
"""

import argparse
import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.simulation.guards import Guard  # noqa: E402
from tests.simulation.seed import Outcome, run  # noqa: E402

_TOLD_EVERY_S = 10.0
_SHARE = 20
"""Seeds that a process is handed at a time."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    guard = Guard(options.guard) if options.guard else None
    seeds = range(options.start, options.start + options.seeds)
    trace = _say if options.trace else None
    began = time.monotonic()
    bad: list[Outcome] = []
    orders = deaths = held = done = 0
    told = began
    for outcome in _outcomes(seeds, guard, options.processes, trace):
        done, orders, deaths = done + 1, orders + outcome.orders, deaths + outcome.deaths
        held += outcome.held
        if trace:
            _say(f"journal and record: {outcome.digest}")
        if outcome.violations and not (guard and run(outcome.seed).violations):
            bad.append(outcome)
            _tell(outcome, guard)
            if guard:
                break
        if time.monotonic() - told > _TOLD_EVERY_S:
            told = time.monotonic()
            _say(
                f"{done} of {len(seeds)} seeds, {len(bad)} with violations, {(told - began) * 1000 / done:.0f} ms each"
            )
    took_s = time.monotonic() - began
    _say(f"{orders} orders, {held} of them held for a person, {deaths} deaths, {took_s:.1f} s")
    violations = sum(len(each.violations) for each in bad)
    if guard:
        found = f"seed {bad[0].seed} finds it" if bad else "nothing finds it"
        _say(f"without the guard {guard.value}: {found} ({done} seeds)")
        return 0 if bad else 1
    _say(f"{done} seeds, {violations} violations")
    return 1 if bad else 0


def _outcomes(
    seeds: Sequence[int], guard: Guard | None, processes: int, trace: Callable[[str], None] | None
) -> Iterator[Outcome]:
    if trace is not None or processes < 2:
        yield from (run(seed, guard, trace) for seed in seeds)
        return
    with multiprocessing.get_context("spawn").Pool(processes, initializer=_spare_garbage) as pool:
        yield from pool.imap(partial(run, guard=guard), seeds, chunksize=_SHARE)


def _spare_garbage() -> None:
    """What is loaded stays, and a seed is over before much has gathered."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _tell(outcome: Outcome, guard: Guard | None) -> None:
    _say(f"seed {outcome.seed} ({outcome.digest}):")
    for each in outcome.violations:
        _say(f"    {each}")
    without = f" GUARD={guard.value}" if guard else ""
    _say(f"    again, with a trace: make simulate SEEDS=1 FROM={outcome.seed}{without} TRACE=1")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--from", dest="start", type=int, default=1)
    parser.add_argument("--guard", choices=["", *(each.value for each in Guard)], default="")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--trace", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
