"""Libraries load parts of themselves when these are first asked for, through the names that code runs with: whatever an
algorithm may ask for first works in a process that has asked for nothing yet."""

import pytest

from omc.strategy.sandbox.numpy_names import LINALG
from omc.strategy.sandbox.numpy_shown import ARRAY

TWO = {"lstsq", "solve"}
OTHERS = {
    "choose": "a.astype(int).choose([a, a, a, a, a, a, a, a, a])",
    "clip": "a.clip(0, 1)",
    "compress": "a.compress([True])",
    "dot": "a.dot(a)",
    "fill": "a.fill(1)",
    "item": "a.item(0)",
    "argpartition": "a.argpartition(1)",
    "partition": "a.partition(1)",
    "put": "a.put([0], [1])",
    "repeat": "a.repeat(2)",
    "reshape": "a.reshape(9)",
    "searchsorted": "a[0].searchsorted(1)",
    "swapaxes": "a.swapaxes(0, 1)",
    "take": "a.take([0])",
}
"""What needs more than nothing."""
FIRST = {
    **{f"array.{name}": OTHERS.get(name, f"a.{name}") for name in ARRAY.split()},
    **{
        f"linalg.{name}": f"np.linalg.{name}(a + np.eye(3)"
        + (", a)" if name in TWO else ", 2)" if name == "matrix_power" else ")")
        for name in LINALG.split()
        if name != "cholesky"
    },
    "percentile": "np.percentile(a, [25, 75])",
    "a stable sort": "np.sort(a, kind='stable'), a.argsort(kind='heapsort')",
    "a generator": "np.random.default_rng(1).multivariate_normal([0, 0], np.eye(2))",
    "a table": "str(pd.DataFrame(a).describe())",
    "a table as dicts": "pd.DataFrame(a).to_dict('records')",
    "windows": "pd.DataFrame(a).rolling(2).mean(), pd.DataFrame(a).ewm(2).std(), pd.Series(a[0]).expanding().median()",
    "groups": "pd.DataFrame(a).groupby(0).agg(['mean', 'std'])",
    "samples": "pd.Series(a[0], pd.date_range('2025', periods=3)).resample('2D').ohlc()",
    "a zone": "pd.Timestamp('2025-07-01', tz='Australia/Sydney').utcoffset()",
    "times from text": "pd.to_datetime(['1 Feb 2025']), pd.to_datetime('20250101', format='%Y%m%d')",
    "a join": "pd.merge_asof(pd.DataFrame(a), pd.DataFrame(a), on=0)",
    "a rank correlation": "pd.DataFrame(a).corr(method='spearman')",
}
MODULES = {
    "a time from text": "from datetime import datetime\nx = datetime.strptime('2025 Jan', '%Y %b')",
    "statistics": "import statistics as s\nx = s.quantiles([1, 2, 3]), s.linear_regression([1, 2], [3, 5])",
    "a dataclass": "from dataclasses import dataclass\n@dataclass\nclass A:\n    a: int = 1\nx = repr(A())",
    "a ridge": "from sklearn.linear_model import Ridge\nx = Ridge().fit(np.eye(3), np.ones(3)).predict(np.eye(3))",
    "a shown model": "from sklearn.tree import DecisionTreeClassifier\nx = repr(DecisionTreeClassifier())",
    "a measure": "from sklearn.metrics import roc_auc_score\nx = roc_auc_score([0, 1], [0.1, 0.9])",
    "a base": (
        "from sklearn.base import BaseEstimator\nclass A(BaseEstimator):\n"
        "    def __init__(self, a=1): self.a = a\nx = repr(A()), A().get_params()"
    ),
    "a booster": "import xgboost\nx = xgboost.XGBRegressor(n_estimators=1).fit(np.eye(4), np.ones(4))",
}


def called(said: str) -> str:
    return f"a = np.arange(9.0).reshape(3, 3)\nx = {said}\nif callable(x):\n    x = x()"


@pytest.fixture(scope="module")
def came(runner):
    sources = {**{name: called(said) for name, said in FIRST.items()}, **MODULES}
    return dict(zip(sources, runner.answers(list(sources.values()), warm=False), strict=True))


@pytest.mark.parametrize("name", [*FIRST, *MODULES])
def test_what_is_asked_for_first_is_there(came, name):
    assert came[name] == "ran"
