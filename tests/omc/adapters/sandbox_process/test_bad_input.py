"""Whatever somebody sends, it ends under a name and in time, and the next algorithm runs as if nothing had happened."""

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from omc.adapters.sandbox_process.limits import Limits
from omc.adapters.sandbox_process.sandbox import Deadlines
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.errors import CodeFailed, DeadlineExceeded, InvalidInput, SandboxDied
from omc.strategy import printed
from tests.omc.adapters.sandbox_process.bad_code import CRASHING, ENDLESS, FAILING, HEAD, UNREADABLE
from tests.omc.adapters.sandbox_process.plain import does, walk
from tests.omc.adapters.sandbox_process.probing import Prober

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's"),
]

FRAME = walk(60, 2)
SOON = Deadlines(load_s=1.0, predict_s=1.0, fit_s=1.0, decide_s=1.0)
"""For code that never answers."""
PATIENT = Deadlines(load_s=60.0, predict_s=60.0, fit_s=60.0, decide_s=60.0)
"""For code that is to end by itself."""
GOOD = does("return frame.last * 0.0 + 0.25")


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    made = Sandboxes(limits=Limits(memory_bytes=512 * 2**20, cpu_s=None), deadlines=PATIENT)
    made.start()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def the_next(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each of them, another algorithm is asked."""
    yield
    if "sandboxes" in request.fixturenames:
        with request.getfixturevalue("sandboxes").of(GOOD) as sandbox:
            assert (sandbox.predict({}, FRAME).weights == 0.25).all()


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_is_no_algorithm_is_refused_and_says_why(sandboxes: Sandboxes, name: str) -> None:
    source, said = UNREADABLE[name]
    with pytest.raises(InvalidInput, match=said) as refused, sandboxes.of(source) as sandbox:
        sandbox.describe()
    assert len(str(refused.value)) < 5_000


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_answers_is_ended_at_its_deadline(sandboxes: Sandboxes, name: str) -> None:
    with sandboxes.of(does(ENDLESS[name]), deadlines=Deadlines(60.0, 1.0, 1.0, 1.0)) as sandbox:
        sandbox.describe()
        with pytest.raises(DeadlineExceeded, match="within 1 s"):
            sandbox.predict({}, FRAME)


@pytest.mark.parametrize("name", FAILING)
def test_what_fails_says_what_and_where(sandboxes: Sandboxes, name: str) -> None:
    body, said = FAILING[name]
    with sandboxes.of(does(body)) as sandbox:
        with pytest.raises((CodeFailed, InvalidInput), match=said) as failed:
            sandbox.predict({}, FRAME)
        assert not isinstance(failed.value, SandboxDied)
        assert len(str(failed.value)) < 5_000


@pytest.mark.parametrize("name", CRASHING)
def test_what_takes_its_process_along_is_named_too(sandboxes: Sandboxes, name: str) -> None:
    with sandboxes.of(does(CRASHING[name])) as sandbox, pytest.raises((SandboxDied, CodeFailed)):
        sandbox.predict({}, FRAME)


LOOP = "        while True: pass\n"
PLACES = {
    "at once": HEAD + "while True: pass\n",
    "when it is made": HEAD + f"    def __init__(self):\n{LOOP}",
    "when it says how far it looks back": HEAD.replace(
        "memory_bars = 1", f"@property\n    def memory_bars(self):\n{LOOP}"
    ),
    "when it says how it exits": HEAD + f"    @property\n    def exits(self):\n{LOOP}",
    "when it says what it is": HEAD + "class Text:\n    def __str__(self):\n        while True: pass\nx = str(Text())",
}


@pytest.mark.parametrize("name", PLACES)
def test_it_may_stand_still_anywhere(sandboxes: Sandboxes, name: str) -> None:
    with sandboxes.of(PLACES[name], deadlines=SOON) as sandbox, pytest.raises(DeadlineExceeded):
        sandbox.traits({})


def test_it_may_stand_still_while_it_is_fitted_and_at_a_bar(sandboxes: Sandboxes) -> None:
    source = HEAD + f"    def fit(self, frame, labels=None):\n{LOOP}"
    with sandboxes.of(source, deadlines=SOON) as sandbox, pytest.raises(DeadlineExceeded):
        sandbox.fit({}, FRAME)
    source = does("if len(frame) == 1 and frame.last[0, 0] == 7.0:\n    while True: pass\nreturn frame.last * 0.0")
    with sandboxes.of(source, deadlines=Deadlines(60.0, 60.0, 60.0, 1.0)) as sandbox:
        sandbox.begin({}, FRAME)
        seven = np.full(2, 7.0)
        with pytest.raises(DeadlineExceeded):
            sandbox.decide(FRAME.time(-1).replace(year=2027), seven, seven, seven)


def test_a_flood_of_words_is_cut(sandboxes: Sandboxes) -> None:
    source = does("for _ in range(3_000): print('b' * 1_000)\nprint('\\ud800')\nreturn frame.last * 0.0")
    with sandboxes.of(source) as sandbox:
        sandbox.predict({}, FRAME)
        assert len(sandbox.printed) < 3 * printed.MOST_CHARACTERS
        assert printed.CUT.strip() in sandbox.printed


SAME = {
    "the order of a set of words": "list({'a', 'bb', 'ccc', *frame.coins})",
    "the hash of a word": "hash('word') + hash(('a', 1.5, frame.coins))",
    "the hash of a time": "str(set(pd.date_range('2025', periods=9).tolist()))",
    "chance": "import random\nreturn random.random(), random.Random(3).random()",
    "chance of numpy": "np.random.default_rng(3).random(5).tolist()",
    "memory that nobody wrote": "np.empty(1000).sum() + np.empty_like(frame.last).sum()",
    "local time": "import datetime\nday = datetime.datetime(2025, 7, 1)\nreturn day.timestamp(), day.astimezone()",
    "a forest": (
        "from sklearn.ensemble import RandomForestClassifier as M\n"
        "return M(5).fit(frame.last, frame.last[:, 0] > 100).predict_proba(frame.last).tolist()"
    ),
    "a boosted forest": (
        "from sklearn.ensemble import HistGradientBoostingRegressor as M\n"
        "return M(max_iter=3, early_stopping=True).fit(frame.last, frame.last[:, 0]).predict(frame.last).tolist()"
    ),
    "XGBoost": (
        "import xgboost\nmade = xgboost.XGBRegressor(n_estimators=3, subsample=0.5).fit(frame.last, frame.last[:, 0])\n"
        "return made.predict(frame.last).tolist()"
    ),
    "columns of a table": "frame.data().T.groupby(lambda coin: coin[-1]).sum().to_dict()",
}


@pytest.mark.parametrize("name", SAME)
def test_the_same_code_finds_the_same_in_each_process(name: str) -> None:
    """Of two zygotes: forks of one share more than that."""
    body = SAME[name]
    lines = body if "return " in body else f"return {body}"
    source = "def found(frame):\n" + "".join(f"    {line}\n" for line in lines.splitlines())
    source += does("print(found(frame))\nprint(found(frame))\nreturn frame.last * 0.0")
    told = set()
    for _ in range(2):
        own = Sandboxes(limits=Limits(memory_bytes=512 * 2**20, cpu_s=None))
        with own.of(source) as sandbox:
            sandbox.predict({}, FRAME)
            told.add(sandbox.printed)
        own.close()
    assert len(told) == 1


@pytest.mark.parametrize(
    ("source", "ends"),
    [
        ("import os\nwhile True: os.fork()", {"EPERM", "EAGAIN", "SIGSYS"}),
        ("import threading\nthreading.Thread(target=print).start()\nx = 1", {"RuntimeError", "SIGSYS", "EPERM"}),
        ("import os\nos._exit(3)", {"exit 3"}),
        ("raise SystemExit(4)", {"SystemExit"}),
        ("raise KeyboardInterrupt", {"KeyboardInterrupt"}),
        (
            "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): f()\nf()",
            {"SIGSEGV", "SIGXCPU", "MemoryError", "RecursionError"},
        ),
        ("import ctypes\nctypes.string_at(0)", {"SIGSEGV"}),
        ("import re\nre.match('(a+)+$', 'a' * 60 + 'b')", {"deadline", "SIGXCPU"}),
        ("x = 10 ** 10 ** 9", {"deadline", "SIGXCPU", "MemoryError"}),
        ("import time\nwhile True: time.sleep(1)", {"deadline", "EPERM", "SIGSYS"}),
        ("compile('-' * 10 ** 6 + '1', 'a', 'eval')", {"SIGSEGV", "MemoryError", "RecursionError"}),
        ("import signal\nsignal.alarm(1)\nwhile True: pass", {"SIGALRM", "deadline", "SIGXCPU", "SIGSYS", "EPERM"}),
        ("import os\nwhile True: os.write(channel, b'a' * 1000)", {"deadline", "done", "EPIPE", "SIGXCPU"}),
    ],
)
def test_with_every_builtin_it_ends_as_well(prober: Prober, source: str, ends: set[str]) -> None:
    deadline_s = 10.0 if "deadline" in ends else 60.0
    came = prober.outcome(source, Limits(cpu_s=2, memory_bytes=256 * 2**20), deadline_s=deadline_s)
    assert came.split(" ")[0] in ends or came in ends or came.startswith("aaa")
    assert prober.outcome("x = 1") == "done 1"


@pytest.fixture(scope="module")
def prober() -> Iterator[Prober]:
    made = Prober()
    yield made
    made.close()
