"""What is the same to code, and what only looks so."""

import pytest

from omc.strategy.parameter import same_parameters


@pytest.mark.parametrize("other", [1.0, True, "1", 2, None])
def test_parameters_of_another_type_are_others(other):
    assert same_parameters({"mode": 1, "bars": 3}, {"bars": 3, "mode": 1})
    assert not same_parameters({"mode": 1, "bars": 3}, {"bars": 3, "mode": other})


def test_parameters_that_one_of_them_lacks_are_others():
    assert not same_parameters({"mode": 1}, {"mode": 1, "bars": 3})
    assert not same_parameters({"mode": 1, "bars": 3}, {"mode": 1})
