"""Whether the floor did what the backtest says: every difference between two lists of fills, in a sentence."""

from collections.abc import Sequence
from contextlib import closing
from difflib import SequenceMatcher
from uuid import UUID

import numpy as np

from omc.backtest.ground import Ground
from omc.backtest.market import Market
from omc.backtest.replay import replay
from omc.backtest.run import BacktestSpec
from omc.backtest.study import study
from omc.feature.frame import Frame
from omc.market.money import cents, eight_places
from omc.market.terms import Terms
from omc.strategy import registry
from omc.strategy.maker import Make
from omc.trading.fill import Fill
from omc.trading.mandate import Mandate

_NOBODY = UUID(int=0)


def differences(kernel: Sequence[Fill], floor: Sequence[Fill]) -> list[str]:
    """One sentence for each fill that only one side has, and for each quantity, price (to eight decimals), fee (to the
    cent) or time that differs between fills of one coin and side. The lists are aligned in order, so that one missing
    fill is one sentence, not one for each fill after it."""
    found: list[str] = []
    moves = SequenceMatcher(None, [_key(fill) for fill in kernel], [_key(fill) for fill in floor], autojunk=False)
    for move, a, b, c, d in moves.get_opcodes():
        if move == "equal":
            for ours, theirs in zip(kernel[a:b], floor[c:d], strict=True):
                found += _between(ours, theirs)
        else:
            found += _unaligned(kernel[a:b], list(floor[c:d]))
    return found


def _key(fill: Fill) -> tuple[object, ...]:
    return fill.executed_at, fill.coin, fill.side


def _unaligned(kernel: Sequence[Fill], floor: list[Fill]) -> list[str]:
    """Differences where no fill has a twin of the same time: the next of the same coin and side, or none."""
    found = []
    for ours in kernel:
        twin = next((at for at, fill in enumerate(floor) if (fill.coin, fill.side) == (ours.coin, ours.side)), None)
        if twin is None:
            found.append(f"{_named(ours)}: the floor has no such trade")
        else:
            found += [f"{_named(each)}: the backtest has no such trade" for each in floor[:twin]]
            found += _between(ours, floor[twin])
            floor = floor[twin + 1 :]
    return found + [f"{_named(each)}: the backtest has no such trade" for each in floor]


def _between(kernel: Fill, floor: Fill) -> list[str]:
    pairs = (
        ("time", kernel.executed_at, floor.executed_at),
        ("quantity", eight_places(kernel.quantity), eight_places(floor.quantity)),
        ("price", kernel.price_aud, floor.price_aud),
        ("fee", cents(kernel.fee_aud), cents(floor.fee_aud)),
    )
    return [
        f"{_named(kernel)}: {name} is {ours} in the backtest and {theirs} on the floor"
        for name, ours, theirs in pairs
        if ours != theirs
    ]


def _named(fill: Fill) -> str:
    return f"{fill.side} of {fill.quantity:f} {fill.coin} at {fill.executed_at.isoformat()}"


def parity_of(spec: BacktestSpec, frame: Frame, terms: Terms, make: Make = registry.make) -> list[str]:
    """What the event engine did otherwise than the kernel on `spec`, one sentence for each difference; none is parity.

    `frame` is as `study` takes it. InvalidInput for what cannot be carried out.
    """
    done, ground = study(spec, frame, terms, make=make), Ground.of(spec, frame, terms)
    with closing(make(spec.algorithm_type, spec.parameters)) as algorithm:
        weights = algorithm.decide(ground.frame, ground.indicators())[ground.first :]
        mandate = Mandate(_NOBODY, _NOBODY, spec.coins, spec.rebalance_band, algorithm.exits, terms)
    market = Market.quoted(done.window)
    events = replay(
        mandate,
        done.window.times,
        market,
        weights,
        cash_aud=spec.initial_cash_aud,
        slippage_bps=spec.slippage_bps,
        latency_bars=spec.latency_bars,
    )
    found = differences(done.fills, events.fills)
    ours = done.simulation.equity
    rows = np.flatnonzero(ours != events.equity)
    if len(rows) and not found:
        first = int(rows[0])
        found.append(
            f"at {done.window.time(first).isoformat()} the books are worth {ours[first]} in the backtest and "
            f"{events.equity[first]} in the event engine, and {len(rows):,} bars differ"
        )
    return found
