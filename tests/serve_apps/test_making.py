"""Algorithms are made and asked away from the event loop, and their parameters can be stored."""

import asyncio
import threading

import pytest

from omc.errors import InvalidInput
from omc.strategy.maker import Maker
from serve_apps.making import apart, asked, kept, whole_parameters


async def test_an_algorithm_is_asked_in_a_thread_of_its_own():
    here = threading.get_ident()
    there = await asked(Maker().of(None), "macd", {}, lambda algorithm: (algorithm.fast_bars, threading.get_ident()))
    assert there[0] == 72
    assert there[1] != here
    assert await apart(threading.get_ident) != here


async def test_what_ships_with_the_platform_waits_for_nobodys_code():
    going_on = threading.Event()
    slow = [asyncio.ensure_future(apart(going_on.wait)) for _ in range(8)]
    try:
        assert await asked(Maker().of(None), "macd", {}, lambda algorithm: algorithm.fast_bars) == 72
    finally:
        going_on.set()
        await asyncio.gather(*slow)


async def test_parameters_come_back_whole_or_are_refused():
    make = Maker().of(None)
    assert (await whole_parameters(make, "moving_average_crossover", {"fast_bars": 3}))["slow_bars"] == 72
    with pytest.raises(InvalidInput):
        await whole_parameters(make, "moving_average_crossover", {"fast_bars": 100, "slow_bars": 3})


def test_what_json_and_a_database_hold_is_kept():
    fine = {"whole": -(2**53), "real": 0.1, "on": True, "mode": "fast ☂", "none": None}
    assert kept(fine) == fine


@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), 2**53 + 1, 1e22, 10**5_000, "a\0b", "\ud800", "x" * 1_001, [1], {"a": 1}, 1j],
    ids=lambda value: ascii(value)[:12] if not isinstance(value, int) else "large",
)
def test_what_they_do_not_hold_is_refused_by_name(value):
    with pytest.raises(InvalidInput, match="the parameter 'odd' cannot be kept"):
        kept({"odd": value})


def test_names_are_words_and_not_too_many():
    for name in ("a\0", "\ud800", "x" * 1_001):
        with pytest.raises(InvalidInput, match="cannot be kept"):
            kept({name: 1})
    with pytest.raises(InvalidInput, match="at most 100 parameters"):
        kept({f"p{at}": at for at in range(101)})
