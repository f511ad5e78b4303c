"""A refusal is remembered for exactly as long as nothing else could be answered."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from omc.access.rate import Charge, MemoryRates, Rate, Standing, Verdict, microseconds
from omc.access.refused import Refused
from omc.clock import ManualClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHARGE = Charge("a", Rate(60, 2))
NO = Verdict(False, (Standing(CHARGE, 2_500_000), Standing(Charge("b", Rate(60, 2)), 0)))


@given(st.builds(Rate, st.integers(1, 100_000), st.integers(1, 10)), st.lists(st.integers(0, 2_000_000), max_size=100))
async def test_it_answers_no_only_where_the_store_would(rate: Rate, pauses: list[int]):
    clock, refused = ManualClock(NOON), Refused()
    store, charge = MemoryRates(clock), Charge("a", rate)
    for pause in pauses:
        clock.advance(timedelta(microseconds=pause))
        now_us = microseconds(clock.now())
        known = refused.still([charge.key], now_us)
        verdict = await store.take([charge])
        if known:
            assert not verdict.allowed
            assert verdict.tightest.wait_us == known.wait_us
        refused.note(verdict, now_us)


def test_only_the_keys_that_had_no_room_are_refused_and_only_until_they_have():
    refused = Refused()
    refused.note(NO, 0)
    assert refused.still(["b"], 0) is None
    assert refused.still(["b", "a"], 1_000_000).wait_us == 500_000
    assert refused.still(["a"], 1_500_000) is None
    assert refused.lately("a", 1_500_000)
    assert not refused.lately("b", 0)
    assert not refused.lately("a", 61_000_000)


def test_its_memory_is_bounded():
    refused = Refused(most=3)
    for key in range(10):
        refused.note(Verdict(False, (Standing(Charge(str(key), CHARGE.rate), 2_500_000),)), 0)
    assert [key for key in range(10) if refused.still([str(key)], 0)] == [7, 8, 9]
