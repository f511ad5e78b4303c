"""Every way that a request takes, gone once before the lock: what it imports or loads, it could not fetch behind it.

Compiled functions are loaded for the kinds of arrays that they meet, and those of indicators depend on the prices: on
their decimals, on whether all coins have equally many, on gaps and on how far they reach.
"""

import os
from collections.abc import Iterator

import numpy as np

from omc.adapters.sandbox_process import answers, frames, shared_memory
from omc.adapters.sandbox_process.serve import Server
from omc.errors import CodeFailed, InvalidInput
from omc.feature.frame import Frame, read_only
from omc.feature.indicator import Indicators
from omc.strategy.sandbox import load
from omc.strategy.workbench import Held, Workbench

_ROWS = 64
_LEAST = """
class Least:
    memory_bars = 2
    def predict(self, frame):
        print(len(frame))
        if len(frame) == 1:
            raise ValueError("too short")
        return frame.last * 0.0
"""


def warm_serving() -> None:
    """InvalidInput or CodeFailed where the platform's own code does not run behind its walls."""
    _serve_once()
    bench = Workbench(_LEAST, load)
    answers.said_description(bench.describe())
    for frame in _kinds():
        indicators = Indicators(frame.last)
        for compute in (indicators.mean, indicators.deviation, indicators.highest, indicators.lowest):
            compute(5)
        indicators.returns(1), indicators.volatility(5), indicators.ema(3), indicators.macd(2, 3, 2)
        indicators.rsi(3), indicators.rank(3), indicators.correlation(5, 0)
        _, traits = bench.predict({}, Held(frame), None)
        answers.said_traits(traits)
        bench.begin({}, frame.rows(0, 2), bench.fit({}, frame, frame.last))
        bench.decide(frame.time(2), frame.bid[2], frame.ask[2], frame.last[2])
        try:
            bench.begin({}, frame.rows(0, 1), None)
        except CodeFailed as failed:
            str(failed)
    try:
        load("import os")
    except InvalidInput as refused:
        str(refused)
    bench.printed.take()


def _serve_once() -> None:
    server, frame = Server(load), next(_kinds())
    source, size = shared_memory.sealed_text(_LEAST)
    held = {"frame": 1, "coins": list(frame.coins), "rows": _ROWS, "labels": None, "drop": []}
    about = {"parameters": {}, "frame": 1, "model": None}
    with shared_memory.Answers(frame.last.size) as room:
        for passed, request in (
            (source, {"do": "load", "bytes": size}),
            (shared_memory.sealed_frame(frame), {"do": "hold", **held}),
            (os.dup(room.descriptor), {"do": "room", "cells": room.cells}),
            (None, {"do": "traits", **about}),
            (None, {"do": "predict", **about}),
            (None, {"do": "predict", "anew": True, **about}),
            (None, {"do": "begin", **about}),
            (None, {"do": "unheard of"}),
        ):
            server.answer(memoryview(frames.packed({"id": 1, **request})), passed)
        prices = np.array([each[-1] for each in (frame.bid, frame.ask, frame.last)])
        bar = frames.bar_frame(frames.microseconds(frame.time(-1)) + 1, prices)
        frames.weights_of(
            server.answer(memoryview(bar), None), frames.microseconds(frame.time(-1)) + 1, len(frame.coins)
        )


def _kinds() -> Iterator[Frame]:
    times = np.datetime64("2026-01-01", "us") + np.arange(_ROWS) * np.timedelta64(300, "s")
    walk = 100.0 * np.cumprod(1.0 + np.random.default_rng(0).normal(0.0, 0.002, (_ROWS, 2)), axis=0)
    cents, fine, mixed = np.round(walk, 2), np.round(walk, 8), np.round(walk, 2)
    mixed[:, 1] = np.round(walk[:, 1], 8)
    # Beyond what whole numbers hold in a float.
    large = np.round(walk * 100_000.0, 8)
    gappy = cents.copy()
    gappy[10:12, 0] = np.nan
    for last in (cents, fine, mixed, large, gappy, cents[:, :1]):
        coins = ("BTC", "ETH")[: last.shape[1]]
        yield Frame(times, coins, last.copy(), last.copy(), last.copy())
        yield Frame(read_only(times), coins, read_only(last), read_only(last), read_only(last))
