"""The figures that real money asks for: measured anew on the window of the newest sweep, under the venue's terms."""

from dataclasses import replace
from decimal import Decimal
from functools import partial

import numpy as np

from omc.backtest import overfitting
from omc.backtest.deflated import Deflated
from omc.backtest.execution import slipped
from omc.backtest.kernel import BUY, SELL
from omc.backtest.metrics import YEAR_S
from omc.backtest.parity import parity_of
from omc.backtest.run import BacktestSpec
from omc.backtest.study import Study, study
from omc.feature.frame import Frame
from omc.market.money import ZERO, from_grid
from omc.market.terms import Terms
from omc.promotion.gate import Figure
from omc.promotion.pieces import decided_in_pieces
from omc.promotion.proof import HOW, Proof
from omc.promotion.search import Search
from omc.promotion.stretches import folds_in_pieces
from omc.promotion.trials import Tally
from omc.strategy import registry
from omc.strategy.maker import CUSTOM, Make
from omc.trading.fill import Side
from omc.trading.settlement import settle

_DAY_S = 86_400.0
# What the event engine does in a few seconds.
_REPLAYED_CELLS = 200_000
_FEWEST_REPLAYED = 2_000


def prove(
    search: Search,
    spec: BacktestSpec,
    frame: Frame,
    terms: Terms,
    tally: Tally,
    *,
    confidence: float,
    make: Make = registry.make,
    seed: int = 0,
) -> Proof:
    """`spec` is what is to be proven, over the window of the search's own; `frame` holds it, and the rows that warm it
    up. `seed` cuts it into pieces in a way that nobody should know before. Seconds of work."""
    done = study(spec, frame, terms, make=make)
    return Proof(
        {
            "pieces": _pieces(search, spec, frame, terms, make, seed),
            "tested": _tested(search, search.holds(spec.parameters)),
            "trades": Figure(float(len(done.fills)), f"{len(done.fills):,} trades in {_days(done):,.1f} days"),
            "max_drawdown": _max_drawdown(done),
            "profit": _profit(done),
            "track_record": _track_record(done, confidence),
            "out_of_sample_sharpe": _out_of_sample(search, _bar_s(done)),
            "deflated_sharpe": _deflated(done, tally),
            "pbo": _pbo(search),
            "parity": _parity(done, frame, terms, make),
        },
        _days(done),
    )


def _pieces(search: Search, spec: BacktestSpec, frame: Frame, terms: Terms, make: Make, seed: int) -> Figure:
    """On all of the window and, of people's own code, on the folds of the sweep that speaks for it as well: what ships
    with the platform is known to decide by what it is told."""
    found = decided_in_pieces(partial(make, spec.algorithm_type, spec.parameters), frame, seed=seed)
    if spec.algorithm_type != CUSTOM or found.known != 0.0:
        return found
    of_folds = folds_in_pieces(search, search.row_of(spec.parameters), frame, terms, make, seed=seed + 1)
    return of_folds if of_folds.known != 0.0 else Figure(0.0, f"{found.said}; {of_folds.said}")


def _tested(search: Search, held: bool) -> Figure:
    name = f"sweep {search.sweep.id}, the newest,"
    return Figure(1.0, f"{name} counts") if held else Figure(0.0, f"{name} did not try these parameters: {HOW}")


def _max_drawdown(done: Study) -> Figure:
    fall = done.metrics["max_drawdown"]
    return Figure(None, "not measured") if fall is None else Figure(-fall, f"the deepest fall was {-fall:.1%}")


def _profit(done: Study) -> Figure:
    """Of the cash, with whatever is held in the end sold."""
    cash = done.spec.initial_cash_aud
    left = from_grid(float(done.simulation.cash[-1]))
    left += sum(_closed(done, c, held) for c, held in enumerate(done.simulation.holdings.tolist()) if held)
    part = float((left - cash) / cash)
    said = f"A${left - cash:,.2f} of A${cash:,.2f} ({part:.2%}) earned after fees, spread and slippage, all sold"
    return Figure(part, said)


def _closed(done: Study, c: int, held: float) -> Decimal:
    """AUD that closing what is `held` of coin `c` would move, at the last quote as far as an order at the market slips
    from it; what is too little to sell fetches nothing, what is owed is bought back at any size."""
    quotes, costs = (done.window.bid if held > 0 else done.window.ask)[:, c], done.costs
    quote = float(quotes[~np.isnan(quotes)][-1])
    if 0 < held * quote < costs.min_order_aud:
        return ZERO
    price = from_grid(slipped(SELL if held > 0 else BUY, quote, costs.slippage.bps, 1))
    side = Side.SELL if held > 0 else Side.BUY
    moved = settle(side, from_grid(abs(held)), price, int(costs.fee_bps[c])).total_aud
    return moved if held > 0 else -moved


def _track_record(done: Study, confidence: float) -> Figure:
    """Days that a record of such returns must have, at least."""
    shape = _shape(done)
    if shape is None:
        return Figure(None, "the returns never vary: there is no ratio to trust")
    ratio, _, skewness, kurtosis = shape
    if ratio <= 0:
        return Figure(None, "the Sharpe ratio is not above zero: no record is long enough")
    bars = overfitting.min_track_record_length(ratio, skewness, kurtosis, confidence=confidence)
    days = bars * _bar_s(done) / _DAY_S
    return Figure(
        days, f"{days:,.1f} days tell such returns from luck at {confidence:.0%}; there are {_days(done):,.1f}"
    )


def _out_of_sample(search: Search, bar_s: float) -> Figure:
    sweep = search.sweep
    if not sweep.folds:
        return Figure(None, f"sweep {sweep.id} had no folds, so nothing of it is out of sample: {HOW}")
    walked = search.walked()
    ratio = float("nan") if walked is None else walked.sharpe(YEAR_S / bar_s)
    if walked is None or np.isnan(ratio):
        return Figure(None, "what the search chose never varied in a fold that it was not chosen by")
    many = "1 fold" if len(walked.folds) == 1 else f"{len(walked.folds)} folds"
    return Figure(
        ratio,
        f"{ratio:.2f} over {walked.bars:,} bars of {many}, traded by what was best before it",
    )


def _deflated(done: Study, tally: Tally) -> Figure:
    deflated = Deflated.of(done.metrics, _bar_s(done), tally)
    return Figure(deflated.probability, deflated.sentence())


def _pbo(search: Search) -> Figure:
    blocks = search.blocks()
    if len(blocks) < 2:
        return Figure(None, f"fewer than two points were tried to the end: {HOW}")
    chance = overfitting.probability_of_overfitting(blocks)
    if np.isnan(chance):
        return Figure(None, f"too few of {len(blocks):,} points ever traded")
    said = f"in {chance:.1%} of splits the best of {len(blocks):,} points on one half is below the median on the other"
    return Figure(chance, said)


def _parity(done: Study, frame: Frame, terms: Terms, make: Make) -> Figure:
    """Differences between the trades of the kernel and of the event engine, over the last bars of the window."""
    first = max(0, len(done.window) - max(_FEWEST_REPLAYED, _REPLAYED_CELLS // len(done.spec.coins)))
    spec = replace(done.spec, start=done.window.time(first))
    found = parity_of(spec, frame, terms, make)
    bars = f"{len(done.window) - first:,} bars"
    said = f"kernel and event engine make the same trades over {bars}" if not found else f"over {bars}: {found[0]}"
    return Figure(float(len(found)), said)


def _shape(done: Study) -> tuple[float, int, float, float] | None:
    """Sharpe ratio a bar, number of bars, skewness and kurtosis of the returns."""
    ratio, skewness, kurtosis = (done.metrics.get(name) for name in ("sharpe", "skewness", "kurtosis"))
    if ratio is None or skewness is None or kurtosis is None:
        return None
    return ratio / float(np.sqrt(YEAR_S / _bar_s(done))), len(done.window) - 1, skewness, kurtosis


def _bar_s(done: Study) -> float:
    return done.window.bar_s


def _days(done: Study) -> float:
    return len(done.window) * _bar_s(done) / _DAY_S
