"""A sweep's page shows where the good parameters are, whatever the sweep tried."""

import json
import re

import numpy as np
import plotly.graph_objects
import pytest

from omc.backtest.deflated import Deflated
from omc.backtest.tearsheet.axes import Axis, axes_of, importance
from omc.backtest.tearsheet.sweep import Search, sweep_sheet

NAN = float("nan")


def search(points=400, folds=4, **change):
    generator = np.random.default_rng(5)
    fast, slow = generator.integers(2, 60, points), generator.integers(60, 600, points)
    score = 1.5 - np.abs(np.log(fast / 12)) + generator.normal(0, 0.2, points)
    score[::17] = NAN
    values = {
        "objective": "sharpe",
        "searched": ("fast_bars", "slow_bars", "exposure"),
        "indices": range(points),
        "parameters": [
            {"fast_bars": int(a), "slow_bars": int(b), "exposure": c}
            for a, b, c in zip(fast, slow, generator.choice([0.5, 1.0], points), strict=True)
        ],
        "metrics": {"sharpe": score, "max_drawdown": -np.abs(generator.normal(0, 0.1, points))},
        "fold_scores": score[:, None] + generator.normal(0, 0.5, (points, folds)),
        "deflated": Deflated(sharpe=1.7, threshold=2.1, probability=0.31, tries=points),
        "out_of_sample": [("2", "fast_bars 12", "1.20", "0.40")] if folds else [],
    }
    return Search(**values | change)


def charts(page):
    found = re.search(r'<script type="application/json" id="charts">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1]) if found else []


def test_everything_is_on_one_page_that_loads_nothing():
    page = sweep_sheet("Sweep <1>", search(), about="a & b")
    assert "Sweep &lt;1&gt;" in page
    assert not re.search(r"\b(src|href)\s*=", page)
    assert "http" not in page.replace("http-equiv", "")
    assert "31.0%" in page
    assert page.count('<tr class="point">') == 25
    assert page.count('<tr class="chosen">') == 1
    drawn = charts(page)
    assert [chart["data"][0]["type"] for chart in drawn] == ["heatmap", "scatter", "box", "bar"]
    for chart in drawn:
        plotly.graph_objects.Figure(chart)


def test_the_two_parameters_that_matter_most_make_the_heat_map():
    heat = charts(sweep_sheet("A", search()))[0]
    assert heat["layout"]["xaxis"]["title"]["text"].startswith("fast_bars (explains ")


def test_a_heat_map_shows_the_score_of_each_point_of_a_grid():
    parameters = [{"a": a, "b": b} for a in (1, 2) for b in (10, 20, 30)]
    grid = search(6, 0, searched=("a", "b"), parameters=parameters, metrics={"sharpe": np.arange(6.0)})
    heat = charts(sweep_sheet("A", grid))[0]["data"][0]
    cells = {
        (x, y): z for y, row in zip(heat["y"], heat["z"], strict=True) for x, z in zip(heat["x"], row, strict=True)
    }
    expected = {(str(p["a"]), str(p["b"])): at for at, p in enumerate(parameters)}
    assert cells in (expected, {(y, x): z for (x, y), z in expected.items()})


def test_of_many_points_the_best_are_among_the_lines():
    many = search(5_000)
    lines = charts(sweep_sheet("A", many))[1]["data"]
    told = {text for trace in lines for text in trace["text"] if text}
    assert len(told) == 300
    best = many.ranked()[0]
    assert any(f"fast_bars {many.parameters[best]['fast_bars']}<br>" in text for text in told)


@pytest.mark.parametrize(
    "change",
    [
        {"points": 1},
        {"points": 3, "folds": 0},
        {"metrics": {"sharpe": np.full(400, NAN)}},
        {"metrics": {}},
        {"searched": ("fast_bars",)},
        {"searched": ()},
        {"fold_scores": np.full((400, 3), NAN)},
    ],
    ids=str,
)
def test_a_sweep_that_found_little_has_a_page_too(change):
    for chart in charts(sweep_sheet("A", search(**change))):
        plotly.graph_objects.Figure(chart)


def test_words_are_places_too_and_magnitudes_are_even():
    assert Axis.of("mode", ["slow", "fast", True]).labels == ("True", "fast", "slow")
    assert Axis.of("rate", [0.001, 0.01, 0.1]).places.tolist() == pytest.approx([0.0, 0.5, 1.0])
    assert Axis.of("same", [7, 7]).places.tolist() == [0.5, 0.5]


def test_a_parameter_that_decides_the_score_explains_it_and_noise_does_not():
    generator = np.random.default_rng(1)
    points = [
        {"a": int(a), "b": float(b)} for a, b in zip(generator.integers(0, 4, 600), generator.random(600), strict=True)
    ]
    scores = np.array([point["a"] for point in points], float)
    first, second = axes_of(points, ("b", "a"), scores)
    assert (first.name, second.name) == ("a", "b")
    assert importance(first, scores) == pytest.approx(1.0)
    assert importance(second, scores) < 0.05
