"""Templates can be listed, and copied as they are."""

from omc.strategy.registry import templates


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
