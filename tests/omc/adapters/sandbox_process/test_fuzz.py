"""The frame protocol under attack: what was found once is tried for ever, and a little more each time."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.adapters.sandbox_process.frames import LONGEST
from tests.omc.adapters.sandbox_process.fuzz import (
    ANSWERS,
    REQUESTS,
    attack_parent,
    attack_server,
    fuzz,
    mutated,
    seeds,
)


@pytest.mark.parametrize("raw", seeds(), ids=range(len(seeds())))
def test_a_seed_comes_to_an_answer_or_a_named_end(raw):
    attack_parent(raw)
    attack_server(raw, given=False)
    attack_server(raw, given=True)


@given(st.integers(0, 2**32), st.sampled_from(ANSWERS), st.integers(0, 5))
def test_a_broken_answer_is_an_answer_or_a_named_end(seed, honest, gifts):
    attack_parent(mutated(random.Random(seed), honest, ANSWERS), gifts)


@given(st.integers(0, 2**32), st.sampled_from(REQUESTS), st.booleans())
def test_a_broken_request_is_answered_or_ends_the_server(seed, honest, given_memory):
    attack_server(mutated(random.Random(seed), honest, REQUESTS), given=given_memory)


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda rest: b"J" + bytes(7) + rest))
def test_any_bytes_are_an_answer_or_a_named_end(raw):
    attack_parent(raw)
    attack_server(raw, given=False)


def test_the_longest_packets_are_met():
    for size in (LONGEST - 1, LONGEST, LONGEST + 1, LONGEST + 1_000):
        attack_parent(b"J" + bytes(7) + b" " * (size - 8))


def test_a_short_run_finds_no_fault():
    attacks, met = fuzz(600.0, 2, most=2_000)
    assert attacks >= 2_000
    assert len(met) > 15
