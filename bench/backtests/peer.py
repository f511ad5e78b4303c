"""One peer's backtest, run by a Python of its own: `python peer.py NAME PRICES.npy` prints JSON.

PRICES holds open, high, low, close, (4, T). Closes decide, the next open fills, all in, a fee of 0.1 %.
"""

import json
import sys
import time
import warnings

import numpy as np

FEW, MANY, FEE, CASH = 10, 50, 0.001, 10_000.0


def crossing(closes: np.ndarray) -> np.ndarray:
    import pandas as pd

    series = pd.Series(closes)
    return (series.rolling(FEW).mean() > series.rolling(MANY).mean()).to_numpy()


def vectorbt(prices: np.ndarray):  # type: ignore[no-untyped-def]
    import pandas as pd
    import vectorbt as vbt

    opens, closes = pd.Series(prices[0]), pd.Series(prices[3])

    def run():  # type: ignore[no-untyped-def]
        wanted = pd.Series(crossing(prices[3])).shift(1, fill_value=False)
        return vbt.Portfolio.from_signals(closes, wanted, ~wanted, price=opens, fees=FEE, init_cash=CASH, freq="5min")

    def shown(done):  # type: ignore[no-untyped-def]
        orders = done.orders.records
        return list(zip(orders["idx"].tolist(), np.where(orders["side"] == 0, 1, -1).tolist(), strict=True)), float(
            done.value().iloc[-1]
        )

    return run, shown


def backtesting(prices: np.ndarray):  # type: ignore[no-untyped-def]
    import pandas as pd
    from backtesting import Backtest, Strategy

    frame = pd.DataFrame(prices.T / 1e6, columns=["Open", "High", "Low", "Close"])
    frame.index = pd.date_range("2025-01-01", periods=len(frame), freq="5min")

    class Crossover(Strategy):
        def init(self) -> None:
            self.wanted = self.I(lambda: crossing(prices[3]).astype(float))

        def next(self) -> None:
            if self.wanted[-1] and not self.position:
                self.buy()
            elif not self.wanted[-1] and self.position:
                self.position.close()

    def run():  # type: ignore[no-untyped-def]
        return Backtest(frame, Crossover, cash=CASH, commission=FEE, exclusive_orders=False).run()

    def shown(done):  # type: ignore[no-untyped-def]
        trades = done["_trades"]
        made = [(int(row), 1) for row in trades["EntryBar"]] + [(int(row), -1) for row in trades["ExitBar"]]
        return sorted(made), float(done["Equity Final [$]"])

    return run, shown


def main() -> None:
    warnings.simplefilter("ignore")
    name, path = sys.argv[1:]
    run, shown = {"vectorbt": vectorbt, "backtesting.py": backtesting}[name](np.load(path))
    done, took = run(), []
    for _ in range(5):
        began = time.perf_counter()
        done = run()
        took.append(time.perf_counter() - began)
    made, final = shown(done)
    sys.stdout.write(json.dumps({"seconds": sorted(took)[len(took) // 2], "made": made, "final": final}))


if __name__ == "__main__":
    main()
