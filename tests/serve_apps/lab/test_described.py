"""An algorithm says of itself what may be set, and where a sweep would look."""

from dataclasses import replace

import pytest

from omc.strategy.maker import Maker
from omc.strategy.sandbox import load
from omc.strategy.sandbox_port import MemorySandbox
from serve_apps.lab.app import PREFIX, build

CODE = """
from dataclasses import dataclass
from omc.strategy.builtin import Builtin
from omc.strategy.parameter import real, whole

@dataclass(eq=False)
class Mine(Builtin):
    algorithm_type = "mine"
    description = "Holds everything."
    fewest_coins = 2
    window_bars: int = whole(48, low=2, high=500, about="bars of the mean", search=(12, 96))
    share: float = real(0.5, low=0.0, high=1.0, about="fraction of equity")

    @property
    def memory_bars(self):
        return self.window_bars

    def decide(self, frame, indicators):
        return np.full(frame.last.shape, self.share / len(frame.coins))
"""


@pytest.fixture
def app(ports):
    return build(replace(ports, maker=Maker(lambda source: MemorySandbox(source, load))))


@pytest.fixture
def caller(app, calling):
    return calling(app, PREFIX)


async def test_code_of_ones_own_says_its_parameters_and_their_ranges(caller, creating):
    made = await creating(algorithm_type="custom", code=CODE, parameters={"window_bars": 24})
    said = (await caller.get(f"/algorithms/{made['id']}/description")).json()["data"]
    assert (said["algorithm_type"], said["memory_bars"], said["fewest_coins"], said["most_coins"]) == (
        "mine",
        24,
        2,
        None,
    )
    assert said["parameters"] == {"window_bars": 24, "share": 0.5}
    assert said["ranges"]["window_bars"] == {
        "low": 2,
        "high": 500,
        "integer": True,
        "about": "bars of the mean",
        "search": {"low": 12, "high": 96, "log": True, "integer": True},
    }
    assert said["ranges"]["share"]["search"] == {}


async def test_a_built_in_algorithm_says_the_same_as_its_template(caller, creating):
    made = await creating()
    said = (await caller.get(f"/algorithms/{made['id']}/description")).json()["data"]
    template = next(
        each
        for each in (await caller.get("/templates")).json()["items"]
        if each["algorithm_type"] == made["algorithm_type"]
    )
    assert {name: each["about"] for name, each in said["ranges"].items()} == template["about"]
    assert {name: each["search"] for name, each in said["ranges"].items() if each["search"]} == template["space"]


async def test_somebody_elses_algorithm_says_nothing(creating, calling, app, refused):
    made = await creating()
    refused(await calling(app, PREFIX).get(f"/algorithms/{made['id']}/description"), 404, "NOT_FOUND")
