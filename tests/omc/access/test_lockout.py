"""Guessing gets slower, and nobody is shut out for long."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.access.lockout import Attempt, Backoff, Place, Tries, network_of, succeeded

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)
PLACES = st.sampled_from(Place)
PAUSES = st.lists(st.timedeltas(timedelta(0), timedelta(days=2)), max_size=60)


def tried(backoff: Backoff, pauses: list[timedelta]) -> tuple[Tries, datetime]:
    """What is remembered of attempts that were made as soon as they could be, each after a pause."""
    tries, now = Tries(), NOON
    for pause in pauses:
        now += pause + tries.left(backoff, now + pause)
        tries = tries.counted(backoff, now)
    return tries, now


@given(PLACES, st.integers(0, 10**9))
def test_a_wait_never_shrinks_with_failures_nor_exceeds_the_longest(place: Place, failures: int):
    backoff = place.backoff
    assert timedelta(0) <= backoff.wait(failures) <= backoff.wait(failures + 1) <= backoff.longest
    assert backoff.longest <= timedelta(minutes=15)


@given(PLACES, PAUSES, st.timedeltas())
def test_nobody_waits_longer_than_the_longest_wait_whatever_the_clock_does(place, pauses, shift):
    tries, now = tried(place.backoff, pauses)
    try:
        moment = now + shift
    except OverflowError:
        return
    assert timedelta(0) <= tries.left(place.backoff, moment) <= place.backoff.longest


@given(PLACES, PAUSES)
def test_once_the_wait_is_over_the_next_attempt_may_be_made(place, pauses):
    tries, now = tried(place.backoff, pauses)
    assert not tries.left(place.backoff, now + tries.left(place.backoff, now))


@given(PLACES)
def test_a_guesser_gets_few_tries_in_a_day(place):
    tries, now, made = Tries(), NOON, 0
    while now < NOON + timedelta(days=1):
        tries, made = tries.counted(place.backoff, now), made + 1
        now += tries.left(place.backoff, now)
    assert made <= place.backoff.free + 10 + 4 * 24


@given(PLACES, PAUSES)
def test_a_success_never_makes_anybody_wait_longer(place, pauses):
    tries, now = tried(place.backoff, pauses)
    left = succeeded(place, tries.counted(place.backoff, now))
    assert (left or Tries()).left(place.backoff, now) <= tries.counted(place.backoff, now).left(place.backoff, now)
    assert (left or Tries()).failures <= tries.counted(place.backoff, now).failures - 1


@given(st.integers(0, 200))
def test_an_address_keeps_the_failures_that_were_not_this_attempt(failures):
    backoff, tries = Place.ADDRESS.backoff, Tries()
    for _ in range(failures):
        tries = tries.counted(backoff, NOON)
    again = tries
    for _ in range(50):
        again = succeeded(Place.ADDRESS, again.counted(backoff, NOON)) or Tries()
    assert again.failures == tries.failures


def test_what_lies_long_ago_is_forgotten():
    backoff = Place.ACCOUNT.backoff
    tries, now = tried(backoff, [timedelta(0)] * 30)
    assert tries.counted(backoff, now + backoff.forgotten_after).failures == 1


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ("203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "", True),
        ("unix", "testclient", False),
    ],
)
def test_what_counts_as_one_address(first, second, one):
    assert (network_of(first) == network_of(second)) is one


def test_an_attempt_shows_neither_who_nor_from_where():
    attempt = Attempt.at("login", "Ada@Example.com ", "203.0.113.7")
    assert attempt == Attempt.at("login", "ada@example.com", "203.0.113.7")
    assert attempt != Attempt.at("password", "ada@example.com", "203.0.113.7")
    assert "ada" not in repr(attempt)
    assert "203" not in "".join(attempt.keys(known=False))


@given(st.text(), st.text(), st.text(), st.booleans())
def test_every_text_can_be_tried(door, who, address, known):
    assert all(len(key) < 200 for key in Attempt.at(door, who, address).keys(known=known))
