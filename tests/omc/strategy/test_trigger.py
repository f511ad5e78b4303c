from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.errors import InvalidInput
from omc.feature.frame import Frame
from omc.ledger.catalyst import Catalyst
from omc.strategy.trigger import (
    Crossing,
    Daily,
    Direction,
    Every,
    Happening,
    Strayed,
    bars_of,
    fired,
    held,
    triggers_of,
    why,
)

NAN = float("nan")


def frame(*prices: float, start: str = "2025-04-05T12:00", minutes: int = 5) -> Frame:
    times = np.datetime64(start, "us") + np.arange(len(prices)) * np.timedelta64(minutes, "m")
    last = np.array(prices, np.float64)[:, None]
    return Frame(times, ("BTC",), last, last, last)


def rows(trigger, of: Frame) -> list[int]:
    return np.flatnonzero(trigger.fires(of)).tolist()


@pytest.mark.parametrize(("direction", "expected"), [("up", [1, 4]), ("down", [3, 6]), ("either", [1, 3, 4, 6])])
def test_a_price_crosses_a_level_once_each_way(direction, expected) -> None:
    prices = frame(9.0, 10.0, 11.0, 9.5, 10.5, 11.0, 10.0)
    assert rows(Crossing("BTC", 10.0, Direction(direction)), prices) == expected


def test_a_bar_without_a_price_crosses_nothing_nor_does_the_next() -> None:
    assert rows(Crossing("BTC", 10.0), frame(9.0, NAN, 11.0, 9.0)) == [3]


def test_each_stretch_of_time_has_one_first_bar_though_bars_are_missing() -> None:
    assert rows(Every(3600), frame(*[1.0] * 30)) == [12, 24]
    assert rows(Every(900), frame(*[1.0] * 4, minutes=60)) == [1, 2, 3]


def test_a_time_of_day_is_one_of_its_zone_when_clocks_change() -> None:
    # Clocks in Sydney are put back on 6 April 2025.
    of = frame(*[1.0] * (2 * 288), start="2025-04-05T12:00")
    sydney = [
        of.time(row).astimezone(ZoneInfo("Australia/Sydney")) for row in rows(Daily(time(9), "Australia/Sydney"), of)
    ]
    assert [(each.day, each.hour, each.minute) for each in sydney] == [(6, 9, 0), (7, 9, 0)]
    assert sydney[0].astimezone(UTC) == datetime(2025, 4, 5, 23, tzinfo=UTC)


def test_a_price_strays_from_its_mean_once_until_it_came_back() -> None:
    prices = frame(10.0, 10.0, 10.0, 10.25, 10.3, 10.1, 9.7, 9.6)
    assert rows(Strayed("BTC", 2.0, 2, Direction.UP), prices) == [3]
    assert rows(Strayed("BTC", 2.0, 2, Direction.DOWN), prices) == [6]
    assert rows(Strayed("BTC", 2.0, 2), prices) == [3, 6]


def test_without_a_price_on_each_bar_of_a_mean_nothing_strays() -> None:
    assert rows(Strayed("BTC", 2.0, 2), frame(10.0, NAN, 10.0, 11.0, 10.0, 10.0, 10.0, 12.0)) == [7]
    assert rows(Strayed("BTC", 2.0, 2), frame(10.0, 10.0, 11.0)) == []


def event(minutes: float, type_: str = "listing", *coins: str, **changes) -> Catalyst:
    at = datetime(2025, 4, 5, 12, tzinfo=UTC) + timedelta(minutes=minutes)
    return Catalyst(type_, f"title {minutes}", coins, "wire", str(minutes), at, at, **changes)


def test_a_catalyst_fires_on_the_first_bar_by_which_it_was_known() -> None:
    of = frame(*[1.0] * 6)
    # Before the first bar and with it, within the second's time, on the fourth to the moment, and after the last.
    told = (event(-1), event(0), event(2), event(15), event(26))
    assert np.flatnonzero(Happening().fires(of, told)).tolist() == [1, 3]
    assert why((Happening("listing"),), of.rows(2, 4), told) == "listing: title 15"
    assert why((Happening("listing"),), of.rows(3, 5), told) == ""


def test_a_catalyst_is_told_apart_by_type_coin_and_urgency() -> None:
    btc, all_of_them = event(2, "listing", "BTC", "ETH", priority="high"), event(3, "halving")
    assert Happening("listing", "BTC").matches(btc)
    assert not Happening("delisting").matches(btc)
    assert not Happening("", "DOGE").matches(btc)
    assert Happening("", "DOGE").matches(all_of_them)
    assert Happening(priority="high").matches(btc)
    assert not Happening(priority="critical").matches(btc)
    assert not Happening(priority="high").matches(all_of_them)


events = st.lists(
    st.builds(
        event,
        st.integers(-60, 1300).map(lambda half: half / 2),
        st.sampled_from(["listing", "news"]),
        priority=st.sampled_from(["low", "normal", "high"]),
    ),
    max_size=6,
).map(tuple)
triggers = st.lists(
    st.one_of(
        st.builds(Strayed, st.just("BTC"), st.floats(0.5, 50), st.integers(1, 5), st.sampled_from(Direction)),
        st.builds(
            Happening,
            st.sampled_from(["", "listing"]),
            st.sampled_from(["", "BTC"]),
            st.sampled_from(["low", "normal", "high"]),
        ),
        st.builds(Crossing, st.just("BTC"), st.floats(5, 15), st.sampled_from(Direction)),
        st.builds(Every, st.sampled_from([300, 900, 3600, 86_400])),
        st.builds(
            Daily,
            st.times().map(lambda at: at.replace(second=0, microsecond=0)),
            st.sampled_from(["UTC", "Australia/Sydney"]),
        ),
    ),
    max_size=3,
).map(tuple)
prices = st.lists(st.floats(5, 15) | st.just(NAN), min_size=2, max_size=40)


@given(triggers, prices, events)
def test_the_newest_bars_tell_what_the_whole_history_tells(given_triggers, given_prices, given_events) -> None:
    of = frame(*given_prices, minutes=30)
    whole = fired(given_triggers, of, given_events)
    for row in range(1, len(of)):
        newest = of.rows(max(0, row + 1 - max(bars_of(given_triggers), 2)), row + 1)
        # A trader is told only what became known since the bar before.
        fresh = tuple(each for each in given_events if of.time(row - 1) < each.seen_time <= of.time(row))
        assert fired(given_triggers, newest, fresh)[-1] == whole[row]
        assert bool(why(given_triggers, newest, fresh)) == whole[row]


@given(triggers, prices, prices, events)
def test_what_comes_later_changes_no_bar_before(given_triggers, given_prices, later, given_events) -> None:
    short, long = frame(*given_prices, minutes=30), frame(*given_prices, *later, minutes=30)
    known = tuple(each for each in given_events if each.seen_time <= short.time(-1))
    assert (
        fired(given_triggers, short, known).tolist() == fired(given_triggers, long, given_events)[: len(short)].tolist()
    )


@given(triggers)
def test_a_trigger_is_read_back_as_it_was_written(given_triggers) -> None:
    assert triggers_of([each.told() for each in given_triggers]) == given_triggers


@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_what_was_decided_last_stays_and_nothing_is_wanted_before(asked) -> None:
    weights = np.arange(1.0, 1 + 2 * len(asked)).reshape(-1, 2)
    wanted = np.zeros(2)
    for row, kept in enumerate(held(weights, np.array(asked))):
        wanted = weights[row] if asked[row] else wanted
        assert kept.tolist() == wanted.tolist()


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"on": "moon"},
        {"on": "price", "coin": "BTC"},
        {"on": "price", "coin": "BTC", "level_aud": -1},
        {"on": "price", "coin": "BTC", "level_aud": "nan"},
        {"on": "price", "coin": "BTC", "level_aud": 1, "direction": "sideways"},
        {"on": "price", "coin": "BTC", "percent": 0, "mean_bars": 5},
        {"on": "price", "coin": "BTC", "percent": "nan", "mean_bars": 5},
        {"on": "price", "coin": "BTC", "percent": 2, "mean_bars": 0},
        {"on": "price", "coin": "BTC", "percent": 2, "mean_bars": 3000},
        {"on": "price", "coin": "BTC", "percent": 2, "mean_bars": 3, "level_aud": 5},
        {"on": "catalyst", "priority": "urgent"},
        {"on": "catalyst", "type": "x" * 51},
        {"on": "catalyst", "title": "moon"},
        {"on": "schedule", "every_s": 7},
        {"on": "schedule", "every_s": 0},
        {"on": "schedule", "at": "25:00"},
        {"on": "schedule", "at": "09:00", "zone": "Mars"},
        {"on": "schedule", "at": "09:00", "often": True},
    ],
)
def test_what_is_no_trigger_is_refused(told) -> None:
    with pytest.raises(InvalidInput):
        triggers_of([told])


def test_a_coin_that_is_not_traded_is_refused_and_so_are_too_many() -> None:
    with pytest.raises(InvalidInput):
        Crossing("ETH", 1.0).fires(frame(1.0, 2.0))
    with pytest.raises(InvalidInput):
        triggers_of([Every(300).told()] * 11)
