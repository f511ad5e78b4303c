"""What a sweep found, how much of it is luck, and the page that shows it."""

import re
from uuid import UUID

import numpy as np
import pytest

from omc.backtest.tried import SweepPoint, Tried
from omc.promotion.trials import Tally

GRID = {"fast_bars": [3, 6], "slow_bars": [12, 24, 48]}


@pytest.fixture
def sweeping(caller, window, creating):
    async def ask(**change: object) -> dict:
        made = await creating()
        answer = await caller.post(f"/algorithms/{made['id']}/sweeps", {**window, "space": GRID, **change})
        assert answer.status_code == 202, answer.text
        return answer.json()["data"]

    return ask


@pytest.fixture
def tried(ports):
    """`await tried(sweep, strengths)` stores a point for each of `strengths`: its mean return a bar, in percent. The
    algorithm was tried six times so far."""

    async def store(sweep: dict, strengths: list[float]) -> None:
        generator = np.random.default_rng(2)
        folds = sweep["folds"]
        points = []
        for index, strength in enumerate(strengths):
            returns = generator.normal(strength / 100, 0.01, (16 * max(folds, 1), 50))
            moments = np.stack([np.full(len(returns), 50.0), returns.sum(axis=1), (returns**2).sum(axis=1)], axis=1)
            metrics = {"sharpe": 10 * strength, "skewness": 0.0, "kurtosis": 3.0, "bars": 800.0, "max_drawdown": -0.1}
            parameters = {"fast_bars": (3, 6)[index // 3 % 2], "slow_bars": (12, 24, 48)[index % 3]}
            scores = tuple(10 * strength for _ in range(folds))
            blocks = moments.astype("<f8").tobytes()
            points.append(SweepPoint(index, parameters, metrics, blocks=blocks, fold_scores=scores))
        await ports.sweeps.add(UUID(sweep["id"]), Tried.of(points))
        tally = Tally.of([0.5, 1.0, 1.5, 2.0, 2.5, 3.0], 799, 365 * 24 * 12)
        ports.tries.kept[UUID(sweep["algorithm_id"])] = {UUID(sweep["id"]): tally}

    return store


async def test_a_sweep_with_folds_says_what_was_chosen_and_what_came_of_it(sweeping, tried, caller):
    sweep = await sweeping(folds=4)
    await tried(sweep, [0.1, 0.2, 1.0, 0.0, -0.3, 0.1])
    found = (await caller.get(f"/sweeps/{sweep['id']}/verdict")).json()["data"]
    assert [(choice["fold"], choice["index"]) for choice in found["choices"]] == [(2, 2), (3, 2), (4, 2)]
    assert found["choices"][0]["parameters"] == {"fast_bars": 3, "slow_bars": 48}
    assert found["out_of_sample_sharpe"] > 10
    assert found["pbo"] == pytest.approx(0.0, abs=0.05)
    assert found["tries"] == 6
    assert found["deflated"]["sharpe"] == pytest.approx(10.0)
    assert 0 < found["deflated"]["threshold"] < 3
    assert 0 <= found["deflated"]["probability"] <= 1


async def test_noise_is_found_to_be_noise(sweeping, tried, caller):
    sweep = await sweeping(folds=4)
    await tried(sweep, [0.0] * 60)
    found = (await caller.get(f"/sweeps/{sweep['id']}/verdict")).json()["data"]
    assert 0.0 < found["pbo"] < 1.0
    assert found["deflated"]["probability"] < 0.5


async def test_without_folds_nothing_is_out_of_sample(sweeping, tried, caller):
    sweep = await sweeping()
    await tried(sweep, [0.1, 0.2, 1.0])
    found = (await caller.get(f"/sweeps/{sweep['id']}/verdict")).json()["data"]
    assert (found["out_of_sample_sharpe"], found["degradation"], found["choices"]) == (None, None, [])
    assert found["pbo"] is not None


async def test_before_anything_was_tried_nothing_is_said(sweeping, caller):
    sweep = await sweeping(folds=2)
    found = (await caller.get(f"/sweeps/{sweep['id']}/verdict")).json()["data"]
    assert (found["deflated"], found["pbo"], found["choices"]) == (None, None, [])
    page = (await caller.get(f"/sweeps/{sweep['id']}/report")).text
    assert "No point has a score." in page


@pytest.mark.parametrize("folds", [0, 4])
async def test_the_page_shows_the_search_and_loads_nothing(sweeping, tried, caller, folds):
    sweep = await sweeping(folds=folds)
    await tried(sweep, [0.1, 0.2, 1.0, 0.0, -0.3, 0.1])
    answer = await caller.get(f"/sweeps/{sweep['id']}/report")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"\b(src|href)\s*=", answer.text)
    assert answer.text.count('<tr class="point">') == 6
    assert answer.text.count('<tr class="chosen">') == max(0, folds - 1)
    for text in ("Where the good ones are", "Every parameter at once", "6 tries", "Probability of overfitting"):
        assert text in answer.text


async def test_somebody_elses_sweep_has_no_verdict_and_no_page(sweeping, other, refused):
    sweep = await sweeping()
    for path in ("verdict", "report"):
        refused(await other.get(f"/sweeps/{sweep['id']}/{path}"), 404, "NOT_FOUND")
