"""Whether the floor did what the backtest says: every difference between two lists of fills, in a sentence."""

from collections.abc import Sequence
from contextlib import closing
from uuid import UUID

import numpy as np

from omc.backtest.ground import Ground
from omc.backtest.market import Market
from omc.backtest.pairing import legs, paired
from omc.backtest.replay import replay
from omc.backtest.run import BacktestSpec
from omc.backtest.study import study
from omc.feature.frame import Frame
from omc.ledger.catalyst import Catalyst
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
    return paired(legs(kernel), legs(floor)).differences()


def parity_of(
    spec: BacktestSpec,
    frame: Frame,
    terms: Terms,
    make: Make = registry.make,
    events: tuple[Catalyst, ...] = (),
) -> list[str]:
    """What the event engine did otherwise than the kernel on `spec`, one sentence for each difference; none is parity.

    `frame` and `events` are as `study` takes them. InvalidInput for what cannot be carried out.
    """
    done = study(spec, frame, terms, make=make, events=events)
    ground = Ground.of(spec, frame, terms, events=events)
    with closing(make(spec.algorithm_type, spec.parameters)) as algorithm:
        weights = ground.wanted(algorithm)
        mandate = Mandate(_NOBODY, _NOBODY, spec.coins, spec.rebalance_band, algorithm.exits, terms)
    market = Market.quoted(done.window)
    played = replay(
        mandate,
        done.window.times,
        market,
        weights,
        cash_aud=spec.initial_cash_aud,
        slippage_bps=spec.slippage_bps,
        latency_bars=spec.latency_bars,
    )
    found = differences(done.fills, played.fills)
    ours = done.simulation.equity
    rows = np.flatnonzero(ours != played.equity)
    if len(rows) and not found:
        first = int(rows[0])
        found.append(
            f"at {done.window.time(first).isoformat()} the books are worth {ours[first]} in the backtest and "
            f"{played.equity[first]} in the event engine, and {len(rows):,} bars differ"
        )
    return found
