"""COPY streams: what goes in comes out, and nothing else is taken for it."""

import numpy as np
import pytest

from omc.adapters.postgres import pgcopy


def rows(count: int) -> np.ndarray:
    made = np.zeros(count, pgcopy.ROW)
    made["coin"] = np.arange(count)
    made["time"] = np.datetime64("1999-12-31T23:59:59.999999", "us") + np.arange(count)
    made["bid"], made["ask"], made["last"] = 0.1 + 0.2, 5e-324, 1e300
    return made


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_rows_survive_the_wire(count: int):
    sent = rows(count)
    wire = pgcopy.decoded(memoryview(pgcopy.encoded(sent)))
    np.testing.assert_array_equal(pgcopy.times(wire), sent["time"])
    for name in ("coin", "bid", "ask", "last"):
        np.testing.assert_array_equal(wire[name], sent[name])


def test_a_stream_of_another_width_is_refused():
    with pytest.raises(ValueError, match="COPY"):
        pgcopy.decoded(memoryview(pgcopy.encoded(rows(2))[:-1]))
    with pytest.raises(ValueError, match="COPY"):
        pgcopy.decoded(memoryview(b""))


def test_a_row_with_a_null_is_refused():
    stream = bytearray(pgcopy.encoded(rows(2)))
    stream[19 + 8 : 19 + 12] = b"\xff\xff\xff\xff"
    with pytest.raises(ValueError, match="NULL"):
        pgcopy.decoded(memoryview(bytes(stream)))
