"""What an algorithm has learned goes into bytes and comes back, to the bit; what cannot is named."""

import contextlib
import math
import pickle
import zipfile
from io import BytesIO

import numpy as np
import pytest
import xgboost
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from omc.errors import CodeFailed, InvalidInput
from omc.strategy.sandbox import load
from omc.strategy.sandbox.estimator_file import zipped
from omc.strategy.sandbox.model_file import packed, unpacked
from omc.strategy.sandbox_port import MemorySandbox
from tests.omc.adapters.sandbox_process.plain import walk
from tests.omc.strategy.sandbox.fitting import LEVEL, TREND, holding

# On their first use libraries import what they compute with, which code behind the first wall cannot.
np.zeros(1).mean()
_X = np.random.default_rng(0).normal(size=(40, 2))
make_pipeline(StandardScaler(), Ridge()).fit(_X, _X[:, 0]).predict(_X)

_NUMBERS = arrays.arrays(
    st.one_of(
        arrays.floating_dtypes(), arrays.integer_dtypes(), arrays.boolean_dtypes(), arrays.complex_number_dtypes()
    ),
    arrays.array_shapes(min_dims=0, max_dims=3, max_side=4),
)
_TIMES = arrays.arrays(arrays.datetime64_dtypes(max_period="s", min_period="us"), arrays.array_shapes(max_side=4))
_KEYS = st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.tuples(st.integers(), st.text(max_size=3)))
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), _NUMBERS, _TIMES),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.dictionaries(_KEYS, inner, max_size=4),
        st.sets(st.integers(), max_size=4),
        st.frozensets(st.text(max_size=4), max_size=4),
    ),
    max_leaves=8,
)


def same(one, other):
    """Of equal values and equal types all through, NaN being NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray | np.generic):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if isinstance(one, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            same(a, b) and same(one[a], other[b]) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    return one == other


@given(st.dictionaries(st.from_regex(r"[a-z][a-z_]{0,8}", fullmatch=True), VALUES, max_size=4))
@example({"a": math.nan, "b": -0.0, "c": 10**400, "d": np.float64(1.5), "e": "\ud800"})
def test_plain_values_and_arrays_come_back_as_they_were(state):
    content = packed(state)
    back = unpacked(content)
    assert same(back, state)
    assert packed(back) == content


def test_an_array_comes_back_in_any_order_of_memory_and_can_be_written_to():
    kept = {"f": np.asfortranarray(np.arange(6.0).reshape(2, 3)), "c": np.arange(10)[::3], "s": np.array(["ab", "c"])}
    for name, back in unpacked(packed(kept)).items():
        assert back.tolist() == kept[name].tolist()
        back[:] = back[::-1]


def test_sets_are_written_in_one_order_whatever_theirs_is():
    assert packed({"a": {"one", "two", "three"}}) == packed({"a": {"three", "two", "one"}})


def test_boosters_and_estimators_of_xgboost_answer_the_same_and_keep_their_settings():
    answers = (_X[:, 0] > 0).astype(int)
    model = xgboost.XGBClassifier(n_estimators=4, max_depth=2, n_jobs=1).fit(_X, answers)
    regressor = xgboost.XGBRegressor(n_estimators=3, n_jobs=1).fit(_X, _X[:, 1])
    unfitted = xgboost.XGBRegressor(n_estimators=7, n_jobs=1)
    pipeline = make_pipeline(StandardScaler(), xgboost.XGBRegressor(n_estimators=2, n_jobs=1)).fit(_X, _X[:, 1])
    state = {"m": model, "b": model.get_booster(), "r": regressor, "u": [unfitted], "p": pipeline}
    content = packed(state)
    back = unpacked(content)
    assert back["m"].predict_proba(_X).tobytes() == model.predict_proba(_X).tobytes()
    assert back["m"].classes_.tolist() == [0, 1]
    assert back["r"].predict(_X).tobytes() == regressor.predict(_X).tobytes()
    assert back["p"].predict(_X).tobytes() == pipeline.predict(_X).tobytes()
    assert back["b"].inplace_predict(_X).tobytes() == model.get_booster().inplace_predict(_X).tobytes()
    assert back["u"][0].get_params()["n_estimators"] == 7
    assert {**back["m"].get_params(), "missing": 0} == {**model.get_params(), "missing": 0}
    assert packed(back) == content


def test_nothing_in_a_file_is_a_pickle():
    content = packed(
        {"p": make_pipeline(StandardScaler(), Ridge()).fit(_X, _X[:, 0]), "a": _X, "c": np.random.default_rng(1)}
    )
    for data in _members(content):
        with pytest.raises((pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError, AttributeError)):
            pickle.loads(data)


def _members(content):
    with zipfile.ZipFile(BytesIO(content)) as file:
        for name in file.namelist():
            data = file.read(name)
            yield from _members(data) if name.endswith("skops") else [data]


@pytest.mark.parametrize(
    ("made", "imports", "said"),
    [
        ("lambda x: x", "", r"held_ is a builtins\.function"),
        ("self", "", r"held_ is a algorithm\.Holder|held_ is a .*Holder"),
        ("{'a': [1, frame.data()]}", "", r"held_\['a'\]\[1\] is a pandas\.\S*DataFrame"),
        ("pd.Series([1.0])", "", r"held_ is a pandas\.\S*Series: a model is stored as numbers"),
        ("xgb.DMatrix(X, y)", "import xgboost as xgb", r"held_ is a xgboost\.core\.\w*DMatrix"),
        ("np.zeros(5 * 2**20)", "", r"the fitted model takes more than 40\.0 MiB: at most 32 MiB are stored"),
        ("frame", "", r"held_ is a .*SeenFrame"),
    ],
)
def test_what_cannot_be_stored_is_named_with_its_type(made, imports, said):
    asked = MemorySandbox(holding(made, imports), load)
    number = asked.fit({}, walk(50, 2))
    with pytest.raises(CodeFailed, match=said):
        asked.export(number)


def test_what_holds_itself_or_is_nested_without_end_is_refused():
    itself: list[object] = []
    itself.append(itself)
    wide: object = 1
    for _ in range(30):
        wide = [wide, wide]
    for endless in (itself, wide):
        with pytest.raises(InvalidInput, match=r"at most 1,000,000 values, 32 levels deep"):
            packed({"held": endless})


@pytest.mark.parametrize("code", [TREND, LEVEL])
def test_a_restored_model_decides_what_the_fitted_one_did_and_is_exported_to_the_same_bytes(code):
    frame = walk(300, 2)
    fitted, restored, again = (MemorySandbox(code, load) for _ in range(3))
    number = fitted.fit({}, frame.rows(0, 200))
    content = fitted.export(number)
    back = restored.restore({}, content)
    assert restored.predict({}, frame, back).weights.tobytes() == fitted.predict({}, frame, number).weights.tobytes()
    assert restored.begin({}, frame, back).tobytes() == fitted.begin({}, frame, number).tobytes()
    assert restored.export(back) == content
    assert again.export(again.fit({}, frame.rows(0, 200))) == content


def test_a_restored_model_works_in_code_that_imports_its_library_only_to_fit():
    late = TREND.replace("from sklearn.linear_model import LogisticRegression\n", "")
    late = late.replace(
        "from sklearn.pipeline import make_pipeline\nfrom sklearn.preprocessing import StandardScaler\n", ""
    )
    late = late.replace(
        "        moves = self.moves(frame)\n        rises",
        "        from sklearn.linear_model import LogisticRegression\n"
        "        from sklearn.pipeline import make_pipeline\n"
        "        from sklearn.preprocessing import StandardScaler\n        moves = self.moves(frame)\n        rises",
    )
    fitted, restored, frame = MemorySandbox(late, load), MemorySandbox(late, load), walk(100, 2)
    content = fitted.export(fitted.fit({}, frame))
    restored.predict({}, frame, restored.restore({}, content))


def test_attributes_in_slots_are_stored_too():
    slotted = LEVEL.replace("    memory_bars = 1\n", "    __slots__ = ('scale', 'level_')\n    memory_bars = 1\n")
    try:
        asked = MemorySandbox(slotted, load)
        asked.describe()
    except InvalidInput:
        pytest.skip("classes of code's own have no slots")
    frame = walk(20, 1)
    number = asked.fit({}, frame)
    assert asked.predict({}, frame, asked.restore({}, asked.export(number))).weights.max() > 0.0


@pytest.mark.parametrize("code", [TREND, LEVEL])
def test_code_that_was_never_fitted_says_what_to_do(code):
    with pytest.raises(CodeFailed, match=r"it has a fit method and was not fitted: fit a model first, and name it"):
        MemorySandbox(code, load).predict({}, walk(30, 2))


def test_code_says_whether_it_learns():
    plain = LEVEL.replace("def fit", "def adapt")
    assert MemorySandbox(LEVEL, load).describe().fits
    assert not MemorySandbox(plain, load).describe().fits


GOOD = packed({"a": np.arange(4.0), "b": [1.5, "x", {"k": (1, 2)}], "m": Ridge().fit(_X, _X[:, 0])})


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255), st.integers(0, 40))
def test_a_damaged_file_is_refused_or_is_another_file(at, by, cut):
    damaged = bytearray(GOOD[: len(GOOD) - cut])
    damaged[at % len(damaged)] ^= by
    with contextlib.suppress(InvalidInput):
        unpacked(bytes(damaged))


@pytest.mark.parametrize(
    "about",
    [
        b"",
        b"[]",
        b"{}",
        b'{"form": 2, "state": {}}',
        b'{"form": 1, "state": {"__class__": 1}}',
        b'{"form": 1, "state": {"a b": 1}}',
        b'{"form": 1, "state": {"a": {"array": "nowhere.npy"}}}',
        b'{"form": 1, "state": {"a": {"array": "o.npy"}}}',
        b'{"form": 1, "state": {"a": {"object": "os.system"}}}',
        b'{"form": 1, "state": {"a": {"xgboost": ["eval", {"dict": []}, null]}}}',
        b'{"form": 1, "state": {"a": {"pipeline": [["x"]]}}}',
        b'{"form": 1, "state": {"a": {"float": "1e999"}}}',
        b'{"form": 1, "state": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}",
        b'{"form": 1, "state": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}",
    ],
)
def test_a_file_that_says_what_cannot_be_is_refused(about):
    objects = BytesIO()
    np.save(objects, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(InvalidInput):
        unpacked(zipped({"model.json": about, "o.npy": objects.getvalue()}))


def test_a_file_cannot_replace_what_is_the_platforms():
    builtin = """
from dataclasses import dataclass
from typing import ClassVar
from omc.strategy.builtin import Builtin
from omc.strategy.parameter import real

@dataclass(eq=False)
class Mine(Builtin):
    algorithm_type: ClassVar[str] = "mine"
    description: ClassVar[str] = "Mine."
    scale: float = real(1.0, low=0.0, high=2.0, about="scale")
    @property
    def memory_bars(self):
        return 1
    def fit(self, frame, labels=None):
        self.level = 0.25 * self.scale
        return self
    def decide(self, frame, indicators):
        return frame.last * 0.0 + self.level
"""
    asked, frame = MemorySandbox(builtin, load), walk(20, 1)
    content = asked.export(asked.fit({"scale": 2.0}, frame))
    assert unpacked(content) == {"scale": 2.0, "level": 0.5}
    assert asked.predict({"scale": 2.0}, frame, asked.restore({"scale": 2.0}, content)).weights.max() == 0.5
    with pytest.raises(CodeFailed, match="'get_params', which is not the code's own"):
        asked.restore({}, packed({"get_params": 1}))
