"""Whether people's code runs here, and what whoever runs the platform is told of it."""

import logging
import pickle
from functools import partial

import pytest

from cluster.confinement import Confinement
from omc.adapters.sandbox_process.doctor import Layer
from omc.adapters.sandbox_process.sandboxes import Sandboxes
from omc.errors import InvalidInput
from omc.strategy.sandbox_port import MemorySandbox

WHOLE = [Layer("landlock", True, "holds", True), Layer("namespaces", False, "a container forbids them", False)]
HOLED = [Layer("landlock", False, "this kernel has none", True), Layer("seccomp", True, "holds", True)]
CODE = """
class Flat:
    memory_bars = 1
    def predict(self, frame):
        return np.zeros(frame.last.shape)
"""


def examined(layers, *, asked=False):
    return Confinement.examined(asked=asked, look=lambda: layers)


def test_where_every_lock_works_code_runs_behind_them_and_nothing_is_said():
    found = examined(WHOLE)
    assert (found.why, found.unsafe, found.notice) == (None, False, None)
    maker = found.maker(lambda: Sandboxes().of, linux=True)
    assert maker.sandbox is not None
    assert not maker.unsafe


def test_where_a_lock_is_missing_code_is_refused_with_the_sentence_that_says_so():
    found = examined(HOLED)
    assert found.notice is not None
    assert "landlock: this kernel has none" in found.notice
    maker = found.maker(lambda: Sandboxes().of, linux=True)
    with pytest.raises(InvalidInput, match=r"code of your own cannot run: .*landlock: this kernel has none"):
        maker.of(CODE)("custom", {})
    assert maker.of(None)("moving_average_crossover", {}).memory_bars > 0


def test_asked_for_an_unsafe_sandbox_it_says_loudly_that_it_is_one(caplog):
    found = examined(HOLED, asked=True)
    assert found.unsafe
    with caplog.at_level(logging.WARNING):
        maker = found.maker(lambda: Sandboxes().of, linux=True)
    assert maker.unsafe
    assert "UNSAFE" in (found.notice or "")
    assert "landlock: this kernel has none" in caplog.text


def test_where_there_is_no_second_wall_at_all_the_first_stands_alone():
    maker = examined(HOLED, asked=True).maker(lambda: pytest.fail("there is no Linux here"), linux=False)
    assert maker.unsafe
    assert isinstance(maker.sandbox, partial)
    assert maker.sandbox.func is MemorySandbox
    with pytest.raises(InvalidInput, match="open"):
        pickle.loads(pickle.dumps(maker)).of("open('/etc/passwd')\n" + CODE)("custom", {})
    assert pickle.loads(pickle.dumps(maker)).of(CODE)("custom", {}).memory_bars == 1


def test_asked_for_an_unsafe_sandbox_where_none_is_needed_it_says_only_that():
    found = examined(WHOLE, asked=True)
    assert not found.unsafe
    assert "was not needed" in (found.notice or "")
    assert not found.maker(lambda: Sandboxes().of, linux=True).unsafe


@pytest.mark.parametrize("found", [examined(WHOLE), examined(HOLED), examined(HOLED, asked=True)])
def test_what_one_process_has_found_out_is_told_to_another(found):
    assert Confinement.told(found.document) == found


@pytest.mark.parametrize(
    "said", [None, {}, "safe", {"why": None}, {"why": 1, "asked": True}, {"why": None, "asked": 1}]
)
def test_what_nobody_has_found_out_is_not_taken_for_an_answer(said):
    assert Confinement.told(said) is None
