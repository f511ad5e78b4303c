"""People's own code in the lab: kept while it is written, and refused where it is run."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from omc.access.quota import Allowance
from omc.errors import SandboxRefused
from omc.strategy.maker import Maker
from omc.strategy.registry import templates
from serve_apps.lab.algorithms import AlgorithmChange
from tests.serve_apps.lab.coding import BUILTIN, FORBIDDEN, PLAIN, SYNTAX, TWIN, does


@pytest.fixture
def ports(ports):
    return replace(ports, maker=TWIN, allowance=Allowance(code_bytes=200_000))


@pytest.fixture
def coding(caller):
    """`await coding(code, …)` keeps an algorithm of the caller's own code."""

    async def keep(code: str, **change: object) -> dict:
        answer = await caller.post("/algorithms", {"name": "Mine", "algorithm_type": "custom", "code": code, **change})
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    return keep


WHOLE = {"window_bars": 24, "least_bars": 2, "share": 0.5}


async def test_code_that_loads_has_its_parameters_kept_whole(coding, caller):
    made = await coding(BUILTIN, parameters={"window_bars": 30})
    assert (made["status"], made["version"], made["code"]) == ("draft", 1, BUILTIN)
    assert made["parameters"] == {**WHOLE, "window_bars": 30}
    assert (await caller.get(f"/algorithms/{made['id']}")).json()["data"] == made
    assert (await coding(PLAIN))["parameters"] == {"bars": 12, "share": 0.5}


BROKEN = {
    "no Python": SYNTAX,
    "what is refused": FORBIDDEN,
    "nothing": "",
    "no algorithm": "x = 1\n",
    "two algorithms": does("return 0") + does("return 1").replace("It", "That"),
    "a fault on its way": "raise ValueError('not yet')\n",
    "parameters that cannot be kept": "class It:\n    memory_bars = 1\n    def __init__(self, most=1e999): pass\n"
    "    def predict(self, frame): return 0\n",
    "a constructor that fails": "class It:\n    memory_bars = 1\n    def __init__(self, n=0): self.n = 1 // n\n"
    "    def predict(self, frame): return 0\n",
    "a constructor that refuses": "from omc.errors import InvalidInput\nclass It:\n    memory_bars = 1\n"
    "    def __init__(self, n=0): raise InvalidInput('no')\n    def predict(self, frame): return 0\n",
    "no memory": does("return 0", memory_bars=-3),
}


@pytest.mark.parametrize("code", BROKEN.values(), ids=BROKEN.keys())
async def test_a_draft_may_be_broken_and_whatever_runs_it_says_what_is_wrong(coding, caller, refused, window, code):
    made = await coding(code)
    assert made["code"] == code
    path = f"/algorithms/{made['id']}"
    asks = [
        (f"{path}/backtest", window),
        (f"{path}/sweeps", {**window, "space": {"n": [1, 2]}}),
        (f"{path}/promote", None),
    ]
    for where, body in asks:
        error = refused(await caller.post(where, body), 422, "VALIDATION_ERROR")
        assert error["message"]
    refused(await caller.get(f"{path}/promotion"), 422, "VALIDATION_ERROR")
    assert (await caller.get(path)).json()["data"] == made
    found = (await caller.post(f"{path}/validate")).json()["data"]
    assert not found["valid"]


async def test_a_refusal_names_line_column_what_and_why(coding, caller, refused, window):
    made = await coding(FORBIDDEN)
    error = refused(await caller.post(f"/algorithms/{made['id']}/backtest", window), 422, "VALIDATION_ERROR")
    assert "line 1, column 1: " in error["message"]
    assert "line 6, column 16: eval is not available" in error["message"]


async def test_parameters_of_a_broken_draft_stay_as_they_were_given(coding, caller):
    made = await coding(SYNTAX, parameters={"window_bars": 7, "anything": "x"})
    assert made["parameters"] == {"window_bars": 7, "anything": "x"}
    mended = (await caller.put(f"/algorithms/{made['id']}", {"code": BUILTIN})).json()["data"]
    assert (mended["version"], mended["parameters"]) == (2, {**WHOLE, "window_bars": 7})


async def test_new_code_makes_a_new_version_and_its_parameters_are_carried_over(coding, caller):
    made = await coding(BUILTIN, parameters={"window_bars": 30, "share": 0.25})
    path = f"/algorithms/{made['id']}"
    renamed = BUILTIN.replace("share", "part")
    changed = (await caller.put(path, {"code": renamed})).json()["data"]
    assert (changed["version"], changed["code"]) == (2, renamed)
    assert changed["parameters"] == {"window_bars": 30, "least_bars": 2, "part": 0.5}
    same = (await caller.put(path, {"code": renamed, "name": "Mine still"})).json()["data"]
    assert (same["version"], same["name"]) == (2, "Mine still")


async def test_an_edit_may_break_code_and_nothing_is_lost(coding, caller):
    made = await coding(PLAIN, parameters={"bars": 5})
    path = f"/algorithms/{made['id']}"
    broken = (await caller.put(path, {"code": SYNTAX})).json()["data"]
    assert (broken["version"], broken["code"], broken["parameters"]) == (2, SYNTAX, made["parameters"])
    back = (await caller.post(f"{path}/versions/1/restore")).json()["data"]
    assert (back["version"], back["code"], back["parameters"]) == (3, PLAIN, made["parameters"])
    broken_again = (await caller.post(f"{path}/versions/2/restore")).json()["data"]
    assert (broken_again["version"], broken_again["code"]) == (4, SYNTAX)
    versions = (await caller.get(f"{path}/versions")).json()["items"]
    assert [each["code"] for each in versions] == [PLAIN, SYNTAX, PLAIN, SYNTAX]
    assert versions[0]["content_hash"] == versions[2]["content_hash"]


async def test_a_version_whose_parameters_no_request_could_carry_is_restored_too(coding, caller):
    code = "class It:\n    memory_bars = 1\n    def __init__(self, Window=None, name='" + "x" * 300 + "'): pass\n"
    code += "    def predict(self, frame): return frame.last * 0\n"
    made = await coding(code)
    assert made["parameters"]["Window"] is None
    path = f"/algorithms/{made['id']}"
    await caller.put(path, {"code": PLAIN})
    restored = (await caller.post(f"{path}/versions/1/restore")).json()["data"]
    assert (restored["version"], restored["parameters"]) == (3, made["parameters"])


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"window_bars": 1}, "from 2 to 5000"),
        ({"window_bars": 2.5}, "a whole number"),
        ({"speed": 1}, "no parameter 'speed'"),
        ({"window_bars": 5, "least_bars": 6}, "least_bars is at most window_bars"),
    ],
)
async def test_parameters_that_code_refuses_are_refused(coding, caller, refused, ports, parameters, reason):
    body = {"name": "Mine", "algorithm_type": "custom", "code": BUILTIN, "parameters": parameters}
    assert reason in refused(await caller.post("/algorithms", body), 422, "VALIDATION_ERROR")["message"]
    assert ports.algorithms.kept == {}
    made = await coding(BUILTIN)
    change = {"parameters": parameters}
    assert reason in refused(await caller.put(f"/algorithms/{made['id']}", change), 422, "VALIDATION_ERROR")["message"]
    assert (await caller.get(f"/algorithms/{made['id']}")).json()["data"] == made


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"code": None}, "made of code, and none was given"),
        ({"algorithm_type": "macd"}, "has the algorithm type 'custom', not 'macd'"),
        ({"algorithm_type": "macd", "code": ""}, "has the algorithm type 'custom'"),
        ({"code": 5}, "string"),
        ({"code": ["x"]}, "string"),
        ({"code": "a\0b"}, "line 1, column 2: there is a NUL character"),
        ({"code": "x = 1\n" * 40_000}, "240,000 bytes; at most 200,000"),
        ({"code": "é" * 100_001}, "200,002 bytes"),
    ],
    ids=lambda value: str(value)[:50],
)
async def test_what_cannot_be_kept_is_refused(caller, ports, refused, change, reason):
    body = {"name": "Mine", "algorithm_type": "custom", "code": PLAIN, **change}
    assert reason in refused(await caller.post("/algorithms", body), 422, "VALIDATION_ERROR")["message"]
    assert ports.algorithms.kept == {}


async def test_half_of_a_surrogate_pair_is_no_text(caller, ports, refused):
    body = json.dumps({"name": "Mine", "algorithm_type": "custom", "code": "x = '\ud800'"})
    headers = {"Content-Type": "application/json"}
    answer = await caller.ask("POST", "/algorithms", content=body.encode(), headers=headers)
    refused(answer, 422, "VALIDATION_ERROR")
    assert ports.algorithms.kept == {}


async def test_a_megabyte_of_code_does_not_pass_the_door(caller, refused):
    body = {"name": "Mine", "algorithm_type": "custom", "code": "x = 1\n" * 200_000}
    refused(await caller.post("/algorithms", body), 413, "PAYLOAD_TOO_LARGE")


async def test_the_longest_code_that_is_taken_is_kept_and_tried(coding, caller):
    code = PLAIN + "#" * (200_000 - len(PLAIN))
    made = await coding(code)
    assert (made["code"], made["parameters"]) == (code, {"bars": 12, "share": 0.5})
    assert (await caller.post(f"/algorithms/{made['id']}/validate")).json()["data"]["valid"]


@pytest.mark.parametrize(
    "code",
    [
        "\ufeff" + PLAIN,
        PLAIN.replace("\n", "\r\n"),
        "\ufeff" + BUILTIN.replace("\n", "\r\n"),
        PLAIN.replace("    ", "\t"),
        PLAIN.replace("class", "\f\nclass", 1),
        PLAIN.replace("rose", "róse 🚀 \u2028"),
        "# -*- coding: latin-1 -*-" + PLAIN,
    ],
    ids=["mark", "CRLF", "mark and CRLF", "tabs", "form feed", "beyond ASCII", "another coding"],
)
async def test_code_from_any_editor_runs(coding, testing, caller, code):
    made = await coding(code)
    assert made["code"] == code
    assert (await caller.post(f"/algorithms/{made['id']}/validate")).json()["data"] == {"valid": True, "findings": []}
    assert (await testing(made))["status"] == "completed"


async def test_tabs_and_spaces_together_are_a_finding_at_their_line(coding, caller):
    made = await coding("class It:\n    memory_bars = 1\n\tx = 2\n")
    (finding,) = (await caller.post(f"/algorithms/{made['id']}/validate")).json()["data"]["findings"]
    assert (finding["rule"], finding["line"]) == ("syntax", 3)


async def test_a_type_stays_and_a_built_in_algorithm_takes_no_code(creating, coding, caller, refused):
    made = await creating()
    path = f"/algorithms/{made['id']}"
    refused(await caller.put(path, {"code": PLAIN}), 422, "VALIDATION_ERROR")
    refused(await caller.put(path, {"algorithm_type": "custom", "code": PLAIN}), 422, "VALIDATION_ERROR")
    assert (await caller.put(path, {"code": None})).json()["data"]["version"] == 1
    mine = await coding(PLAIN)
    refused(await caller.put(f"/algorithms/{mine['id']}", {"code": None}), 422, "VALIDATION_ERROR")
    assert "algorithm_type" not in AlgorithmChange.model_fields


async def test_without_a_sandbox_not_even_a_draft_is_taken(ports, caller, refused, coding):
    made = await coding(PLAIN)
    object.__setattr__(ports, "maker", Maker(why="this kernel has no Landlock"))
    for code in (PLAIN, SYNTAX):
        body = {"name": "Mine", "algorithm_type": "custom", "code": code}
        error = refused(await caller.post("/algorithms", body), 422, "VALIDATION_ERROR")
        assert "this kernel has no Landlock" in error["message"]
        refused(await caller.put(f"/algorithms/{made['id']}", {"code": code + "\n"}), 422, "VALIDATION_ERROR")
    renamed = await caller.put(f"/algorithms/{made['id']}", {"name": "Kept"})
    assert renamed.json()["data"]["name"] == "Kept"
    found = (await caller.post(f"/algorithms/{made['id']}/validate")).json()["data"]["findings"]
    assert [each["rule"] for each in found] == ["sandbox"]


class Unconfined:
    """A Sandbox on a machine that lacks a lock."""

    cpu_s = 0.0

    def __init__(self, source: str) -> None:
        pass

    def describe(self) -> None:
        raise SandboxRefused("seccomp is missing")

    def close(self) -> None:
        pass


async def test_where_code_cannot_be_confined_it_is_refused_with_the_reason(ports, caller, refused, coding, window):
    made = await coding(PLAIN)
    object.__setattr__(ports, "maker", Maker(Unconfined))
    path = f"/algorithms/{made['id']}"
    body = {"name": "Mine", "algorithm_type": "custom", "code": PLAIN}
    for answer in (
        await caller.post("/algorithms", body),
        await caller.put(path, {"code": PLAIN + "\n"}),
        await caller.post(f"{path}/backtest", window),
        await caller.post(f"{path}/promote"),
    ):
        assert "seccomp is missing" in refused(answer, 422, "VALIDATION_ERROR")["message"]
    (finding,) = (await caller.post(f"{path}/validate")).json()["data"]["findings"]
    assert (finding["rule"], finding["message"]) == ("sandbox", "seccomp is missing")


async def test_every_template_is_a_draft_of_ones_own_with_the_same_parameters(coding, caller):
    for each in (await caller.get("/templates", per_page=100)).json()["items"]:
        made = await coding(each["source"])
        assert made["parameters"] == each["parameters"], each["algorithm_type"]


async def test_a_template_is_shown_with_its_source(caller):
    listed = (await caller.get("/templates", per_page=100)).json()["items"]
    assert [each["source"] for each in listed] == [each.source for each in templates()]
    assert all("class " in each["source"] for each in listed)


GUIDE = Path(__file__).parents[3] / "docs/how-to/write-an-algorithm.md"
SHOWN = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)


@pytest.mark.parametrize("at", range(2), ids=["like the platform's own", "a plain class"])
async def test_what_the_guide_shows_runs_and_trades(coding, testing, caller, at):
    assert len(SHOWN) == 2
    made = await coding(SHOWN[at])
    assert (await caller.post(f"/algorithms/{made['id']}/validate")).json()["data"] == {"valid": True, "findings": []}
    run = await testing(made)
    assert (run["status"], run["trades"] > 5) == ("completed", True)
