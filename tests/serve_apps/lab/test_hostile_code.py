"""Code that means harm, or is none, on its whole way through the lab: it is refused or it fails, by name and in time,
and nobody else waits for it."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from omc.adapters.sandbox_process.limits import Limits
from omc.adapters.sandbox_process.sandbox import Deadlines
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.strategy.maker import Maker
from tests.omc.adapters.sandbox_process.bad_code import CRASHING, ENDLESS, FAILING, UNREADABLE
from tests.omc.adapters.sandbox_process.plain import does
from tests.serve_apps.lab.coding import PLAIN

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's"),
]

WRONG = [
    "nothing",
    "itself",
    "a row too few",
    "a column too few",
    "no numbers",
    "without an end",
    "more than everything",
]
BOMBS = ["a whole number without an end", "a list that grows", "arrays", "a table", "recursion", "a repr of its own"]
EVIL = ["an error without an end", "an error with a message that raises", "an error with half a letter"]
ENDING = {name: does(FAILING[name][0]) for name in (*WRONG, *BOMBS, *EVIL)} | {
    name: does(body) for name, body in CRASHING.items()
}
WAITING = {
    **{name: does(ENDLESS[name]) for name in ("a loop", "a sum in C", "a flood of words", "a message without an end")},
    "a loop at once": PLAIN + "\nwhile True: pass\n",
    "a loop when it is made": PLAIN.replace("self.bars = bars", "while True: pass"),
    "a loop when it says how far it looks back": PLAIN.replace("return self.bars + 1", "while True: pass"),
}


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    deadlines = Deadlines(load_s=60.0, predict_s=60.0, fit_s=60.0, decide_s=60.0)
    made = Sandboxes(limits=Limits(memory_bytes=256 * 2**20, cpu_s=None), deadlines=deadlines)
    made.start()
    yield made
    made.close()


@pytest.fixture
def ports(ports, sandboxes):
    return replace(ports, maker=Maker(sandboxes.of))


@pytest.fixture
def passing(caller, worker, window):
    """`await passing(code)`: the names of what was found in it, and how its backtest ended; both are None when it was
    refused before."""

    async def pass_through(code: str) -> tuple[list[str] | None, dict | None]:
        body = {"name": "Mine", "algorithm_type": "custom", "code": code}
        answer = await meanwhile(caller.post("/algorithms", body))
        if answer.status_code != 201:
            assert answer.status_code in (413, 422), answer.text
            assert answer.json()["error"]["message"]
            return None, None
        path = f"/algorithms/{answer.json()['data']['id']}"
        answer = await meanwhile(caller.post(f"{path}/validate"))
        assert answer.status_code == 200, answer.text
        found = answer.json()["data"]["findings"]
        assert all(each["message"] and len(each["message"]) < 5_000 for each in found)
        answer = await meanwhile(caller.post(f"{path}/backtest", window))
        if answer.status_code != 202:
            assert answer.status_code == 422, answer.text
            assert answer.json()["error"]["message"]
            return [each["rule"] for each in found], None
        assert await meanwhile(worker.take_one())
        run = (await caller.get(f"/backtests/{answer.json()['data']['id']}")).json()["data"]
        return [each["rule"] for each in found], run

    async def meanwhile(waited):
        """Others are answered, at least once, while it lasts."""
        asked = asyncio.ensure_future(waited)
        while True:
            assert (await caller.get("/algorithms")).status_code == 200
            if asked.done():
                return await asked
            await asyncio.sleep(0.02)

    return pass_through


@pytest.fixture
def honest(passing):
    """Somebody's honest code, afterwards."""

    async def run() -> None:
        found, ended = await passing(PLAIN)
        assert (found, ended["status"]) == ([], "completed")

    return run


# Half a surrogate pair cannot even be sent.
@pytest.mark.parametrize("name", [name for name in UNREADABLE if name != "no text"])
async def test_what_is_no_algorithm_is_refused_or_found_out(passing, name):
    found, run = await passing(UNREADABLE[name][0])
    assert run is None
    assert found is None or found


@pytest.mark.parametrize("name", ENDING)
async def test_code_that_fails_is_found_out_and_its_backtest_fails_with_a_reason(passing, honest, name):
    found, run = await passing(ENDING[name])
    assert found
    assert run is None or (run["status"] == "failed" and run["error_message"])
    await honest()


@pytest.mark.parametrize("name", WAITING)
async def test_code_that_never_answers_is_ended_while_others_are_answered(ports, sandboxes, passing, honest, name):
    # A second is too short to tell a machine that is busy from code that is late.
    soon = replace(sandboxes, deadlines=Deadlines(load_s=1.0, predict_s=1.0, fit_s=1.0, decide_s=1.0))
    object.__setattr__(ports, "maker", Maker(soon.of))
    found, run = await passing(WAITING[name])
    assert found
    assert run is None or (run["status"] == "failed" and "did not answer" in run["error_message"])
    object.__setattr__(ports, "maker", Maker(sandboxes.of))
    await honest()
