"""The ground that every try on one window shares: its prices, what trading costs there, and the cash to start with."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

import numpy as np

from omc.backtest.cost import Costs, Slippage
from omc.backtest.kernel import Simulation, simulate
from omc.backtest.market import Market
from omc.backtest.metrics import figures, summary
from omc.backtest.run import BacktestSpec
from omc.errors import InvalidInput
from omc.feature.frame import FloatArray, Frame, as_datetime64
from omc.feature.indicator import Indicators
from omc.ledger.catalyst import Catalyst
from omc.market.money import cents
from omc.market.terms import Terms
from omc.strategy.algorithm import Algorithm
from omc.strategy.trigger import Triggers, check_coins, fired, held
from omc.trading.exits import Exits
from omc.trading.paper.venue import LARGEST_AUD

MOST_SLIPPAGE_BPS = 1_000
MOST_LATENCY_BARS = 1_000


@dataclass(frozen=True, slots=True)
class Ground:
    """`frame` is the window with the rows that warm an algorithm up before it; row `first` is the first that counts."""

    frame: Frame
    first: int
    costs: Costs
    cash_aud: float
    bar_s: float
    triggers: Triggers = ()
    events: tuple[Catalyst, ...] = ()
    """What became known while it lasted, where a trigger looks at that."""

    @classmethod
    def of(
        cls,
        spec: BacktestSpec,
        frame: Frame,
        terms: Terms,
        *,
        lived: bool = False,
        events: tuple[Catalyst, ...] = (),
    ) -> Self:
        """What `spec` is to be tried on. InvalidInput for a spec that cannot be, and for a window without prices of one
        of its coins, unless somebody `lived` through it: then that coin was not quoted, and that was that."""
        check_window(spec)
        missing = [coin for coin in spec.coins if coin not in frame.coins]
        if missing:
            raise InvalidInput(f"there are no prices of {', '.join(missing)}")
        coins = frame if frame.coins == spec.coins else frame.select(spec.coins)
        first = coins.first_row(spec.start)
        kept = coins.rows(0, int(np.searchsorted(coins.times, as_datetime64(spec.end), "right")))
        bounds = f"between {spec.start:%Y-%m-%d %H:%M} and {spec.end:%Y-%m-%d %H:%M}"
        unquoted = [
            coin for c, coin in enumerate(spec.coins) if np.isnan(kept.bid[first:, c] + kept.ask[first:, c]).all()
        ]
        if unquoted and not lived:
            raise InvalidInput(f"there are no prices of {', '.join(unquoted)} {bounds}")
        if len(kept) - first < 2:
            raise InvalidInput(f"there is only one bar {bounds}: what it decides could never be filled")
        costs = replace(
            Costs.of(terms, spec.coins, spec.rebalance_band),
            slippage=Slippage(spec.slippage_bps),
            latency_bars=spec.latency_bars,
        )
        bar_s = kept.rows(first, len(kept)).bar_s
        return cls(kept, first, costs, float(spec.initial_cash_aud), bar_s, spec.triggers, events)

    @property
    def window(self) -> Frame:
        return self.frame.rows(self.first, len(self.frame))

    def indicators(self) -> Indicators:
        """For several tries on this ground to share."""
        return Indicators(self.frame.last)

    def simulate(self, algorithm: Algorithm, indicators: Indicators | None = None) -> Simulation:
        """What `algorithm` would have done; its rows count from the first of the window."""
        return self.trade(self.wanted(algorithm, indicators), algorithm.exits)

    def trade(self, wanted: FloatArray, exits: Exits) -> Simulation:
        """What comes of weights that are wanted, (T, C) over the window."""
        return simulate(Market.quoted(self.window), wanted, self.costs, cash_aud=self.cash_aud, exits=exits)

    def wanted(self, algorithm: Algorithm, indicators: Indicators | None = None) -> FloatArray:
        """(T, C): its weights on the window; where triggers say when it is asked, those that it decided last."""
        return self.kept(algorithm.decide(self.frame, indicators or self.indicators())[self.first :])

    def kept(self, weights: FloatArray) -> FloatArray:
        """(T, C): of an algorithm's weights on the window those that it is asked for."""
        if not self.triggers:
            return weights
        return held(weights, fired(self.triggers, self.frame, self.events)[self.first :])

    def measure(self, simulation: Simulation) -> dict[str, float | None]:
        """`metrics.figures` of a simulation on this ground."""
        return figures(simulation, self.costs, self.bar_s)

    def report(self, simulation: Simulation) -> dict[str, float | None]:
        """`metrics.summary` of a simulation on this ground: all that a single backtest is told of."""
        return summary(simulation, self.window, self.costs, self.bar_s)


def check_window(spec: BacktestSpec) -> None:
    """InvalidInput, before any price is read, for bounds, coins, cash or a band that no backtest can have."""
    if spec.start.tzinfo is None or spec.end.tzinfo is None:
        raise InvalidInput("start and end need a time zone")
    if spec.start >= spec.end:
        raise InvalidInput(f"start {spec.start.isoformat()} is not before end {spec.end.isoformat()}")
    if not spec.coins:
        raise InvalidInput("a backtest needs at least one coin")
    twice = {a for a, b in pairwise(sorted(spec.coins)) if a == b}
    if twice:
        raise InvalidInput(f"{', '.join(sorted(twice))} is asked for twice")
    cash = spec.initial_cash_aud
    if not cash.is_finite() or not 0 < cash <= LARGEST_AUD:
        raise InvalidInput(f"initial cash must be above zero and at most A${LARGEST_AUD:,f}, not {cash}")
    if cash != cents(cash):
        raise InvalidInput(f"initial cash must be in whole cents, not {cash}")
    if not 0 <= spec.rebalance_band <= 1:
        raise InvalidInput(f"the rebalance band is a fraction from 0 to 1, not {spec.rebalance_band}")
    check_coins(spec.triggers, spec.coins)
    if not 0 <= spec.slippage_bps <= MOST_SLIPPAGE_BPS:
        raise InvalidInput(f"slippage_bps must lie from 0 to {MOST_SLIPPAGE_BPS}, not {spec.slippage_bps}")
    if not 0 <= spec.latency_bars <= MOST_LATENCY_BARS:
        raise InvalidInput(f"latency_bars must lie from 0 to {MOST_LATENCY_BARS}, not {spec.latency_bars}")
