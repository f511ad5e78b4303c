import gzip
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.price_series import pair_of
from omc.adapters.tape_files import read_tape
from omc.errors import InvalidInput
from omc.market.spread import quotes_around, spread_bps

SHARED = Path(__file__).parents[4] / "shared"
RECORDED = pytest.mark.skipif(not SHARED.exists(), reason="the recorded inputs are not beside the project")
START = datetime(2025, 1, 1, tzinfo=UTC)
CANDLES = "timestamp,open,high,low,close,volume\n"


def candle(bar: float, close: float = 100.0) -> str:
    return f"{(START + timedelta(minutes=5 * bar)).isoformat()},{close},{close},{close},{close},1\n"


def write(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def at(time: np.datetime64) -> float:
    """Bars since the start."""
    return float((time - np.datetime64(START.replace(tzinfo=None))) / np.timedelta64(300, "s"))


def test_a_candle_is_known_when_it_closes_at_its_close(tmp_path):
    text = CANDLES + f"{START.isoformat()},100,110,90,105,1\n" + candle(1, 106)
    frame = read_tape([write(tmp_path / "BTCUSDT_5m.csv", text)]).frame
    assert frame.coins == ("BTC",)
    assert [at(t) for t in frame.times] == [1, 2]
    assert list(frame.last[:, 0]) == [105, 106]
    bid, ask = quotes_around(np.array([105.0, 106.0]), spread_bps("BTC"))
    assert (frame.bid[:, 0] == bid).all()
    assert (frame.ask[:, 0] == ask).all()


@pytest.mark.parametrize(
    ("header", "stamp"),
    [
        ("ts_ms", lambda t: f"{int(t.timestamp() * 1000)}"),
        ("timestamp", lambda t: t.isoformat(" ")),
        ("date", lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("ts", lambda t: f"{int(t.timestamp())}"),
        ("time", lambda t: f"{int(t.timestamp() * 1_000_000)}"),
        ("open_time", lambda t: t.astimezone().isoformat()),
        ("datetime", lambda t: t.strftime("%Y-%m-%d %H:%M:%S")),
    ],
    ids=["ms", "iso", "z", "seconds", "micros", "zone", "naive"],
)
def test_times_are_told_apart_by_what_they_look_like(tmp_path, header, stamp):
    rows = [f"{stamp(START + timedelta(minutes=5 * i))},1,1,1,1,1\n" for i in range(3)]
    frame = read_tape([write(tmp_path / "X.csv", f"{header},open,high,low,close,volume\n" + "".join(rows))]).frame
    assert [at(t) for t in frame.times] == [1, 2, 3]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BTCUSDT_5m", ("BTC", "USD")),
        ("BTCUSD_5m_2018", ("BTC", "USD")),
        ("IOTUSD_5m_2018", ("IOT", "USD")),
        ("ADA_BTC-5m", ("ADA", "BTC")),
        ("BTC-USD", ("BTC", "USD")),
        ("btc_aud", ("BTC", "AUD")),
        ("BTC/AUD", ("BTC", "AUD")),
        ("WBTC", ("WBTC", None)),
        ("USDT", ("USDT", None)),
        ("1INCHUSDT", ("1INCH", "USD")),
        ("doge", ("DOGE", None)),
    ],
)
def test_a_pair_is_read_from_a_name(name, expected):
    assert pair_of(name) == expected


def test_gzip_feather_and_parquet_hold_the_same_tape_as_csv(tmp_path):
    text = CANDLES + "".join(candle(i, 100 + i) for i in range(10))
    frame = pd.DataFrame(
        {
            "date": pd.date_range(START, periods=10, freq="5min"),
            **{name: np.arange(10) + 100.0 for name in ("open", "high", "low", "close")},
        }
    )
    frame.to_feather(tmp_path / "ADA_BTC-5m.feather")
    frame.to_parquet(tmp_path / "ADA.of.no.matter")
    write(tmp_path / "ADA.csv.gz", gzip.compress(text.encode()))
    write(tmp_path / "ADA.csv", text)
    tapes = [read_tape([path]).frame for path in sorted(tmp_path.iterdir())]
    assert len(tapes) == 4
    for tape in tapes:
        assert tape.coins == ("ADA",)
        assert (tape.times == tapes[0].times).all()
        assert (tape.bid == tapes[0].bid).all()


def test_quotes_are_used_as_they_were_seen(tmp_path):
    text = "ts,coin,bid,ask\n" + "".join(
        f"{int(START.timestamp()) + second},{coin},{bid},{ask}\n"
        for second, coin, bid, ask in [
            (1, "BTC", 99, 101),
            (2, "ETH", 9, 11),
            (299, "BTC", 100, 102),
            (301, "BTC", 7, 8),
        ]
    )
    frame = read_tape([write(tmp_path / "quotes.csv", text)]).frame
    assert frame.coins == ("BTC", "ETH")
    assert [at(t) for t in frame.times] == [1, 2]
    assert list(frame.bid[:, 0]) == [100, 7]
    assert list(frame.last[:, 0]) == [101, 7.5]
    assert frame.ask[0, 1] == 11
    assert np.isnan(frame.ask[1, 1])


def test_a_last_price_may_lie_outside_bid_and_ask(tmp_path):
    path = write(tmp_path / "BTC_AUD.csv", "ts,bid,ask,last\n2025-01-01T00:00:00Z,99,101,103\n")
    tape = read_tape([path])
    assert tape.frame.last[0, 0] == 103
    assert tape.source == "BTC_AUD.csv"


@pytest.mark.parametrize(
    "text",
    [
        "ts_utc,code,name,buy_aud,sell_aud\n2025-01-01 00:00:00.7784338,BTC,Bitcoin,101,99\n",
        "time_aest,coin,buy,sell,mcap\n2025-01-01T10:00:37+10:00,BTC,101,99,5\n",
    ],
    ids=["2025", "2026"],
)
def test_on_the_page_buy_is_the_ask_and_sell_the_bid(tmp_path, text):
    frame = read_tape([write(tmp_path / "page.csv", text)]).frame
    assert (frame.bid[0, 0], frame.ask[0, 0], frame.coins) == (99, 101, ("BTC",))
    assert at(frame.times[0]) == 1


def test_the_last_of_finer_candles_stands_for_the_bar(tmp_path):
    text = CANDLES + "".join(candle(minute / 5, 100 + minute) for minute in range(12))
    frame = read_tape([write(tmp_path / "BTC.csv", text)]).frame
    assert [at(t) for t in frame.times] == [1, 2, 3]
    assert list(frame.last[:, 0]) == [104, 109, 111]


def test_one_stray_row_does_not_make_closes_known_too_early(tmp_path):
    text = CANDLES + "".join(candle(bar) for bar in [0, 1, 2, 2.01, 3, 4, 5, 6])
    frame = read_tape([write(tmp_path / "BTC.csv", text)]).frame
    assert at(frame.times[0]) == 1


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12))
def test_a_missing_coin_keeps_its_quote_for_an_hour(tmp_path_factory, gaps):
    bars = np.cumsum([0, *gaps])
    path = tmp_path_factory.mktemp("gaps") / "BTC_AUD.csv"
    rows = "".join(
        f"{(START + timedelta(minutes=5 * int(b))).isoformat()},{i + 1},{i + 1}\n" for i, b in enumerate(bars)
    )
    frame = read_tape([write(path, "ts,bid,ask\n" + rows)]).frame
    expected = {}
    for bar in range(int(bars[-1]) + 1):
        latest = int(np.searchsorted(bars, bar, side="right")) - 1
        if bar - bars[latest] <= 12:
            expected[bar] = latest + 1
    assert dict(zip([at(t) for t in frame.times], frame.bid[:, 0], strict=True)) == expected


def test_a_coin_is_not_quoted_before_its_first_or_after_its_last_bar(tmp_path):
    long = write(tmp_path / "BTC.csv", CANDLES + "".join(candle(i) for i in range(6)))
    short = write(tmp_path / "ETH.csv", CANDLES + candle(2) + candle(3))
    frame = read_tape([long, short]).frame
    assert list(np.isnan(frame.bid[:, 1])) == [True, True, False, False, True, True]


def test_the_years_of_one_coin_are_joined_in_any_order(tmp_path):
    second = write(tmp_path / "BTCUSD_2018.csv", CANDLES + candle(2, 102) + candle(3, 103))
    first = write(tmp_path / "BTCUSD_2017.csv", CANDLES + candle(0, 100) + candle(1, 101) + candle(2, 102))
    frame = read_tape([second, first]).frame
    assert list(frame.last[:, 0]) == [100, 101, 102, 103]


def test_files_that_contradict_each_other_are_refused(tmp_path):
    first = write(tmp_path / "BTCUSD_a.csv", CANDLES + candle(0, 100) + candle(1, 101))
    second = write(tmp_path / "BTCUSD_b.csv", CANDLES + candle(1, 999) + candle(2, 102))
    with pytest.raises(InvalidInput, match=r"b.csv, line 2: BTC has another price here than in .*a.csv, line 3"):
        read_tape([first, second])


def test_one_coin_in_two_currencies_is_refused(tmp_path):
    first = write(tmp_path / "ETHUSD.csv", CANDLES + candle(0) + candle(1))
    second = write(tmp_path / "ETH_BTC.csv", CANDLES + candle(5) + candle(6))
    with pytest.raises(InvalidInput, match="cannot be joined"):
        read_tape([first, second])


WRONG = {
    "no such file": (None, "there is no such file"),
    "empty": (b"", "line 1: the file is empty"),
    "blank": (b"\n \n", "line 1: the file is empty"),
    "header only": (CANDLES, "line 1: a header and no prices"),
    "web page": ("<!DOCTYPE html><html><body>404</body></html>", "line 1: this is a web page"),
    "binary": (b"timestamp,open\n\x00\x01\x02", "line 2: neither text"),
    "latin": (CANDLES.encode() + b"caf\xe9", "line 2: neither text"),
    "no header": ("1735689600000,1,1,1,1,1\n", "line 1: numbers where the names"),
    "doubled column": ("ts,bid,bid\n", "line 1: two columns are called 'bid'"),
    "no close": ("timestamp,open,high,low\n", "line 1: candles without close"),
    "no times": ("open,high,low,close\n1,1,1,1\n", "line 1: no column of times"),
    "other columns": ("timestamp,price\n", "line 1: neither candles"),
    "short row": (CANDLES + candle(0) + "2025-01-01,1,1\n", "line 3: 3 fields where the header has 6"),
    "text price": (CANDLES + candle(0) + candle(1).replace("100.0", "abc", 1), "line 3: open is 'abc', not a number"),
    "NaN": (CANDLES + candle(0) + candle(1, float("nan")), "line 3: open is nan: not a number"),
    "missing price": (CANDLES + candle(0) + "2025-01-01T00:05Z,1,1,1,,1\n", "line 3: close is nan: not a number"),
    "infinite": (CANDLES + candle(0) + candle(1, float("inf")), "line 3: open is inf: not a number"),
    "negative": (CANDLES + candle(0) + candle(1, -5), "line 3: open is -5: not positive"),
    "zero": (CANDLES + candle(0) + "\n" + candle(1, 0), "line 4: open is 0: not positive"),
    "too small": (CANDLES + candle(0, 1e-9), "line 2: open is 1e-09: below eight decimals"),
    "too large": (CANDLES + candle(0, 1e12), r"line 2: open is 1e\+12: above"),
    "high below low": (CANDLES + "2025-01-01T00:00Z,1,1,2,1,1\n", "line 2: the high is below the low"),
    "close above high": (CANDLES + "2025-01-01T00:00Z,1,2,1,3,1\n", "line 2: the close lies outside"),
    "time twice": (CANDLES + candle(0) + candle(1) + candle(1), "line 4: .* is given twice"),
    "time back": (CANDLES + candle(0) + candle(2) + candle(1), "line 4: .* comes after 2025-01-01T00:10:00Z"),
    "no time": (CANDLES + candle(0) + "yesterday,1,1,1,1,1\n", "line 3: 'yesterday' is not a time"),
    "missing time": (CANDLES + candle(0) + ",1,1,1,1,1\n", "line 3: "),
    "ancient": (CANDLES + "1905-01-01,1,1,1,1,1\n", "line 2: timestamp is 1905-01-01T00:00:00Z, outside"),
    "hours": (CANDLES + candle(0) + candle(12) + candle(24), "line 3: .*candles of 60 minutes"),
    "crossed": ("ts,bid,ask\n2025-01-01,2,1\n", "line 2: .*the bid 2 is above the ask 1"),
    "no coin": ("ts,coin,bid,ask\n2025-01-01,,1,1\n", "line 2: "),
    "odd coin": ("ts,coin,bid,ask\n2025-01-01,$$$,1,1\n", "line 2: '\\$\\$\\$' names no coin"),
    "cut gzip": (gzip.compress((CANDLES + "".join(map(candle, range(99)))).encode())[:-99], r"line \d+: .*cut off"),
    "bad gzip": (b"\x1f\x8b" + b"nonsense" * 9, "line 1: the gzip file is damaged"),
    "bad feather": (b"ARROW1\0\0" + b"nonsense" * 9, "row 1: a damaged feather"),
    "bad parquet": (b"PAR1" + b"nonsense" * 9, "row 1: a damaged feather or Parquet"),
}


@pytest.mark.parametrize(("text", "reason"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_file_is_refused_with_its_line_and_the_reason(tmp_path, text, reason):
    path = tmp_path / "BTCUSD_5m.csv"
    if text is not None:
        write(path, text)
    with pytest.raises(InvalidInput, match=reason) as refused:
        read_tape([path])
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_a_folder_and_nothing_are_no_tapes(tmp_path):
    with pytest.raises(InvalidInput, match="directory"):
        read_tape([tmp_path])
    with pytest.raises(InvalidInput, match="at least one file"):
        read_tape([])


@pytest.mark.shared
@RECORDED
def test_a_recorded_year_of_seven_coins_is_read_in_seconds():
    # Of the processors, which others may have as well.
    started = time.process_time()
    tape = read_tape(sorted((SHARED / "data/prices").glob("*USD_5m_2018.csv.gz")))
    assert time.process_time() - started < 10
    assert len(tape.frame) == 105_120
    assert tape.frame.coins == ("BTC", "EOS", "ETH", "IOT", "LTC", "NEO", "XRP")
    assert "at par as AUD; bid and ask by the spread model" in tape.source


@pytest.mark.shared
@RECORDED
@pytest.mark.parametrize(
    ("pattern", "coins"),
    [
        ("prices/*USDT_5m.csv.gz", 8),
        ("prices/*.feather", 2),
        ("prices/BTCUSD_5m_201*.csv.gz", 1),
        ("coinspot/getwrongg*.csv.gz", 535),
        ("coinspot/nickau*.csv", 23),
    ],
)
def test_every_recorded_layout_is_recognized(pattern, coins):
    frame = read_tape(sorted((SHARED / "data").glob(pattern))).frame
    assert len(frame.coins) == coins
    quoted = ~np.isnan(frame.last)
    assert quoted.any(axis=1).all()
    assert (frame.bid[quoted] <= frame.ask[quoted]).all()
