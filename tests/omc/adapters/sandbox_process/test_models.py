"""Models behind both walls: written, handed out as bytes, and read by another process; the parent reads nothing."""

import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from omc.adapters.sandbox_process.sandbox import Deadlines
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.errors import CodeFailed, InvalidInput
from omc.strategy.in_pieces import decide_in_pieces
from omc.strategy.maker import Maker
from omc.strategy.sandboxed import SandboxedAlgorithm
from tests.omc.adapters.sandbox_process.plain import EVEN, walk
from tests.omc.strategy.sandbox.fitting import LEVEL, TREND, holding

ROOT = Path(__file__).parents[4]
EVERY = """[
    ensemble.ExtraTreesClassifier(5).fit(X, y), ensemble.RandomForestRegressor(5).fit(X, X[:, 0]),
    ensemble.GradientBoostingClassifier(n_estimators=5).fit(X, y),
    ensemble.HistGradientBoostingRegressor(max_iter=5).fit(X, X[:, 0]),
    KNeighborsClassifier().fit(X, y), GaussianNB().fit(X, y), PCA(2).fit(X), RidgeClassifier().fit(X, y),
    make_pipeline(PolynomialFeatures(), xgboost.XGBClassifier(n_estimators=3)).fit(X, y),
    xgboost.train({}, xgboost.DMatrix(X, y), 3), np.random.default_rng(1), {"a": (1, None, {"b"})},
]"""
IMPORTS = """
import xgboost
from sklearn import ensemble
from sklearn.decomposition import PCA
from sklearn.linear_model import RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
"""


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[Sandboxes]:
    made = Sandboxes()
    made.start()
    yield made
    made.close()


def test_a_model_that_was_fitted_in_one_process_decides_the_same_in_another(sandboxes):
    frame = walk(400, 2)
    with sandboxes.of(TREND) as one, sandboxes.of(TREND) as other:
        fitted = SandboxedAlgorithm(one, {"penalty": 0.5}).fit(frame.rows(0, 300))
        content = fitted.export()
        restored = SandboxedAlgorithm(other, {"penalty": 0.5}).restore(content)
        assert restored.predict(frame).tobytes() == fitted.predict(frame).tobytes()
        assert restored.begin(frame.rows(0, 50)).tobytes() == fitted.begin(frame.rows(0, 50)).tobytes()
        assert restored.export() == content


def test_every_kind_of_model_is_written_and_read_behind_the_lock(sandboxes):
    source, frame = holding(EVERY, IMPORTS), walk(120, 3)
    contents = []
    for _ in range(2):
        with sandboxes.of(source) as asked:
            contents.append(asked.export(asked.fit({}, frame)))
    assert contents[0] == contents[1]
    with sandboxes.of(source) as asked:
        assert asked.export(asked.restore({}, contents[0])) == contents[0]


def test_what_cannot_be_stored_is_named_and_its_sandbox_goes_on(sandboxes):
    with sandboxes.of(holding("[frame.data()]")) as asked:
        number = asked.fit({}, walk(30, 2))
        with pytest.raises(CodeFailed, match=r"held_\[0\] is a pandas\.\S*DataFrame"):
            asked.export(number)
        assert not asked.predict({}, walk(30, 2), number).weights.any()


def test_a_large_model_is_handed_over_whole_and_a_larger_one_is_refused(sandboxes):
    with sandboxes.of(holding("np.arange(3.9 * 2**20)")) as asked, sandboxes.of(holding("1")) as other:
        content = asked.export(asked.fit({}, walk(30, 2)))
        assert len(content) > 31 * 2**20
        assert other.export(other.restore({}, content)) == content
    with sandboxes.of(holding("np.arange(4.1 * 2**20)")) as asked:
        number = asked.fit({}, walk(30, 2))
        with pytest.raises(CodeFailed, match="at most 32 MiB are stored"):
            asked.export(number)


def test_bytes_that_are_no_model_are_refused_and_its_sandbox_goes_on(sandboxes):
    with sandboxes.of(LEVEL) as asked:
        for wrong in (b"x", b"PK\x05\x06" + bytes(18), bytes(41 * 2**20), b""):
            with pytest.raises(CodeFailed, match="stored model"):
                asked.restore({}, wrong)
        assert asked.predict({}, walk(9, 1), asked.fit({}, walk(9, 1))).weights.max() > 0.0


def test_a_model_ends_with_its_sandbox_and_says_so(sandboxes):
    with sandboxes.of(LEVEL) as asked:
        number = asked.fit({}, walk(9, 1))
        asked.close()
        with pytest.raises(CodeFailed, match="is gone"):
            asked.export(number)


def test_what_takes_too_long_to_be_read_is_ended(sandboxes):
    slow = LEVEL.replace("self.scale = scale", "self.scale = scale\n        while scale > 1.5: pass")
    with (
        sandboxes.of(LEVEL) as asked,
        sandboxes.of(slow, deadlines=Deadlines(load_s=60.0, predict_s=0.5)) as stuck,
    ):
        content = asked.export(asked.fit({}, walk(9, 1)))
        with pytest.raises(CodeFailed, match="did not answer within"):
            stuck.restore({"scale": 2.0}, content)


def test_what_has_nothing_to_learn_has_nothing_to_store(sandboxes):
    with sandboxes.of(EVEN) as asked, sandboxes.of(LEVEL) as other:
        with pytest.raises(InvalidInput, match="no fit method"):
            SandboxedAlgorithm(asked).fit(walk(9, 1)).export()
        with pytest.raises(InvalidInput, match="was not fitted"):
            SandboxedAlgorithm(other).export()


def test_a_model_decides_in_pieces_what_it_decided_at_once(sandboxes):
    frame = walk(700, 2)
    with sandboxes.of(TREND) as asked:
        fitted = SandboxedAlgorithm(asked).fit(frame.rows(0, 300))
        content, weights = fitted.export(), fitted.predict(frame)
    make = Maker(sandboxes.of).of(TREND, content)
    with closing(make("custom", {})) as again:
        assert decide_in_pieces(again, frame, piece_bars=100).tobytes() == weights.tobytes()


def test_a_copy_of_a_restored_algorithm_restores_it_anew(sandboxes):
    frame = walk(60, 1)
    with sandboxes.of(LEVEL) as asked:
        content = SandboxedAlgorithm(asked).fit(frame).export()
    made = Maker(sandboxes.of).of(LEVEL, content)("custom", {})
    for copied in (deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert copied.predict(frame).tobytes() == made.predict(frame).tobytes()
        assert copied.begin(frame).tobytes() == made.begin(frame).tobytes()
        copied.close()
    assert made.set_params(**made.get_params()).predict(frame).max() > 0.0
    with pytest.raises(CodeFailed, match="fit a model first"):
        made.set_params(scale=2.0).predict(frame)
    made.close()


PARENT = """
import sys
import numpy as np
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.strategy.sandboxed import SandboxedAlgorithm
from tests.omc.adapters.sandbox_process.plain import walk
from tests.omc.strategy.sandbox.fitting import TREND

frame, sandboxes = walk(200, 2), Sandboxes()
with sandboxes.of(TREND) as one, sandboxes.of(TREND) as other:
    content = SandboxedAlgorithm(one).fit(frame).export()
    SandboxedAlgorithm(other).restore(content).predict(frame)
sandboxes.close()
read = {"skops", "pickle5", "joblib", "sklearn", "xgboost", "zipfile_reader"} & set(sys.modules)
print(sorted(read))
"""


def test_the_parent_loads_nothing_that_could_read_a_model():
    done = subprocess.run(
        [sys.executable, "-c", PARENT], cwd=ROOT, capture_output=True, text=True, check=True, timeout=600
    )
    assert done.stdout.strip() == "[]"


np.zeros(1).mean()
