"""What is wrong with people's code is listed one by one, with its place; never a fault of the lab's, never for ever."""

import asyncio
import threading
from dataclasses import replace
from itertools import count
from types import SimpleNamespace

import pytest

from omc.errors import CodeFailed, DeadlineExceeded, SandboxDied
from omc.strategy.maker import Maker
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox
from serve_apps.lab import evidence, time_limit
from serve_apps.lab.algorithms import AlgorithmStatus
from tests.serve_apps.lab.coding import (
    BUILTIN,
    FORBIDDEN,
    GATHERING,
    LONG_SIGHTED,
    PLAIN,
    REMEMBERING,
    SYNTAX,
    TWIN,
    does,
)


@pytest.fixture
def ports(ports):
    return replace(ports, maker=TWIN)


@pytest.fixture
def finding(caller):
    """`await finding(code)` lists what is wrong with it."""

    async def find(code: str, **parameters: object) -> list[dict]:
        body = {"name": "Mine", "algorithm_type": "custom", "code": code, "parameters": parameters}
        made = await caller.post("/algorithms", body)
        assert made.status_code == 201, made.text
        answer = await caller.post(f"/algorithms/{made.json()['data']['id']}/validate")
        assert answer.status_code == 200, answer.text
        found = answer.json()["data"]
        assert found["valid"] == (not found["findings"])
        assert all(list(each) == ["rule", "line", "column", "message"] for each in found["findings"])
        return found["findings"]

    return find


def places(found: list[dict]) -> list[tuple]:
    return [(each["rule"], each["line"], each["column"]) for each in found]


@pytest.mark.parametrize("code", [PLAIN, BUILTIN], ids=["plain", "builtin"])
async def test_nothing_is_found_against_honest_code(finding, code):
    assert await finding(code) == []


async def test_what_may_not_be_said_is_listed_by_line_and_column(finding):
    found = await finding(FORBIDDEN)
    assert places(found) == [("import", 1, 1), ("name", 6, 16)]
    assert "os" in found[0]["message"]
    assert not found[0]["message"].startswith("line")


async def test_what_is_no_python_is_found_where_it_stands(finding):
    assert places(await finding(SYNTAX)) == [("syntax", 2, 29)]


@pytest.mark.parametrize(
    ("code", "line", "said"),
    [
        ("", None, "no algorithm"),
        ("x = 1\n", None, "no algorithm"),
        ("class It:\n    def predict(self, frame): return 0\n", None, "lacks memory_bars"),
        (does("return 0") + does("return 0").replace("It", "That"), None, "several algorithms"),
        (
            "x = 1\nraise ValueError('not \ud83d\ude80 yet')\n".encode("utf-16", "surrogatepass").decode("utf-16"),
            2,
            "yet",
        ),
        ("x = 1\nx = [][5]\n", 2, "IndexError"),
    ],
    ids=["empty", "a number", "no memory", "two", "raises", "fails"],
)
async def test_code_that_cannot_be_loaded_says_why(finding, code, line, said):
    (only,) = await finding(code)
    assert (only["rule"], only["line"]) == ("load", line)
    assert said in only["message"]


@pytest.mark.parametrize(
    ("body", "line", "said"),
    [
        ("raise ValueError('no')", 5, "predict: ValueError: no"),
        ("x = 1\ny = x / 0\nreturn y", 6, "ZeroDivisionError"),
        ("raise ValueError('\\0 and \\ud800')", 5, "ValueError"),
        ("raise ValueError('(line 9999 in predict)')", 5, "(line 9999"),
        ("return frame.last[1:]", None, "weights"),
        ("return frame.last * np.nan", None, "weight"),
        ("return frame.last * 0 - 1", None, "weight"),
        ("return 'words'", None, "weights"),
        ("return np.ones(frame.last.shape)", None, "weight"),
        ("return np.where(np.isnan(frame.last), 0.1, 0.0)", None, "a coin without a quote has a weight"),
        ("return np.where(np.isnan(frame.last), 0, len(frame.last) / 10_000)", None, "needs more than the 1 rows"),
        ("def deep(): return deep()\nreturn deep()", None, "RecursionError"),
    ],
)
async def test_a_broken_contract_is_found_with_the_line_that_broke_it(finding, body, line, said):
    (only,) = await finding(does(body))
    assert only["rule"] == "contract"
    assert said in only["message"]
    if line is not None:
        assert only["line"] == line


@pytest.mark.parametrize("memory_bars", ["0", "-1", "'x'", "2.5", "True", "10**9", "1_999_999", "None"])
async def test_a_memory_that_cannot_be_is_found(finding, memory_bars):
    (only,) = await finding(does("return frame.last * 0", memory_bars=memory_bars))
    assert only["rule"] == "contract"
    assert "memory_bars" in only["message"]


@pytest.mark.parametrize("coins", [4, 7, 100])
async def test_code_that_needs_many_coins_is_tried_with_as_many(finding, coins):
    assert (
        await finding(
            does(f"assert len(frame.coins) >= {coins}\nreturn np.zeros(frame.last.shape)").replace(
                "    memory_bars", f"    fewest_coins = {coins}\n    memory_bars"
            )
        )
        == []
    )


async def test_code_that_needs_more_coins_than_are_traded_is_found(finding):
    code = does("return frame.last * 0").replace("    memory_bars", "    fewest_coins = 101\n    memory_bars")
    (only,) = await finding(code)
    assert (only["rule"], "no fewer than 101 coins" in only["message"]) == ("contract", True)


async def test_what_looks_ahead_breaks_the_contract_already(finding):
    (only,) = await finding(does("return np.where(frame.last > frame.last[-1], 0.1, 0.0)"))
    assert (only["rule"], "needs more than the 1 rows" in only["message"]) == ("contract", True)


PEEKING = """
weights = np.zeros(frame.last.shape)
weights[1:] = frame.last[1:] > frame.last[:-1]
if len(frame.last) > 50:
    weights[:20] = (frame.last[-1] > frame.last[:20]) & ~np.isnan(frame.last[:20])
return weights / len(frame.coins)
"""


async def test_decisions_that_are_others_in_pieces_are_found(finding, caller, ports, monkeypatch):
    """The stages before it are made blind: each alone must see what it is there for."""
    monkeypatch.setattr("serve_apps.lab.trial.findings", lambda _: [])
    found = {each["rule"] for each in await finding(does(PEEKING, memory_bars=2))}
    assert found == {"look_ahead", "pieces"}
    monkeypatch.setattr("serve_apps.lab.trial.lookahead.of_algorithm", lambda *_, **__: [])
    (only,) = await finding(does(PEEKING, memory_bars=2))
    assert only["rule"] == "pieces"
    assert "looks ahead" in only["message"]


@pytest.mark.parametrize("code", [REMEMBERING, GATHERING, LONG_SIGHTED])
async def test_what_cannot_show_on_few_prices_is_not_accused(finding, code):
    rules = {each["rule"] for each in await finding(code)}
    assert rules == ({"contract"} if code == REMEMBERING else set())


async def test_parameters_that_no_longer_fit_are_a_finding(finding, caller, ports):
    assert await finding(BUILTIN, window_bars=30) == []
    (record,) = ports.algorithms.kept.values()
    ports.algorithms.kept[record.id] = replace(record, parameters={"window_bars": 30, "least_bars": 31, "share": 0.5})
    answer = await caller.post(f"/algorithms/{record.id}/validate")
    (only,) = answer.json()["data"]["findings"]
    assert (only["rule"], "least_bars is at most" in only["message"]) == ("parameters", True)
    ports.algorithms.kept[record.id] = replace(record, parameters={"speed": 30})
    (only,) = (await caller.post(f"/algorithms/{record.id}/validate")).json()["data"]["findings"]
    assert (only["rule"], "no parameter 'speed'" in only["message"]) == ("parameters", True)


class Mortal(MemorySandbox):
    """Ends with its code, at what it is told to."""

    def __init__(self, source: str, at: str, end: CodeFailed) -> None:
        super().__init__(source, load)
        self.at, self.end = at, end

    def __getattribute__(self, name: str) -> object:
        if name in ("describe", "traits", "predict") and name == object.__getattribute__(self, "at"):
            raise object.__getattribute__(self, "end")
        return super().__getattribute__(name)

    def __reduce__(self) -> tuple:
        return Mortal, (self.source, self.at, self.end)


@pytest.mark.parametrize("end", [SandboxDied("it left"), DeadlineExceeded("it did not answer")], ids=["dies", "late"])
@pytest.mark.parametrize(("at", "rule"), [("describe", "load"), ("traits", "contract"), ("predict", "contract")])
async def test_a_sandbox_that_ends_is_a_finding(ports, finding, caller, at, rule, end):
    object.__setattr__(ports, "maker", Maker(lambda source: Mortal(source, at, end)))
    (only,) = await finding(PLAIN)
    assert only["rule"] == rule
    assert str(end) in only["message"]


async def test_trying_out_comes_to_an_end(finding, monkeypatch):
    monkeypatch.setattr(evidence, "_TRIAL_S", 0.0)
    (only,) = await finding(PLAIN)
    assert only["rule"] == "time"
    assert "took longer than 0 s, and was given up" in only["message"]


@pytest.mark.parametrize("questions", [1, 5, 60, 100])
async def test_a_trial_that_runs_out_of_time_is_one_finding_and_none_against_what_it_decides(
    finding, caller, ports, refused, monkeypatch, questions
):
    monkeypatch.setattr(time_limit, "time", SimpleNamespace(monotonic=count().__next__))
    monkeypatch.setattr(evidence, "_TRIAL_S", float(questions))
    (only,) = await finding(PLAIN)
    assert (only["rule"], only["line"]) == ("time", None)
    (record,) = ports.algorithms.kept.values()
    error = refused(await caller.post(f"/algorithms/{record.id}/promote"), 409, "GATE_NOT_PASSED")
    gates = {gate["gate"]: gate for gate in error["details"]["gates"]}
    assert "was given up" in gates["contract"]["why"]
    assert gates["look_ahead"]["passed"]


async def test_code_is_never_asked_in_the_thread_that_answers_requests(ports, finding, caller):
    asked: set[int] = set()

    class Watched(MemorySandbox):
        def __getattribute__(self, name: str) -> object:
            if name in ("describe", "traits", "predict", "close"):
                asked.add(threading.get_ident())
            return super().__getattribute__(name)

        def __reduce__(self) -> tuple:
            return Watched, (self.source, self.load)

    object.__setattr__(ports, "maker", Maker(lambda source: Watched(source, load)))
    assert await finding(PLAIN) == []
    (record,) = ports.algorithms.kept.values()
    path = f"/algorithms/{record.id}"
    await caller.put(path, {"parameters": {"bars": 5}})
    await caller.get(f"{path}/promotion")
    await caller.post(f"{path}/promote")
    await ports.algorithms.set_status(record.id, record.user_id, AlgorithmStatus.VALIDATED)
    await caller.get(f"{path}/promotion")
    assert asked
    assert threading.get_ident() not in asked


async def test_others_are_answered_while_code_is_tried(ports, caller, finding):
    going, enough = threading.Event(), threading.Event()

    class Slow(MemorySandbox):
        def predict(self, *asked):
            going.set()
            enough.wait(30)
            return super().predict(*asked)

        def __reduce__(self) -> tuple:
            return Slow, (self.source, self.load)

    object.__setattr__(ports, "maker", Maker(lambda source: Slow(source, load)))
    trying = asyncio.create_task(finding(PLAIN))
    await asyncio.to_thread(going.wait, 30)
    assert (await caller.get("/algorithms")).json()["total"] == 1
    assert not trying.done()
    enough.set()
    assert await trying == []
