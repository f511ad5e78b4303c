"""Whatever an algorithm may ordinarily do works in a locked process, though nothing can be fetched there any more."""

import sys
import zoneinfo
from collections.abc import Iterator

import pytest

from omc.strategy.registry import templates
from tests.omc.adapters.sandbox_process.probing import Prober

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's")

TABLE = """
times = pd.date_range("2026-01-01", periods=200, freq="5min", tz="UTC")
walk = np.cumprod(1.0 + np.random.default_rng(1).normal(0.0, 0.01, (200, 2)), axis=0)
table = pd.DataFrame(walk, index=times, columns=["BTC", "ETH"])
numbers = np.random.default_rng(2).normal(size=(300, 5))
answers = (numbers[:, 0] > 0).astype(int)
"""
WORKS = {
    "shown": "x = len(repr(table)) > 0",
    "described": "x = table.describe().shape == (8, 2)",
    "grouped": "x = len(table.groupby(table.index.hour).agg(['mean', 'std'])) > 0",
    "grouped by what a function says": "x = len(table.groupby(lambda t: t.hour).apply(lambda g: g.mean())) > 0",
    "rolled": "x = table.rolling(12).mean().iloc[-1].notna().all()",
    "rolled with a function": "x = table.rolling(12).apply(lambda w: w.max(), raw=True).iloc[-1].notna().all()",
    "averaged": "x = table.ewm(span=12).mean().iloc[-1].notna().all()",
    "resampled": "x = len(table.resample('h').ohlc()) == 17",
    "in another zone": "x = str(table.tz_convert('America/New_York').index[0].utcoffset()) == '-1 day, 19:00:00'",
    "in any zone": f"x = all(pd.Timestamp('2026-07-01', tz=each) for each in {sorted(zoneinfo.available_timezones())})",
    "merged": "x = pd.merge_asof(table, table.add_suffix('2'), left_index=True, right_index=True).shape == (200, 4)",
    "with text": "x = pd.Series(['a', 'b']).str.upper().tolist() == ['A', 'B']",
    "correlated": "x = table.corr().shape == (2, 2)",
    "chance": "x = np.random.default_rng().normal(size=3).shape == (3,)",
    "linear algebra": "x = np.allclose(np.linalg.solve(np.eye(300), np.ones(300)), 1.0)",
    "logistic": (
        "from sklearn.linear_model import LogisticRegression as M\n"
        "x = M().fit(numbers, answers).score(numbers, answers) > 0.9"
    ),
    "forest": (
        "from sklearn.ensemble import RandomForestClassifier as M\n"
        "x = M(20, n_jobs=1).fit(numbers, answers).score(numbers, answers) > 0.9"
    ),
    "forest as it comes": (
        "from sklearn.ensemble import RandomForestRegressor as M\n"
        "x = M(5).fit(numbers, answers).score(numbers, answers) > 0.5"
    ),
    "histograms": (
        "from sklearn.ensemble import HistGradientBoostingClassifier as M\n"
        "x = M().fit(numbers, answers).score(numbers, answers) > 0.9"
    ),
    "pipeline": (
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\n"
        "from sklearn.linear_model import Ridge\n"
        "x = make_pipeline(StandardScaler(), Ridge()).fit(numbers, answers).predict(numbers).shape == (300,)"
    ),
    "xgboost": (
        "import xgboost\nx = xgboost.XGBClassifier(n_estimators=20, n_jobs=1).fit(numbers, answers)"
        ".score(numbers, answers) > 0.9"
    ),
    "xgboost as it comes": (
        "import xgboost\nx = xgboost.XGBClassifier(n_estimators=5).fit(numbers, answers).score(numbers, answers) > 0.9"
    ),
    "a model out of its text": (
        "import xgboost\nkept = xgboost.XGBRegressor(n_estimators=2, n_jobs=1).fit(numbers, answers).get_booster()\n"
        "again = xgboost.Booster({'nthread': 1}, model_file=kept.save_raw('json'))\n"
        "x = (again.inplace_predict(numbers) == kept.inplace_predict(numbers)).all()"
    ),
    "decorated": "import numba; x = numba.njit(lambda a: a + 1)(1) == 2",
    "an error is shown": (
        "import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    x = 'Error' in traceback.format_exc()"
    ),
}
ALGORITHM = """
from omc.feature.frame import Frame, read_only
from omc.strategy.registry import make
rows = 3_000
times = read_only(np.datetime64("2026-03-01", "us") + np.arange(rows) * np.timedelta64(300, "s"))
last = read_only(np.round(100.0 * np.cumprod(1.0 + np.random.default_rng(3).normal(0.0, 0.002, (rows, 2)), axis=0), 8))
x = make({!r}, {{}}).predict(Frame(times, ("BTC", "ETH"), last, last, last)).shape == (rows, 2)
"""


@pytest.fixture(scope="module")
def prober() -> Iterator[Prober]:
    made = Prober()
    yield made
    made.close()


@pytest.mark.parametrize("name", WORKS)
def test_ordinary_code_runs_behind_the_wall(prober: Prober, name: str) -> None:
    assert prober.outcome(TABLE + WORKS[name]) == "done True"


@pytest.mark.parametrize("name", [template.algorithm_type for template in templates()])
def test_the_algorithms_of_the_platform_run_behind_the_wall(prober: Prober, name: str) -> None:
    assert prober.outcome(ALGORITHM.format(name)) == "done True"


def test_an_unknown_kind_of_array_is_an_error_and_not_the_end(prober: Prober) -> None:
    source = "from omc.feature import doubling as d; d._blend(*[np.ones(3, int)] * 3, 1, 1)"
    assert prober.outcome(source) == "TypeError"


def test_no_compiled_function_ends_the_process(prober: Prober) -> None:
    source = (
        "from omc.adapters.sandbox_process.warm import dispatchers\nx = 0\n"
        "for each in dispatchers():\n    try:\n        each('a', 'b')\n    except TypeError:\n        x += 1"
    )
    said, found = prober.outcome(source).split()
    assert said == "done"
    assert int(found) > 10
