"""How many bars a second the event engine replays: the floor's own trader, risk book and venue, order by order.

`python bench/events.py [--bars 100000] [--peers PYTHON] [--json FILE]` replays a moving-average crossover 10/50 over
one coin, all in, at a fee of 0.1 %. Its trades are the kernel's, to the bit: their hash stands beside both times.
`--peers` names a Python that can import backtesting.py or nautilus_trader, which then do the same on the same closes in
this very run; a peer that cannot be imported is shown with the figure published for it, and labelled so.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
FAST, SLOW = 10, 50
FEE = 0.001
CASH = 10_000
PUBLISHED = {"nautilus": 37_000.0, "backtesting.py": 230_000.0}
"""Bars a second on two quiet cores of 4.3 GHz."""
MUST_BE = {"nautilus": 5.0, "backtesting.py": 1.0}
"""How many times faster than a peer the event engine is meant to be."""
RUNS = 5


def closes(bars: int) -> np.ndarray:
    walk = np.random.default_rng(7).normal(0, 0.002, bars).cumsum()
    return np.round(60_000 * np.exp(walk), 2)


def fastest(of: Callable[[], Any], runs: int = RUNS) -> tuple[float, Any]:
    """Seconds of the best run, and what it returned; a first one that is not counted compiles and warms up."""
    taken, last = [], of()
    for _ in range(runs):
        began = time.perf_counter()
        last = of()
        taken.append(time.perf_counter() - began)
    return min(taken), last


def hash_of(trades: Iterable[tuple[int, str, str, str]]) -> str:
    return hashlib.sha256(repr(list(trades)).encode()).hexdigest()[:16]


# Ours


def ours(bars: int) -> list[dict[str, Any]]:
    sys.path[0] = str(ROOT)
    from omc.backtest.cost import Costs
    from omc.backtest.kernel import BUY, simulate
    from omc.backtest.market import Market
    from omc.backtest.replay import replay
    from omc.feature.indicator import Indicators
    from omc.market.money import from_grid
    from omc.market.terms import Terms
    from omc.trading.exits import Exits
    from omc.trading.mandate import Mandate

    prices = closes(bars)[:, None]
    market, terms = Market(prices, prices, prices), Terms()
    times = np.datetime64("2024-01-01", "us") + np.arange(bars) * np.timedelta64(300, "s")
    rows = {time.astype(datetime).replace(tzinfo=UTC): row for row, time in enumerate(times)}
    mandate = Mandate(UUID(int=0), UUID(int=0), ("BTC",), 0.0, Exits(), terms)

    def weights() -> np.ndarray:
        indicators = Indicators(prices)
        return np.where(indicators.mean(FAST) > indicators.mean(SLOW), 1.0, 0.0)

    def events(skip: bool = True) -> Any:
        return replay(mandate, times, market, weights(), cash_aud=Decimal(CASH), skip=skip)

    def kernel() -> Any:
        costs = Costs.of(terms, ("BTC",), 0.0)
        return simulate(market, weights(), costs, cash_aud=float(CASH), exits=Exits())

    def counted(name: str, seconds: float, trades: list[tuple[int, str, str, str]], worth: float) -> dict[str, Any]:
        return {
            "engine": name,
            "seconds": seconds,
            "bars_per_s": bars / seconds,
            "trades": len(trades),
            "equity": float(worth),
            "hash": hash_of(trades),
        }

    def made(engine: Any) -> list[tuple[int, str, str, str]]:
        orders = [(order.intent.quote_price_aud, fill) for order in engine.orders for fill in order.fills]
        return [(rows[fill.executed_at], fill.side.value, f"{fill.quantity:f}", f"{price:f}") for price, fill in orders]

    took, simulation = fastest(kernel)
    trades = [
        (
            int(trade["row"]),
            "buy" if trade["side"] == BUY else "sell",
            f"{from_grid(trade['quantity']):f}",
            f"{from_grid(trade['price_aud']):f}",
        )
        for trade in simulation.trades
    ]
    found = [counted("kernel", took, trades, simulation.equity[-1])]
    took, engine = fastest(events)
    found.append(counted("event engine", took, made(engine), engine.equity[-1]))
    took, engine = fastest(lambda: events(skip=False), runs=1)
    found.append(counted("event engine, every bar handed to the trader", took, made(engine), engine.equity[-1]))
    return found


# Peers: run by another Python, which has them and nothing of ours


def backtesting_py(prices: np.ndarray) -> dict[str, Any]:
    import pandas as pd
    from backtesting import Backtest, Strategy
    from backtesting.lib import crossover

    def mean(values: Any, bars: int) -> Any:
        return pd.Series(values).rolling(bars).mean()

    class Crossover(Strategy):  # type: ignore[misc]
        def init(self) -> None:
            self.fast = self.I(mean, self.data.Close, FAST)
            self.slow = self.I(mean, self.data.Close, SLOW)

        def next(self) -> None:
            if crossover(self.fast, self.slow):
                self.buy()
            elif crossover(self.slow, self.fast):
                self.position.close()

    index = pd.date_range("2024-01-01", periods=len(prices), freq="5min")
    frame = pd.DataFrame(dict.fromkeys(("Open", "High", "Low", "Close"), prices), index=index)
    # In small parts of a coin: it trades whole ones only.
    test = Backtest(frame / 1e6, Crossover, cash=CASH, commission=FEE, finalize_trades=False)
    took, stats = fastest(test.run, runs=3)
    return {"seconds": took, "trades": 2 * int(stats["# Trades"]), "equity": float(stats["Equity Final [$]"])}


def nautilus(prices: np.ndarray) -> dict[str, Any]:
    import pandas as pd
    from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
    from nautilus_trader.config import LoggingConfig, StrategyConfig
    from nautilus_trader.indicators import SimpleMovingAverage
    from nautilus_trader.model.currencies import BTC, USDT
    from nautilus_trader.model.data import BarType
    from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
    from nautilus_trader.model.identifiers import InstrumentId, Symbol, Venue
    from nautilus_trader.model.instruments import CurrencyPair
    from nautilus_trader.model.objects import Money, Price, Quantity
    from nautilus_trader.persistence.wranglers import BarDataWrangler
    from nautilus_trader.trading.strategy import Strategy

    venue = Venue("SIM")
    coin = CurrencyPair(
        instrument_id=InstrumentId(Symbol("BTCUSDT"), venue),
        raw_symbol=Symbol("BTCUSDT"),
        base_currency=BTC,
        quote_currency=USDT,
        price_precision=2,
        size_precision=6,
        price_increment=Price(0.01, 2),
        size_increment=Quantity(0.000001, 6),
        maker_fee=Decimal("0.001"),
        taker_fee=Decimal("0.001"),
        ts_event=0,
        ts_init=0,
    )
    bar_type = BarType.from_str("BTCUSDT.SIM-5-MINUTE-LAST-EXTERNAL")

    class Crossover(Strategy):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(StrategyConfig(strategy_id="crossover"))
            self.fast, self.slow = SimpleMovingAverage(FAST), SimpleMovingAverage(SLOW)
            self.held: Any = None

        def on_start(self) -> None:
            self.register_indicator_for_bars(bar_type, self.fast)
            self.register_indicator_for_bars(bar_type, self.slow)
            self.subscribe_bars(bar_type)

        def on_bar(self, bar: Any) -> None:
            if not self.slow.initialized:
                return
            above = self.fast.value > self.slow.value
            if above and self.held is None:
                cash = float(self.portfolio.account(venue).balance_free(USDT))
                self.held = coin.make_qty(cash * 0.995 / (float(bar.close) * (1 + FEE)))
                self.submit_order(self.order_factory.market(coin.id, OrderSide.BUY, self.held))
            elif not above and self.held is not None:
                self.submit_order(self.order_factory.market(coin.id, OrderSide.SELL, self.held))
                self.held = None

    index = pd.date_range("2024-01-01", periods=len(prices), freq="5min", tz="UTC")
    frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), prices), index=index)
    frame["volume"] = 1e6
    bars = BarDataWrangler(bar_type, coin).process(frame)
    engine = BacktestEngine(BacktestEngineConfig(logging=LoggingConfig(bypass_logging=True)))
    engine.add_venue(venue, OmsType.NETTING, AccountType.CASH, [Money(CASH, USDT)], base_currency=None)
    engine.add_instrument(coin)
    engine.add_data(bars)
    engine.add_strategy(Crossover())
    began = time.perf_counter()
    engine.run()
    took = time.perf_counter() - began
    account = engine.trader.generate_account_report(venue)
    left = account[account["currency"] == "USDT"]["total"].astype(float).iloc[-1]
    made = len(engine.trader.generate_order_fills_report())
    return {"seconds": took, "trades": made, "equity": float(left)}


PEERS = {"nautilus": nautilus, "backtesting.py": backtesting_py}


def peer(name: str, python: str | None, bars: int) -> dict[str, Any]:
    """A peer measured by another Python, or what is published of it."""
    if python is not None:
        with tempfile.NamedTemporaryFile(suffix=".npy") as kept:
            np.save(kept, closes(bars))
            kept.flush()
            command = [python, __file__, "--as-peer", name, kept.name]
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode == 0:
            measured: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
            return {"engine": name, **measured, "bars_per_s": bars / measured["seconds"]}
        print(f"{name} did not run: {ran.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
    return {"engine": f"{name} (published)", "bars_per_s": PUBLISHED[name]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bars", type=int, default=100_000)
    parser.add_argument("--peers", metavar="PYTHON", help="a Python that has backtesting.py or nautilus_trader")
    parser.add_argument("--json", type=Path, help="write the figures there, too")
    parser.add_argument("--as-peer", nargs=2, metavar=("NAME", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.as_peer:
        name, file = given.as_peer
        print(json.dumps(PEERS[name](np.load(file))))
        return
    figures = ours(given.bars)
    speed = next(each["bars_per_s"] for each in figures if each["engine"] == "event engine")
    for name in PEERS:
        figures.append(peer(name, given.peers, given.bars) | {"ratio": 0.0, "wanted": MUST_BE[name]})
        figures[-1]["ratio"] = speed / figures[-1]["bars_per_s"]
    for each in figures:
        taken = f"{each['seconds'] * 1000:9,.1f} ms" if "seconds" in each else " " * 12
        about = f"{each['trades']:,} trades, {each['equity']:,.2f} AUD" if "trades" in each else ""
        ratio = (
            f"the event engine is {each['ratio']:.1f} x as fast (wanted {each['wanted']:g})" if "ratio" in each else ""
        )
        print(
            f"{each['engine']:<45} {taken} {each['bars_per_s']:>14,.0f} bars/s  {about}  {each.get('hash', '')}{ratio}"
        )
    same = len({each["hash"] for each in figures if "hash" in each}) == 1
    print("the same trades, to the bit" if same else "THE TRADES DIFFER")
    if given.json:
        given.json.write_text(json.dumps({"bars": given.bars, "same_trades": same, "figures": figures}, indent=2))
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
