import pytest

from omc.ledger.cadence import Cadence


def test_a_source_that_fails_is_left_alone_for_longer_and_longer() -> None:
    cadence = Cadence(every_s=5, longest_s=60, first_s=1)
    assert [cadence.pause_s(faults) for faults in (0, 1, 2, 3, 7, 10_000)] == [5, 1, 2, 4, 60, 60]


def test_no_pause_is_no_cadence() -> None:
    with pytest.raises(ValueError, match="positive"):
        Cadence(every_s=0)
