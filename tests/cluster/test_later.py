"""What is sent to be made later brings nothing along until it is made."""

import pickle
import subprocess
import sys
from functools import partial

import pytest

from cluster.later import Later

RECEIVED = """
import pickle, sys
later = pickle.loads(sys.stdin.buffer.read())
assert "fractions" not in sys.modules
assert str(later()) == "2/3"
assert "fractions" in sys.modules
"""


def test_it_is_made_anew_by_each_call():
    later = Later.of(partial(list, (1, 2)))
    assert later() == [1, 2]
    assert later() is not later()


def test_what_it_takes_is_imported_when_it_is_called():
    from fractions import Fraction

    sent = pickle.dumps(Later.of(partial(Fraction, 2, 3)))
    subprocess.run([sys.executable, "-c", RECEIVED], input=sent, check=True)


def test_a_call_that_cannot_travel_is_refused_where_it_is_handed_in():
    with pytest.raises((pickle.PicklingError, AttributeError)):
        Later.of(lambda: None)
