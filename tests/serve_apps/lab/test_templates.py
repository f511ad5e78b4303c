"""Templates can be listed, and copied as they are: as a type, and as code of one's own."""

import pytest

from omc.strategy.registry import templates
from tests.serve_apps.lab.coding import TWIN

SMALL = {"lookback_bars": 32, "horizon_bars": 6, "train_bars": 60, "refit_bars": 60}
LEARNING = {"logistic": SMALL, "gradient_boosting": {**SMALL, "trees": 5}}


async def test_every_template_can_be_copied_as_it_is(caller, creating):
    listed = (await caller.get("/templates")).json()["items"]
    assert [each["algorithm_type"] for each in listed] == [each.algorithm_type for each in templates()]
    for each in listed:
        assert each["description"]
        assert set(each["about"]) == set(each["parameters"])
        made = await creating(algorithm_type=each["algorithm_type"], parameters=each["parameters"])
        assert made["parameters"] == each["parameters"]


async def test_templates_come_in_pages(caller):
    page = (await caller.get("/templates", page=2, per_page=5)).json()
    assert (len(page["items"]), page["total"], page["pages"]) == (5, len(templates()), 3)
    assert page["items"][0]["algorithm_type"] == templates()[5].algorithm_type


async def test_a_template_says_how_many_coins_it_decides_on(caller):
    listed = {each["algorithm_type"]: each for each in (await caller.get("/templates")).json()["items"]}
    bounds = {name: (each["fewest_coins"], each["most_coins"]) for name, each in listed.items()}
    assert bounds["pairs"] == (2, 2)
    assert bounds["momentum_rotation"] == (2, None)
    assert bounds["grid"] == (1, None)


async def test_a_template_shows_what_it_is_written_in(caller):
    for each in (await caller.get("/templates")).json()["items"]:
        assert each["source"].startswith('"""')
        assert f'"{each["algorithm_type"]}"' in each["source"]


@pytest.fixture
def coding(ports):
    object.__setattr__(ports, "maker", TWIN)


@pytest.mark.parametrize("template", templates(), ids=lambda each: each.algorithm_type)
async def test_a_template_is_sound_as_code_of_ones_own(coding, creating, caller, template):
    chosen = LEARNING.get(template.algorithm_type, {})
    made = await creating(algorithm_type="custom", code=template.source, parameters=chosen)
    assert made["parameters"] == {**template.parameters, **chosen}
    found = (await caller.post(f"/algorithms/{made['id']}/validate")).json()["data"]
    assert found == {"valid": True, "findings": []}


@pytest.mark.parametrize("algorithm_type", ["moving_average_crossover", "rsi", "pairs", "logistic"])
async def test_a_template_trades_as_code_of_ones_own_what_it_trades_by_its_type(
    coding, creating, testing, caller, algorithm_type
):
    template = next(each for each in templates() if each.algorithm_type == algorithm_type)
    chosen = LEARNING.get(algorithm_type, {})
    shown = []
    for kind in ({"algorithm_type": algorithm_type}, {"algorithm_type": "custom", "code": template.source}):
        run = await testing(await creating(**kind, parameters=chosen))
        assert run["status"] == "completed", run
        trades = (await caller.get(f"/backtests/{run['id']}/trades", per_page=100)).json()["items"]
        curve = (await caller.get(f"/backtests/{run['id']}/equity")).json()["data"]
        shown.append((run["metrics"], run["parameters"], trades, curve))
    assert shown[0] == shown[1]
    assert shown[0][2], "nothing was traded, so nothing is shown"
