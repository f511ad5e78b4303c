"""What stands inside a sandbox, without one: code is loaded, asked, and never lets a fault of its own through."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omc.errors import CodeFailed, InvalidInput
from omc.strategy.printed import CUT, Printed, legible
from omc.strategy.usable import usable
from omc.strategy.user_fault import place_of, told
from omc.strategy.workbench import Held, Workbench
from omc.trading.sizing import check_weights
from tests.omc.adapters.sandbox_process.plain import EVEN, PlainFactory, does, walk

NUMBERS = st.sampled_from(
    [0.0, -0.0, 0.5, 0.25, 1.0, 1.0 + 1e-10, 1.0 + 1e-8, -1e-300, math.nan, math.inf, -math.inf, 2.0]
)


def refusal(look):
    """Its words; None for none."""
    try:
        look()
    except (CodeFailed, ValueError) as reason:
        return str(reason)
    return None


@given(st.integers(0, 4), st.integers(1, 3), st.data())
def test_weights_are_usable_exactly_when_sizing_takes_them(rows, coins, data):
    weights = np.array(data.draw(st.lists(NUMBERS, min_size=rows * coins, max_size=rows * coins))).reshape(rows, coins)
    assert refusal(lambda: usable(weights, coins)) == refusal(lambda: check_weights(weights, coins))


def test_weights_of_another_kind_or_shape_are_not_usable():
    for odd in (np.zeros(3, np.float32), np.zeros((2, 2)), np.zeros((3, 6))[:, ::2], np.array(["a"] * 3)):
        with pytest.raises(CodeFailed, match="expected float64 for 3 coins"):
            usable(odd, 3)


@given(st.lists(st.lists(st.text(max_size=30), max_size=4), max_size=8), st.integers(1, 100))
def test_what_is_printed_is_kept_from_its_beginning_and_so_is_what_is_new(parts, most):
    def kept(text: str) -> str:
        return text if len(text) < most else text[:most] + CUT

    printed = Printed(most)
    for since in parts:
        for part in since:
            printed.write(part)
        assert printed.take() == kept("".join(since))
        assert printed.take() == ""
    assert printed.text == kept("".join("".join(since) for since in parts))


@given(st.text(), st.integers(1, 50))
def test_what_is_legible_can_be_stored_anywhere(text, most):
    shown = legible(text, most)
    assert len(shown) <= most + 1
    assert "\0" not in shown
    assert shown.encode("utf-8").decode("utf-8") == shown


def test_plain_words_are_legible_as_they_are():
    assert legible("Ärger in line 3:\n  ☂", 100) == "Ärger in line 3:\n  ☂"
    assert legible("\x1b[31m\0", 100) == "\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}"


def test_a_fault_without_lines_of_the_code_is_told_without():
    assert told(ValueError("no")) == "ValueError: no"
    assert told(InvalidInput("line 3: no")) == "line 3: no"
    assert told(KeyboardInterrupt()) == "KeyboardInterrupt"
    assert len(told(ValueError("x" * 100_000))) < 5_000


def test_the_same_parameters_are_the_same_algorithm_and_others_are_not():
    bench, held = Workbench(EVEN, PlainFactory), Held(walk(5, 1))
    for part in (1, 1.0, True, 0.5):
        weights, _ = bench.predict({"part": part}, held, None)
        assert weights[0, 0] == part


def test_old_models_are_gone_and_say_so():
    bench, frame = Workbench(does("return frame.last * 0.0").replace("def predict", FIT), PlainFactory), walk(5, 1)
    numbers = [bench.fit({}, frame, None) for _ in range(12)]
    bench.predict({}, Held(frame), numbers[-1])
    with pytest.raises(CodeFailed, match="is gone"):
        bench.predict({}, Held(frame), numbers[0])


FIT = "def fit(self, frame, labels=None):\n        return self\n    def predict"


@pytest.mark.parametrize("bars", ["-1", "'3'", "None", "True", "1.5", "[1]"])
def test_a_memory_that_cannot_be_is_named(bars):
    bench = Workbench(does("return frame.last * 0.0").replace("memory_bars = 1", f"memory_bars = {bars}"), PlainFactory)
    with pytest.raises(CodeFailed, match="memory_bars must be a whole number"):
        bench.traits({})


def test_nothing_goes_on_that_was_not_begun():
    bench, frame = Workbench(EVEN, PlainFactory), walk(5, 1)
    with pytest.raises(CodeFailed, match="nothing was begun"):
        bench.decide(frame.time(0), *frame.last[:3])
    with pytest.raises(CodeFailed, match="no bar"):
        bench.begin({}, frame.rows(0, 0), None)


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("ValueError: no (line 3 in predict)", (3, None)),
        ("predict: IndexError: no (line 7 in last, from line 12 in predict)", (7, None)),
        ("line 2, column 29: not Python: expected ':'", (2, 29)),
        ("line 2: ValueError: no", (2, None)),
        ("ValueError: (line 3 in predict) (line 4 in predict)", (4, None)),
        ("ValueError: line 3: no", (None, None)),
        ("", (None, None)),
        ("line 99999999999999999999: no", (None, None)),
    ],
)
def test_the_place_that_a_fault_names_is_found_in_its_words(words, place):
    assert place_of(words) == place


def test_words_of_a_fault_can_be_stored():
    assert told(ValueError("a\0b \ud800")) == "ValueError: a\N{REPLACEMENT CHARACTER}b \N{REPLACEMENT CHARACTER}"
