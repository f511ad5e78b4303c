"""As many as the burst and the time since allow, never one more and never one less."""

from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.access.rate import Charge, MemoryRates, Rate, Standing, Verdict, microseconds
from omc.clock import ManualClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
RATES = st.builds(Rate, st.integers(1, 100_000), st.integers(1, 50))
PAUSES = st.lists(st.integers(0, 5_000_000), max_size=120)


class Bucket:
    """What a rate means, told as simply as can be: a bucket of tokens, which drips full again."""

    def __init__(self, rate: Rate) -> None:
        self.rate, self.tokens, self.at = rate, Fraction(rate.burst), 0

    def drip(self, now_us: int) -> None:
        self.tokens = min(self.tokens + Fraction(now_us - self.at, self.rate.every_us), Fraction(self.rate.burst))
        self.at = now_us

    def take(self) -> None:
        self.tokens -= 1


@given(RATES, PAUSES)
async def test_it_lets_in_what_a_dripping_bucket_would(rate: Rate, pauses: list[int]):
    clock, bucket, at = ManualClock(NOON), Bucket(rate), 0
    store = MemoryRates(clock)
    for pause in pauses:
        clock.advance(timedelta(microseconds=pause))
        at += pause
        bucket.drip(at)
        verdict = await store.take([Charge("a", rate)])
        assert verdict.allowed == (bucket.tokens >= 1)
        if verdict.allowed:
            bucket.take()
        (standing,) = verdict.standings
        assert standing.remaining == int(bucket.tokens)
        assert (standing.wait_us == 0) == (bucket.tokens >= 1)


@given(st.lists(RATES, min_size=1, max_size=3), PAUSES)
async def test_a_request_is_charged_to_all_of_its_keys_or_to_none(rates: list[Rate], pauses: list[int]):
    clock, buckets, at = ManualClock(NOON), [Bucket(rate) for rate in rates], 0
    store = MemoryRates(clock)
    for pause in pauses:
        clock.advance(timedelta(microseconds=pause))
        at += pause
        for bucket in buckets:
            bucket.drip(at)
        verdict = await store.take([Charge(str(place), rate) for place, rate in enumerate(rates)])
        assert verdict.allowed == all(bucket.tokens >= 1 for bucket in buckets)
        if verdict.allowed:
            for bucket in buckets:
                bucket.take()
        assert [each.remaining for each in verdict.standings] == [int(bucket.tokens) for bucket in buckets]


@given(RATES, st.integers(1, 60))
async def test_whoever_waits_as_long_as_it_is_told_is_let_in_and_no_sooner(rate: Rate, asked: int):
    clock = ManualClock(NOON)
    store = MemoryRates(clock)
    verdicts = [await store.take([Charge("a", rate)]) for _ in range(asked)]
    assert sum(each.allowed for each in verdicts) == min(asked, rate.burst)
    if asked > rate.burst:
        wait_us = verdicts[-1].tightest.wait_us
        clock.advance(timedelta(microseconds=wait_us - 1))
        assert not (await store.take([Charge("a", rate)])).allowed
        clock.advance(timedelta(microseconds=1))
        assert (await store.take([Charge("a", rate)])).allowed


def test_the_tightest_key_is_the_one_that_is_nearest_to_its_end():
    wide, narrow = Charge("wide", Rate(60, 100)), Charge("narrow", Rate(60, 10))
    verdict = Verdict(True, (Standing(wide, 50_000_000), Standing(narrow, 1_000_000)))
    assert verdict.tightest.charge is wide


async def test_whoever_was_quiet_the_longest_is_forgotten_when_there_are_too_many():
    clock = ManualClock(NOON)
    store, rate = MemoryRates(clock, most=2), Rate(1, 1)
    for key in ("a", "b", "a", "c"):
        await store.take([Charge(key, rate)])
    assert not (await store.take([Charge("a", rate)])).allowed
    assert (await store.take([Charge("b", rate)])).allowed


async def test_forgetting_lets_nobody_off():
    clock = ManualClock(NOON)
    store, rate = MemoryRates(clock), Rate(60, 1)
    await store.take([Charge("a", rate)])
    await store.forget()
    assert not (await store.take([Charge("a", rate)])).allowed
    clock.advance(timedelta(seconds=2))
    await store.forget()
    assert (await store.take([Charge("a", rate)])).allowed


@pytest.mark.parametrize("given", [(0, 1), (1, 0), (60_000_001, 1)])
def test_what_is_no_rate_is_refused(given: tuple[int, int]):
    with pytest.raises(ValueError, match="no rate"):
        Rate(*given)


def test_microseconds_are_exact():
    assert microseconds(datetime(1970, 1, 1, 0, 0, 1, 7, tzinfo=UTC)) == 1_000_007
