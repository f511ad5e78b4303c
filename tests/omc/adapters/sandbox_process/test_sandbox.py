"""A sandbox whose process is a fork of this one, without walls: what is asked, what comes back, and every end."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from omc.errors import CodeFailed, DeadlineExceeded, InvalidInput, SandboxDied, Unavailable
from omc.feature.frame import as_datetime
from omc.strategy.moving_average_crossover import MovingAverageCrossover
from omc.strategy.sandbox_port import MemorySandbox
from omc.trading.window import Window
from tests.omc.adapters.sandbox_process.plain import EVEN, MOMENTUM, PATIENT, PlainFactory, does, source_of, walk

CROSSOVER = source_of(MovingAverageCrossover)


def test_it_says_what_the_code_is(sandbox):
    said = sandbox(CROSSOVER).describe()
    assert said.algorithm_type == "MovingAverageCrossover"
    assert said.defaults == MovingAverageCrossover().get_params()
    assert said.parameters == MovingAverageCrossover.parameters()


def test_a_built_in_algorithm_decides_inside_what_it_decides_outside(sandbox, frame):
    inside, outside = sandbox(CROSSOVER), MovingAverageCrossover(fast_bars=3, slow_bars=20)
    found = inside.predict(outside.get_params(), frame)
    assert found.weights.tobytes() == outside.predict(frame).tobytes()
    assert found.traits.memory_bars == 20


def test_it_answers_as_its_twin_does(sandbox, frame):
    points = [{"bars": bars} for bars in (1, 5, 30)]
    with MemorySandbox(MOMENTUM, PlainFactory) as twin:
        here = [each.weights.tobytes() for each in twin.predict_many(points, frame)]
    there = [each.weights.tobytes() for each in sandbox(MOMENTUM).predict_many(points, frame)]
    assert there == here


def test_many_frames_of_many_shapes_are_asked_about(sandbox):
    asked = sandbox(MOMENTUM)
    for rows, coins in ((50, 1), (5, 7), (3_000, 2), (0, 2), (50, 1), (1, 1), (2_000, 9)):
        frame = walk(rows, coins, seed=rows)
        if rows > 3:
            assert asked.predict({}, frame).weights.shape == (rows, coins)


def test_a_frame_whose_memory_was_written_to_since_is_not_taken_for_the_old_one(sandbox, frame):
    asked = sandbox(does("return (frame.last > 100.0) / len(frame.coins)"))
    window = Window(frame.rows(0, 50), 50)
    for row in range(50, 200):
        window.append(frame.time(row), frame.bid[row], frame.ask[row], frame.last[row])
        seen = window.frame()
        assert (asked.predict({}, seen).weights == (seen.last > 100.0) / 3).all()


def test_bar_by_bar_it_decides_what_it_decides_at_once(sandbox, frame):
    asked, parameters = sandbox(CROSSOVER), {"fast_bars": 3, "slow_bars": 20}
    whole = asked.predict(parameters, frame).weights
    found = [asked.begin(parameters, frame.rows(0, 100))]
    found += [asked.decide(frame.time(row), frame.bid[row], frame.ask[row], frame.last[row]) for row in range(100, 400)]
    assert np.array(found).tobytes() == whole[99:].tobytes()


def test_a_bar_without_a_beginning_is_refused(sandbox, frame):
    with pytest.raises(SandboxDied, match="begin again"):
        sandbox(EVEN).decide(frame.time(0), *frame.last[:3])


def test_a_fitted_model_is_asked_by_its_number(sandbox, frame):
    asked = sandbox(
        "class Mean:\n    memory_bars = 1\n    level = 0.0\n"
        "    def fit(self, frame, labels=None):\n        self.level = float(labels.mean())\n        return self\n"
        "    def predict(self, frame):\n        return frame.last * 0.0 + self.level\n"
    )
    low, high = (asked.fit({}, frame, np.full(frame.last.shape, level)) for level in (0.1, 0.2))
    assert asked.predict({}, frame, low).weights.max() == 0.1
    assert asked.predict({}, frame, high).weights.min() == 0.2
    assert asked.predict({}, frame).weights.max() == 0.0
    asked.close()
    with pytest.raises(CodeFailed, match="is gone"):
        asked.predict({}, frame, low)


def test_a_fault_shows_the_lines_of_the_code_and_no_others(sandbox, frame):
    with pytest.raises(CodeFailed) as raised:
        sandbox(does("def inner():\n    return 1 / 0\nreturn inner()")).predict({}, frame)
    assert str(raised.value) == "ZeroDivisionError: division by zero (line 5 in inner, from line 6 in predict)"


@pytest.mark.parametrize(
    "body",
    [
        "raise BaseException('out')",
        "raise SystemExit(3)",
        "raise KeyboardInterrupt",
        "raise GeneratorExit",
        "class Bad(Exception):\n    def __str__(self): raise SystemExit\nraise Bad()",
        "def deep(): return deep()\nreturn deep()",
        "raise MemoryError",
        "raise TypeError('x' * 10_000_000)",
        "raise ValueError('\\udc80')",
        "return bytearray(1 << 60)",
        "return None",
        "return frame.last[:-1]",
        "return frame.last[0]",
        "return 'weights'",
        "return [[1, 2], [3]]",
        "return frame.last * float('nan')",
        "return frame.last * float('inf')",
        "return frame.last * 0.0 - 0.1",
        "return frame.last * 0.0 + 0.34",
        "return frame.last * 0.0 + 1.01",
        "return frame.last.astype(object)",
    ],
)
def test_what_cannot_be_used_is_named_and_the_sandbox_goes_on(sandbox, frame, body):
    asked = sandbox(does(f"if len(frame) == 7: return frame.last * 0.0\n{body}"))
    with pytest.raises(CodeFailed) as raised:
        asked.predict({}, frame)
    assert type(raised.value) is CodeFailed
    assert 0 < len(str(raised.value)) <= 9_000
    assert not asked.predict({}, frame.rows(0, 7)).weights.any()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("import os; os._exit(3)", "left with status 3"),
        ("import os; os.kill(os.getpid(), 31)", "a call that is forbidden"),
        ("import os; os.kill(os.getpid(), 24)", "used up its CPU time"),
        ("import os; os.kill(os.getpid(), 9)", "killed from outside"),
        ("import os; os.kill(os.getpid(), 11)", "crashed"),
        ("import os; os.closerange(3, 1000); raise SystemExit", "left with status 1"),
    ],
    ids=["exit", "forbidden", "cpu", "killed", "crashed", "closed"],
)
def test_an_end_is_named_and_the_next_question_finds_it_started_anew(sandbox, frame, body, said):
    asked = sandbox(does(f"if len(frame) > 7:\n    {body}\nreturn frame.last * 0.0"))
    with pytest.raises(SandboxDied, match=said):
        asked.predict({}, frame)
    assert not asked.predict({}, frame.rows(0, 7)).weights.any()


def test_a_deadline_ends_what_does_not_answer(sandbox, frame):
    asked = sandbox(does("while len(frame) > 7: pass\nreturn frame.last * 0.0"), predict_s=0.3)
    with pytest.raises(DeadlineExceeded, match=r"within 0\.3 s"):
        asked.predict({}, frame)
    asked._deadlines = PATIENT
    assert not asked.predict({}, frame.rows(0, 7)).weights.any()


def test_a_decision_has_a_deadline_of_its_own(sandbox, frame):
    asked = sandbox(does("import time\ntime.sleep(len(frame) - 1)\nreturn frame.last * 0.0", 2), decide_s=0.3)
    asked.begin({}, frame.rows(0, 1))
    with pytest.raises(DeadlineExceeded):
        asked.decide(frame.time(1), *frame.last[1:4])
    with pytest.raises(SandboxDied, match="begin again"):
        asked.decide(frame.time(2), *frame.last[1:4])


def test_a_point_that_takes_its_process_with_it_ends_no_other(sandbox, frame):
    asked = sandbox(
        "class It:\n    memory_bars = 1\n    def __init__(self, k=0):\n        self.k = k\n"
        "    def predict(self, frame):\n        import os\n        if self.k == 2: os._exit(1)\n"
        "        if self.k == 4: raise ValueError('four')\n        return frame.last * 0.0\n"
    )
    found = [type(each).__name__ for each in asked.predict_many([{"k": k} for k in range(6)], frame)]
    assert found == ["Prediction", "Prediction", "SandboxDied", "Prediction", "CodeFailed", "Prediction"]


def test_parameters_that_the_code_refuses_are_refused_input(sandbox, frame):
    asked = sandbox(CROSSOVER)
    with pytest.raises(InvalidInput, match="fast_bars 30 must be less than slow_bars 20"):
        asked.predict({"fast_bars": 30, "slow_bars": 20}, frame)
    with pytest.raises(InvalidInput, match="has no parameter 'speed'"):
        asked.traits({"speed": 3})
    for odd in (object(), 10**30, {1, 2}, "\udc80"):
        with pytest.raises(InvalidInput):
            asked.traits({"fast_bars": odd})
    assert asked.traits({}).memory_bars == 72


def test_what_it_prints_is_kept_up_to_a_length(sandbox, frame):
    asked = sandbox(does("for _ in range(100_000): print('x' * 100)\nreturn frame.last * 0.0"))
    asked.predict({}, frame)
    asked.predict({}, frame)
    assert asked.printed.startswith("x" * 100 + "\n")
    assert 10_000 < len(asked.printed) < 20_000


def test_a_decision_may_print_too(sandbox, frame):
    asked = sandbox(does("print('bar', len(frame))\nreturn frame.last * 0.0", 2))
    asked.begin({}, frame.rows(0, 1))
    asked.decide(frame.time(1), *frame.last[:3])
    assert asked.printed == "bar 1\nbar 2\n"


@pytest.mark.parametrize(
    "source",
    ["", "x = ", "raise SystemExit", "import os; os._exit(0)", "def predict(frame): pass", "\udc80", "x" * 1_000_000],
    ids=["nothing", "half", "leaves", "exits", "no class", "no text", "long"],
)
def test_code_that_does_not_load_is_named(sandbox, source):
    with pytest.raises((CodeFailed, InvalidInput)):
        sandbox(source).describe()


def test_nothing_is_left_behind(sandbox, frame):
    asked = sandbox(EVEN)
    before = held()
    for _ in range(3):
        for rows in range(10, 20):
            asked.predict({"part": 0.5}, frame.rows(0, rows))
        asked.close()
    until = time.monotonic() + 60
    while held() != before and time.monotonic() < until:
        # Other threads of this process, as Ray's, hold something for a moment.
        time.sleep(0.01)
    assert held() == before


def held():
    """Descriptors and children of this process."""
    children = []
    for task in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            children += task.read_text().split()
    return sorted(Path("/proc/self/fd").iterdir()), sorted(children)


BUSY = "import time\nuntil = time.thread_time() + 0.05\nwhile time.thread_time() < until: pass\n"


def test_processor_time_is_counted_in_whichever_process_it_was_used(sandbox, frame):
    asked = sandbox(
        does(BUSY + "if len(frame) == 9: raise SystemExit\nif len(frame) == 8: time.sleep(99)\nreturn frame.last"),
        predict_s=3.0,
    )
    assert asked.cpu_s == 0.0
    readings = [asked.cpu_s]
    for rows in (8, 9, 7, 7):
        with suppress(CodeFailed, SandboxDied):
            asked.predict({}, frame.rows(0, rows))
        readings.append(asked.cpu_s)
    asked.close()
    readings.append(asked.cpu_s)
    assert readings == sorted(readings)
    assert all(after >= before + 0.05 for before, after in pairwise(readings[:-1]))
    assert readings[-1] < 5.0


def test_processor_time_shows_while_a_question_is_being_answered(sandbox, frame):
    asked = sandbox(does("while True: pass"), predict_s=3.0)
    asked.describe()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(asked.predict, {}, frame)
        before = asked.cpu_s
        while not answer.done() and asked.cpu_s <= before:
            time.sleep(0.01)
        assert not answer.done()
        # The latter on a machine that has no processor time for it.
        assert isinstance(answer.exception(), DeadlineExceeded | Unavailable)
    assert asked.cpu_s > before


def test_code_that_fails_to_load_has_used_its_time(sandbox):
    asked = sandbox(BUSY + "raise ValueError('no')")
    for count in (1, 2):
        with pytest.raises(CodeFailed):
            asked.describe()
        assert asked.cpu_s >= 0.05 * count


def test_it_may_be_asked_from_several_threads(sandbox, frame):
    asked = sandbox(MOMENTUM)
    want = {bars: asked.predict({"bars": bars}, frame).weights.tobytes() for bars in range(1, 9)}
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda bars: (bars, asked.predict({"bars": bars}, frame).weights.tobytes()), list(want) * 20)
        assert all(want[bars] == weights for bars, weights in found)


def test_times_before_1970_and_far_away_survive_the_way(sandbox):
    frame = walk(5, 1)
    asked = sandbox(does("return frame.last * 0.0 + (frame.times.astype('int64')[-1] % 1000) / 1000.0", 1))
    asked.begin({}, frame)
    odd = as_datetime(frame.times[-1]) + timedelta(days=9_000, microseconds=123)
    assert asked.decide(odd, *np.ones((3, 1))) == [0.123]


SHORT_OF_MEMORY = """
class It:
    memory_bars = 1
    def fit(self, frame, labels=None):
        import resource
        pages = int(open("/proc/self/statm").read().split()[0])
        most = pages * resource.getpagesize() + 4 * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        return self
    def predict(self, frame):
        return frame.last * 0.0 + 0.25
"""


def test_room_that_its_process_cannot_have_leaves_its_other_answers_what_they_were(sandbox, frame):
    asked, few, many = sandbox(SHORT_OF_MEMORY), frame.rows(0, 10), walk(400_000, 3)
    # Held by then, so that all that it lacks is room to answer in.
    asked.fit({}, many)
    first = asked.predict({}, few).weights
    with pytest.raises(CodeFailed, match="more memory than it may have"):
        asked.predict({}, many)
    assert (first == 0.25).all()
    assert asked.predict({}, few).weights.tobytes() == first.tobytes()


def test_room_that_nobody_can_make_leaves_its_other_answers_what_they_were(sandbox, frame):
    asked, few = sandbox(does("return frame.last * 0.0 + 0.25")), frame.rows(0, 10)
    first = asked.predict({}, few).weights
    with pytest.raises(InvalidInput, match="to share"):
        asked._room(asked._running(), 2**40)
    assert asked.predict({}, few).weights.tobytes() == first.tobytes()
