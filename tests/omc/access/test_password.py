"""What protects an account."""

import pytest

from omc.access.password import LONGEST, SHORTEST, MemoryPasswordHasher, acceptable_password
from omc.errors import InvalidInput


@pytest.mark.parametrize("length", [SHORTEST, LONGEST])
def test_a_password_within_the_bounds_is_taken(length: int):
    assert acceptable_password("p" * length) == "p" * length


@pytest.mark.parametrize("length", [0, SHORTEST - 1, LONGEST + 1])
def test_a_password_outside_the_bounds_is_refused_without_repeating_it(length: int):
    with pytest.raises(InvalidInput) as refusal:
        acceptable_password("~" * length)
    assert "~" not in str(refusal.value)


def test_only_the_password_itself_matches_its_hash():
    hasher = MemoryPasswordHasher()
    hashed = hasher.hash("correct horse battery")
    assert hasher.matches("correct horse battery", hashed)
    assert not hasher.matches("correct horse batterz", hashed)
    assert "horse" not in hashed
