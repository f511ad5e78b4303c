"""The lab over real sandboxes: people's code behind both walls, from its first draft to validated."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest

from omc.adapters.sandbox_process.limits import Limits
from omc.adapters.sandbox_process.sandbox import Deadlines
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.strategy.maker import Maker
from omc.strategy.registry import templates
from serve_apps.window import window_of
from tests.omc.promotion.searching import carried_out
from tests.serve_apps.lab.coding import BUILTIN, LONG_SIGHTED, PLAIN, does

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's"),
]


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    made = Sandboxes(limits=Limits(memory_bytes=256 * 2**20, cpu_s=None), deadlines=Deadlines(load_s=60.0))
    made.start()
    yield made
    made.close()


@pytest.fixture
def ports(ports, sandboxes):
    return replace(ports, maker=Maker(sandboxes.of))


@pytest.fixture
def hurrying(ports, sandboxes):
    """`hurrying(load_s=1.0)` sets deadlines that nobody wants to wait longer for. A second is too short to tell a
    machine that is busy from code that is late."""

    def hurry(**deadlines: float) -> None:
        quick = replace(sandboxes, deadlines=replace(sandboxes.deadlines, **deadlines))
        object.__setattr__(ports, "maker", Maker(quick.of))

    return hurry


@pytest.fixture
def coding(creating):
    async def keep(code: str, **parameters: object) -> dict:
        return await creating(algorithm_type="custom", code=code, parameters=parameters)

    return keep


async def test_code_becomes_validated_by_the_best_point_of_its_sweep(coding, testing, caller, ports, window):
    made = await coding(BUILTIN, window_bars=30)
    path = f"/algorithms/{made['id']}"
    assert made["parameters"] == {"window_bars": 30, "least_bars": 2, "share": 0.5}
    assert (await caller.post(f"{path}/validate")).json()["data"] == {"valid": True, "findings": []}
    run = await testing(made)
    assert (run["status"], run["trades"] > 5) == ("completed", True)
    body = {**window, "space": {"window_bars": [12, 24, 48]}, "objective": "total_return"}
    asked = await caller.post(f"{path}/sweeps", body)
    assert (asked.status_code, asked.json()["data"]["points"]) == (202, 3)
    started = await ports.sweeps.start(UUID(asked.json()["data"]["id"]))
    make = ports.maker.of(BUILTIN)
    frame = await window_of(ports.archive, started.spec, make)
    await carried_out(started, frame, ports.sweeps, ports.terms, make)
    answer = await caller.post(f"{path}/promote", {"sweep_id": str(started.id)})
    assert answer.status_code == 200, answer.text
    assert answer.json()["data"]["algorithm"]["status"] == "validated"
    gates = {gate["gate"]: gate for gate in answer.json()["data"]["gates"]}
    assert (gates["pieces"]["figure"], gates["pieces"]["passed"]) == (0.0, True)
    # What it takes for real money is measured in sandboxes, too.
    shown = (await caller.get(f"{path}/promotion")).json()["data"]
    figures = {gate["gate"]: gate["figure"] for gate in shown["gates"]}
    assert (figures["pieces"], figures["parity"], figures["tested"]) == (0.0, 0.0, 1.0)


async def test_code_that_peeks_where_there_are_many_prices_is_found_out(coding, testing, caller, ports, window):
    code = LONG_SIGHTED.replace("    memory_bars = 2\n", "    memory_bars = 2\n    part: float = 1.0\n")
    code = "from dataclasses import dataclass\n\n\n@dataclass" + code
    made = await coding(code)
    path = f"/algorithms/{made['id']}"
    await testing(made)
    assert (await caller.post(f"{path}/promote")).status_code == 200
    asked = await caller.post(f"{path}/sweeps", {**window, "space": {"part": [1.0, 0.5]}})
    started = await ports.sweeps.start(UUID(asked.json()["data"]["id"]))
    make = ports.maker.of(code)
    await carried_out(started, await window_of(ports.archive, started.spec, make), ports.sweeps, ports.terms, make)
    shown = (await caller.get(f"{path}/promotion")).json()["data"]
    gate = next(gate for gate in shown["gates"] if gate["gate"] == "pieces")
    assert gate["figure"] > 0
    assert not gate["passed"]


@pytest.mark.parametrize("algorithm_type", ["moving_average_crossover", "pairs"])
async def test_a_template_decides_inside_what_it_decides_outside(coding, creating, testing, caller, algorithm_type):
    template = next(each for each in templates() if each.algorithm_type == algorithm_type)
    mine = await coding(template.source)
    assert (await caller.post(f"/algorithms/{mine['id']}/validate")).json()["data"]["findings"] == []
    runs = [await testing(each) for each in (mine, await creating(algorithm_type=algorithm_type, parameters={}))]
    assert runs[0]["metrics"] == runs[1]["metrics"]
    curves = [(await caller.get(f"/backtests/{run['id']}/equity")).json()["data"] for run in runs]
    assert curves[0] == curves[1]


ENDS = {
    "loops": ("while True: pass", "did not answer within 1 s"),
    "swallows all memory": ("held = [0] * 1_000_000\nwhile True: held = held + held", ""),
    "recurses": ("def deep(): return deep()\nreturn deep()", "RecursionError"),
    "prints without end": ("while True: print('x' * 1_000)", ""),
    "raises": ("raise ValueError('\\0 \\ud800')", "predict: ValueError: \N{REPLACEMENT CHARACTER} "),
    "answers with words": ("return 'all of it'", "weights"),
}


@pytest.mark.parametrize(("body", "said"), ENDS.values(), ids=ENDS.keys())
async def test_however_code_ends_it_is_a_finding(hurrying, coding, caller, body, said):
    # Only what never answers is to be late.
    if body.startswith("while True"):
        hurrying(predict_s=1.0)
    made = await coding(does(body))
    found = (await caller.post(f"/algorithms/{made['id']}/validate")).json()["data"]["findings"]
    assert found
    assert {each["rule"] for each in found} == {"contract"}
    assert said in found[0]["message"]
    assert (await coding(PLAIN))["parameters"] == {"bars": 12, "share": 0.5}


async def test_code_that_never_loads_is_kept_and_keeps_nobody_waiting(hurrying, coding, caller):
    hurrying(load_s=1.0)
    keeping = asyncio.create_task(coding("while True:\n    pass\n"))
    await asyncio.sleep(0.1)
    assert (await caller.get("/algorithms")).status_code == 200
    assert not keeping.done()
    made = await keeping
    assert made["code"].startswith("while")
    (finding,) = (await caller.post(f"/algorithms/{made['id']}/validate")).json()["data"]["findings"]
    assert (finding["rule"], "did not answer" in finding["message"]) == ("load", True)
