"""Every estimator that code may use is stored and comes back the same; nothing else is made of stored bytes."""

import importlib
import io
import json
import zipfile

import numpy as np
import pytest
import skops
from packaging.version import Version
from sklearn.dummy import DummyClassifier
from sklearn.pipeline import Pipeline
from skops import io as skops_io

from omc.errors import InvalidInput
from omc.strategy.sandbox import estimator_file as files
from omc.strategy.sandbox.imports import MODULES
from omc.strategy.sandbox.model_types import BY_LOADER, ESTIMATORS, TRUSTED

X = np.random.default_rng(0).normal(size=(120, 4))
NUMBERS, CLASSES = X[:, 1], (X[:, 0] > 0.0).astype(np.int64) + (X[:, 1] > 0.5)
_NO_MODELS = {"sklearn.base", "sklearn.metrics", "sklearn.model_selection", "sklearn.pipeline"}
KINDS = [
    (module, name)
    for module, names in sorted(MODULES.items())
    if module.startswith("sklearn.") and module not in _NO_MODELS
    for name in sorted(names)
]
OTHERS = [
    ("sklearn.ensemble", "GradientBoostingRegressor", {"loss": "huber", "n_estimators": 3}),
    ("sklearn.ensemble", "GradientBoostingRegressor", {"loss": "quantile", "n_estimators": 3}),
    ("sklearn.ensemble", "GradientBoostingRegressor", {"loss": "absolute_error", "n_estimators": 3}),
    ("sklearn.ensemble", "HistGradientBoostingRegressor", {"loss": "absolute_error", "max_iter": 3}),
    ("sklearn.ensemble", "HistGradientBoostingRegressor", {"loss": "quantile", "quantile": 0.3, "max_iter": 3}),
    ("sklearn.ensemble", "HistGradientBoostingClassifier", {"early_stopping": True, "max_iter": 3}),
    ("sklearn.ensemble", "RandomForestClassifier", {"n_estimators": 3, "random_state": np.random.RandomState(3)}),
    ("sklearn.ensemble", "RandomForestClassifier", {"n_estimators": 3, "oob_score": True, "class_weight": "balanced"}),
    ("sklearn.neighbors", "KNeighborsClassifier", {"algorithm": "ball_tree"}),
    ("sklearn.neighbors", "KNeighborsClassifier", {"algorithm": "brute"}),
    ("sklearn.neighbors", "KNeighborsRegressor", {"p": 1, "weights": "distance"}),
    ("sklearn.neighbors", "KNeighborsRegressor", {"p": 3}),
    ("sklearn.linear_model", "LogisticRegression", {"class_weight": {0: 1.0, 1: 2.0, 2: 3.0}}),
    ("sklearn.preprocessing", "PolynomialFeatures", {"degree": 3}),
]


def fitted(module, name, settings=None):
    """With few trees, where it has trees."""
    kind = getattr(importlib.import_module(module), name)
    known = kind().get_params()
    few = {each: 3 for each in ("n_estimators", "max_iter") if each in known and "Linear" not in name}
    few = few if "ensemble" in module else {}
    return kind(**{**few, **(settings or {})}).fit(X, NUMBERS if name.endswith("Regressor") else CLASSES)


def answer(model):
    return getattr(model, "predict_proba", getattr(model, "predict", getattr(model, "transform", None)))(X)


@pytest.mark.parametrize(("module", "name", "settings"), [(*kind, None) for kind in KINDS] + OTHERS)
def test_what_may_be_imported_is_stored_and_answers_the_same_to_the_bit(module, name, settings):
    model = fitted(module, name, settings)
    content = files.sklearn_bytes(model)
    back = files.sklearn_model(content)
    assert type(back) is type(model)
    assert files.sklearn_bytes(back) == content
    assert answer(back).tobytes() == answer(model).tobytes()


def test_the_same_fit_once_more_has_the_same_bytes():
    for module, name in KINDS:
        settings = {"random_state": 1} if "random_state" in fitted(module, name).get_params() else {}
        one, other = (files.sklearn_bytes(fitted(module, name, settings)) for _ in range(2))
        assert one == other, name


def test_the_list_names_types_of_libraries_alone():
    for name in TRUSTED:
        assert name.split(".")[0] in ("builtins", "numpy", "sklearn")
    assert not {"FunctionNode", "MethodNode", "OperatorFuncNode", "PartialNode", "CachedNode"} & BY_LOADER.keys()
    assert not any(each.split(".")[-1] in ("eval", "exec", "getattr", "type", "object") for each in TRUSTED)


def test_every_estimator_of_the_list_may_be_used_by_code_or_is_made_by_one_that_may():
    named = {f"{each.__module__}.{each.__name__}" for module, name in KINDS for each in [_kind(module, name)]}
    assert named <= ESTIMATORS
    assert {each.rsplit(".", 1)[1] for each in ESTIMATORS - named} == {
        "DummyClassifier",
        "DummyRegressor",
        "ExtraTreeClassifier",
        "ExtraTreeRegressor",
        "LabelBinarizer",
        "LabelEncoder",
    }


def _kind(module, name):
    return getattr(importlib.import_module(module), name)


def test_skops_is_of_a_version_whose_known_holes_are_closed():
    # CVE-2024-37065 (0.10), CVE-2025-54412 and CVE-2025-54413 (0.12), CVE-2025-54886 (0.13).
    assert Version(skops.__version__) >= Version("0.16")


@pytest.mark.parametrize(
    "model", [Pipeline([("a", DummyClassifier())]), np.sum, abs, {"f": print}, DummyClassifier, 1j]
)
def test_what_is_not_in_the_list_is_not_written(model):
    with pytest.raises((InvalidInput, TypeError)):
        files.sklearn_bytes(model)


def rewritten(content, change):
    """A skops file whose description was changed by hand."""
    members = files.unzipped(content, len(content))
    schema = json.loads(members["schema.json"])
    schema = change(schema) or schema
    return files.zipped({**members, "schema.json": json.dumps(schema).encode()})


def _node(loader, module, kind, **more):
    return {"__loader__": loader, "__module__": module, "__class__": kind, **more}


_TEXT = _node("JsonNode", "builtins", "str", content='"touch here"', is_json=True)
_ARGS = _node("TupleNode", "builtins", "tuple", content=[_TEXT])
ATTACKS = {
    "a function": _node("FunctionNode", "os", "system", content={"module_path": "os", "function": "system"}),
    "a call": _node("OperatorFuncNode", "operator", "call", attrs=_ARGS),
    "a method": _node("MethodNode", "sklearn.dummy", "DummyClassifier", content={"func": "fit", "obj": _TEXT}),
    "a partial": _node("PartialNode", "functools", "partial", content={"func": _TEXT, "args": _ARGS}),
    "a type": _node("TypeNode", "builtins", "eval"),
    "an object of another module": _node("ObjectNode", "subprocess", "Popen", content=_TEXT),
    "an object by a loss": _node("LossNode", "os", "popen", __reduce__={"args": _ARGS}, content=_TEXT),
    "an object by a tree": _node("TreeNode", "os", "popen", __reduce__={"args": _ARGS}, content=_TEXT),
    "an old form": {"__loader__": "JsonNode", "__module__": "builtins", "__class__": "eval", "content": '"1"'},
    "a class by another loader": _node("JsonNode", "sklearn.dummy", "DummyClassifier", content="1"),
    "no loader": {"__module__": "builtins", "__class__": "str"},
    "a loader of another kind": _node(["ObjectNode"], "builtins", "str"),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_file_that_asks_for_more_is_refused_before_anything_is_made(attack, monkeypatch):
    content = files.sklearn_bytes(fitted("sklearn.linear_model", "LinearRegression"))

    def hide(schema):
        schema["content"]["content"]["hidden"] = attack

    monkeypatch.setattr(skops_io, "loads", None)
    for changed in (hide, lambda schema: {**attack, "protocol": schema["protocol"]}):
        with pytest.raises(InvalidInput, match=r"is not among what a stored model may consist of|not in the form"):
            files.sklearn_model(rewritten(content, changed))


def test_a_file_of_another_protocol_is_refused():
    content = files.sklearn_bytes(fitted("sklearn.linear_model", "LinearRegression"))
    for other in (0, 1, -1, True, None, "2", 10**6):
        with pytest.raises(InvalidInput, match="form"):
            files.sklearn_model(rewritten(content, lambda schema, other=other: {**schema, "protocol": other}))


def test_a_packed_part_is_refused_however_small_it_says_it_is():
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("schema.json", b"0" * 50_000_000)
    with pytest.raises(InvalidInput, match="packed"):
        files.unzipped(bomb.getvalue(), 2**30)
    twice = io.BytesIO()
    with zipfile.ZipFile(twice, "w") as file:
        file.writestr("a", b"1")
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("a", b"2")
    with pytest.raises(InvalidInput, match="twice"):
        files.unzipped(twice.getvalue(), 2**30)
    with pytest.raises(InvalidInput, match="more than the whole"):
        files.unzipped(files.zipped({"a": bytes(1_000)}), 999)


def test_what_is_too_large_says_how_large_it_is():
    with pytest.raises(InvalidInput, match=r"takes 40\.0 MiB in 1 parts: at most 32 MiB"):
        files.zipped({"a": bytes(40 * 2**20)})


def test_a_booster_that_is_none_is_refused():
    for wrong in (b"", b"{}", b'{"learner": 1}', b"binf\x00", b"{" * 1_000, b"\x80\x04."):
        with pytest.raises(InvalidInput):
            files.booster_of(wrong)
        with pytest.raises(InvalidInput):
            files.xgboost_estimator("XGBClassifier", {}, wrong)
    with pytest.raises(InvalidInput, match="asks for 'Booster'"):
        files.xgboost_estimator("Booster", {}, None)
