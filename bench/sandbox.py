"""What the two walls around people's code cost, beside the same work without them in the same run.

`python bench/sandbox.py [--bars 100000] [--points 1000 10000] [--json FILE]`. Four figures: how long it takes until a
process stands locked, one decision on a bar there and back, signals over all bars of six coins, and sweeps of a
crossover that somebody wrote, through Ray, beside the built-in one. Results are compared to the bit on both sides
before any time is shown.
"""

import argparse
import json
import os
import select
import socket
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)

from bench.sweeps import code  # noqa: E402
from bench.sweeps.code import OWN_SOURCE  # noqa: E402
from omc.adapters.sandbox_process.sandboxes import Sandboxes  # noqa: E402
from omc.feature.frame import Frame  # noqa: E402
from omc.strategy.moving_average_crossover import MovingAverageCrossover  # noqa: E402
from omc.strategy.sandboxed import SandboxedAlgorithm  # noqa: E402
from omc.trading.window import Window  # noqa: E402

SIGNALS = """
class Signals:
    memory_bars = 100

    def predict(self, frame):
        prices = pd.DataFrame(frame.last)
        fast, slow = prices.rolling(20).mean(), prices.rolling(100).mean()
        return (fast > slow).to_numpy().astype(float) / len(frame.coins)
"""


def walk(bars: int, coins: int) -> Frame:
    """Prices in cents, from a seed."""
    steps = np.random.default_rng(7).normal(0.000004, 0.0016, (bars, coins)).cumsum(axis=0)
    last = np.round(60_000 * np.exp(steps), 2)
    times = np.datetime64("2025-01-01", "us") + np.arange(bars) * np.timedelta64(300, "s")
    return Frame(times, tuple(f"C{at}" for at in range(coins)), last - 1.0, last + 1.0, last)


def ms(run: Callable[[], Any], times: int) -> float:
    """The median of so many runs."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        run()
        found.append((time.perf_counter() - began) * 1e3)
    return statistics.median(found)


def spawning(sandboxes: Sandboxes) -> dict[str, float]:
    began = time.perf_counter()
    sandboxes.start()
    zygote_s = time.perf_counter() - began
    spawned, loaded = [], []
    for _ in range(30):
        began = time.perf_counter()
        process = sandboxes.spawn()
        spawned.append((time.perf_counter() - began) * 1e3)
        process.close()
        began = time.perf_counter()
        process, _ = sandboxes.open(OWN_SOURCE)
        loaded.append((time.perf_counter() - began) * 1e3)
        process.close()
    figures = {"spawn_ms": statistics.median(spawned), "spawn_and_load_ms": statistics.median(loaded)}
    print(f"zygote ready in {zygote_s:.1f} s, once")
    print(f"process locked in {figures['spawn_ms']:.1f} ms; with the code loaded {figures['spawn_and_load_ms']:.1f} ms")
    return {"zygote_s": zygote_s, **figures}


def deciding(sandboxes: Sandboxes) -> dict[str, float]:
    frame, memory_bars, first = walk(3_000, 1), 72, 200
    outside = MovingAverageCrossover(slow_bars=memory_bars)
    window = Window(frame.rows(0, first), memory_bars)

    def plainly(row: int) -> Any:
        window.append(frame.time(row), frame.bid[row], frame.ask[row], frame.last[row])
        return outside.predict(window.frame())[-1]

    figures = {"bare_socket_us": bare_socket(), "in_process_us": median_us(plainly, range(first, len(frame)))}
    for name, source in (("crossover_us", OWN_SOURCE), ("zeros_us", "\n".join(ZEROS))):
        with sandboxes.of(source) as sandbox:
            inside = SandboxedAlgorithm(sandbox)
            inside.begin(frame.rows(0, first))
            wanted = outside.predict(frame) if name == "crossover_us" else np.zeros(frame.last.shape)

            def ask(row: int, inside: SandboxedAlgorithm = inside, wanted: Any = wanted) -> None:
                found = inside.decide_next(frame.time(row), frame.bid[row], frame.ask[row], frame.last[row])
                if found.tobytes() != wanted[row].tobytes():
                    raise SystemExit(f"row {row} is decided otherwise inside")

            figures[name] = median_us(ask, range(first, len(frame)))
    print(
        f"one bar, there and back: {figures['crossover_us']:.0f} us for the crossover, {figures['zeros_us']:.0f} us "
        f"for nothing; in this process {figures['in_process_us']:.0f} us; "
        f"a bare socket {figures['bare_socket_us']:.0f} us"
    )
    return figures


ZEROS = ("class Zeros:", "    memory_bars = 72", "    def predict(self, frame):", "        return frame.last * 0.0")


def median_us(run: Callable[[int], Any], rows: Sequence[int]) -> float:
    found = []
    for row in rows:
        began = time.perf_counter()
        run(row)
        found.append((time.perf_counter() - began) * 1e6)
    return statistics.median(found)


def bare_socket() -> float:
    """The same packets between two processes that do nothing else, in microseconds."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        room = bytearray(256)
        while theirs.recvmsg_into([room], 64)[0] > 1:
            os.write(theirs.fileno(), room[:24])
        os._exit(0)
    waiting, room = select.poll(), bytearray(256)
    waiting.register(ours, select.POLLIN)

    def there_and_back(_: int) -> None:
        ours.send(bytes(40))
        waiting.poll(1_000)
        ours.recvmsg_into([room], 64)

    found = median_us(there_and_back, range(3_000))
    ours.send(b"!")
    os.waitpid(child, 0)
    return found


def signals(sandboxes: Sandboxes, bars: int) -> dict[str, float]:
    frame = walk(bars, 6)
    space: dict[str, Any] = {"np": np, "pd": __import__("pandas")}
    exec(SIGNALS, space)
    outside = space["Signals"]()
    with sandboxes.of(SIGNALS) as sandbox:
        inside = SandboxedAlgorithm(sandbox)
        began = time.perf_counter()
        found = inside.predict(frame)
        first_ms = (time.perf_counter() - began) * 1e3
        if found.tobytes() != outside.predict(frame).tobytes():
            raise SystemExit("signals are others inside")
        plain_ms, inside_ms = ms(lambda: outside.predict(frame), 15), ms(lambda: inside.predict(frame), 15)
    print(
        f"signals over {bars:,} bars of 6 coins: {plain_ms:.1f} ms in this process, {inside_ms:.1f} ms inside "
        f"({inside_ms / plain_ms:.2f} times); {first_ms:.1f} ms the first time, with the prices handed over"
    )
    return {"plain_ms": plain_ms, "inside_ms": inside_ms, "ratio": inside_ms / plain_ms, "first_ms": first_ms}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--points", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    sandboxes = Sandboxes()
    try:
        figures: dict[str, Any] = {
            "spawn": spawning(sandboxes),
            "decision": deciding(sandboxes),
            "signals": signals(sandboxes, asked.bars),
        }
    finally:
        sandboxes.close()
    figures["sweeps"] = code.measure(asked.points, asked.bars)
    if asked.json:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
