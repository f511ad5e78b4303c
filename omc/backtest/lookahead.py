"""Whether decisions use what was not known when they were made: nothing needs to be traded for it to show.

At many points of time the future is cut off, and separately replaced by noise, and everything is decided again. Every
earlier row of every stream of decisions (weights, exits, sizes, what a model is fed) must be what it was, to the bit.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass, field, fields, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omc.backtest.cuts import choose
from omc.errors import InvalidInput
from omc.feature.as_of import Observations
from omc.feature.frame import Frame, as_datetime64
from omc.strategy.algorithm import Algorithm

CUTS = 24
_EVERYTHING, _CUT_OFF, _SAME = "everything", "cut off", "left as it is"
_RISING, _FALLING = (2.0, 4.0), (0.1, 0.4)


@dataclass(frozen=True, slots=True)
class Data:
    """All that decisions may be made from: bars, and by name the observations that came in beside them."""

    frame: Frame
    observations: Mapping[str, Observations] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.frame)


Streams = Mapping[str, NDArray[Any]]
"""By name, what was decided in each row: arrays whose first axis is the rows of the frame."""


@dataclass(frozen=True, slots=True)
class Finding:
    """In `stream`, row `row` came out otherwise when the future from row `cut` on was changed as `test` says; with
    `row` None the stream could not be compared, or not be decided at all."""

    stream: str
    row: int | None
    cut: int
    test: str
    reason: str = ""

    def __str__(self) -> str:
        if self.test == _SAME:
            said = self.reason or f"is not the same in row {self.row} when it is decided again"
            return f"{self.stream} {said}"
        future = f"the future from row {self.cut} on is {self.test}"
        if self.row is None:
            return f"{self.stream} {self.reason} when {future}"
        return f"{self.stream} of row {self.row} changes when {future}: it looks ahead"


def check(
    decide: Callable[[Data], Streams], data: Data, *, cuts: int | Sequence[int] = CUTS, seed: int = 0
) -> tuple[Finding, ...]:
    """What looks ahead, the first row found for each stream and test; nothing for honest decisions.

    `cuts` are the rows from which on the future is changed, or how many of them `cuts.choose` should choose of each
    kind: what peeks at one row only shows only there, so `range(1, len(data))` is what leaves no doubt. `decide` must
    begin anew each time: a model that it fitted once and kept has seen everything. A fault that it raises is a finding
    too, unless it only refuses a past that is too short. InvalidInput for a cut that leaves no past or no future.
    """
    rows, told = len(data), decide(data)
    truth = {name: values for name, values in told.items() if values.shape[:1] == (rows,)}
    shapes = [
        Finding(name, None, rows, _SAME, f"has shape {values.shape} for {rows} rows")
        for name, values in told.items()
        if name not in truth
    ]
    if again := _differences(truth, decide, data, rows, _SAME):
        return (*shapes, *again)
    generator = np.random.default_rng(seed)
    chosen = (
        list(cuts)
        if not isinstance(cuts, int)
        else choose(
            data.frame,
            data.observations,
            [turns for values in truth.values() for turns in _turns(values)],
            cuts,
            generator,
        )
    )
    if any(not 0 < cut < rows for cut in chosen):
        raise InvalidInput(f"a future is cut off at rows 1 to {rows - 1}, not at {chosen}")
    found: dict[tuple[str, str], Finding] = {}
    refused: list[Finding] = []
    works_from = rows
    for cut in chosen:
        futures = (
            (_CUT_OFF, _known(data, cut)),
            ("replaced by rising noise", _with_noise(data, cut, _RISING, generator)),
            ("replaced by falling noise", _with_noise(data, cut, _FALLING, generator)),
        )
        for test, other in futures:
            for finding in _differences(truth, decide, other, cut, test):
                if finding.stream == _EVERYTHING and test == _CUT_OFF:
                    refused.append(finding)
                    break
                found.setdefault((finding.stream, test), finding)
            else:
                works_from = min(works_from, cut) if test == _CUT_OFF else works_from
    longer = [each for each in refused if each.cut > works_from or works_from == rows]
    return (*shapes, *found.values(), *longer[:1])


def of_algorithm(algorithm: Algorithm, frame: Frame, *, cuts: int = CUTS, seed: int = 0) -> list[str]:
    """What is wrong with the decisions of `algorithm` on `frame`, a sentence each.

    Compared are its weights and, where it has a `streams(frame)`, whatever else it says that it decides or is fed. Each
    time a copy decides that has seen nothing yet, since what is fitted in a first decision and kept would know all of
    the future in the next. A model whose `knowledge_until` lies after the first row has read about the days that it is
    asked to foresee.
    """

    def told(by: Algorithm, data: Data) -> Streams:
        streams = getattr(by, "streams", None)
        others = streams(data.frame) if streams is not None else {}
        return {"weights": by.predict(data.frame), **others}

    def decide(data: Data) -> Streams:
        with closing(deepcopy(algorithm)) as unknowing:
            return told(unknowing, data)

    remembered = []
    with closing(deepcopy(algorithm)) as kept:
        again = _differences(told(kept, Data(frame)), partial(told, kept), Data(frame), len(frame), _SAME)
    remembered += [str(each) for each in again]
    until = getattr(algorithm, "knowledge_until", None)
    if until is not None and len(frame) and as_datetime64(until) > frame.times[0]:
        remembered.append(
            f"its model knows the world until {until:%Y-%m-%d}, and the window begins on {frame.time(0):%Y-%m-%d}: "
            "what it says of days before may be memory"
        )
    found = [str(each) for each in check(decide, Data(frame), cuts=cuts, seed=seed)]
    return [*remembered, *(each for each in found if each not in remembered)]


def _differences(truth: Streams, decide: Callable[[Data], Streams], data: Data, cut: int, test: str) -> list[Finding]:
    try:
        again = decide(data)
    except Exception as fault:
        # Whatever it raises when it is given less or other prices, it did not raise before.
        return [Finding(_EVERYTHING, None, cut, test, f"fails ({type(fault).__name__}: {fault})")]
    found = []
    for name, values in truth.items():
        other = again.get(name)
        if other is None or other.shape[:1] != (len(data),) or other.shape[1:] != values.shape[1:]:
            shape = "is missing" if other is None else f"has shape {other.shape} for {len(data)} rows"
            found.append(Finding(name, None, cut, test, shape))
        elif len(changed := _changed(values[:cut], other[:cut])):
            found.append(Finding(name, int(changed[0]), cut, test))
    return found


def _changed(before: NDArray[Any], after: NDArray[Any]) -> NDArray[np.int64]:
    """Rows that differ in a bit; one NaN is like another."""
    rows = len(before)
    if before.dtype != after.dtype:
        return np.arange(rows)
    if before.dtype == object:
        same = before == after
    else:
        width = before.dtype.itemsize
        raw = [np.ascontiguousarray(each).view(np.uint8).reshape(*each.shape, width) for each in (before, after)]
        same = (raw[0] == raw[1]).all(axis=-1)
        if before.dtype.kind in "fcmM":
            same |= (before != before) & (after != after)
    return np.flatnonzero(~same.reshape(rows, -1).all(axis=1)) if same.size else np.empty(0, np.int64)


def _turns(values: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Rows in which a stream changes, and those in which it begins or ends to say anything."""
    says = values == values if values.dtype.kind in "fcmM" else np.ones(values.shape, bool)
    return [_changed(each[:-1], each[1:]) + 1 for each in (values, says)]


def _known(data: Data, cut: int) -> Data:
    """What was known in row `cut` - 1."""
    now = data.frame.times[cut - 1]
    seen = {name: series.where(series.seen_time <= now) for name, series in data.observations.items()}
    return Data(data.frame.rows(0, cut), seen)


def _with_noise(data: Data, cut: int, factors: tuple[float, float], generator: np.random.Generator) -> Data:
    """Other prices from row `cut` on, and other values of everything that was not seen before it. Times stay."""
    now, frame = data.frame.times[cut - 1], data.frame
    # Prices that were not quoted are now: what fills gaps from behind shows there.
    factor = np.round(generator.uniform(*factors, (len(frame) - cut, len(frame.coins))), 3)
    changed: dict[str, Any] = {}
    for each in fields(frame):
        values = getattr(frame, each.name)
        if isinstance(values, np.ndarray) and values.shape == frame.last.shape:
            quoted = values[~np.isnan(values)]
            usual = np.median(quoted) if len(quoted) else np.nan
            later = np.round(np.where(np.isnan(values[cut:]), usual, values[cut:]) * factor, 8)
            changed[each.name] = np.concatenate([values[:cut], later])
    others = {}
    for name, series in data.observations.items():
        unseen = series.seen_time > now
        noise = generator.normal(0, 1 + np.abs(series.value), len(series)) * factors[1]
        others[name] = replace(series, value=np.where(unseen, series.value + noise, series.value))
    return Data(replace(frame, **changed), others)
