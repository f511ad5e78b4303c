"""Attempts to escape, with every builtin at hand and nothing but the second wall in the way."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from omc.adapters.sandbox_process.limits import Limits
from tests.omc.adapters.sandbox_process.probing import ORDINARY, Prober

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the second wall is Linux's")

ROOT = os.geteuid() == 0
CORPUS = Path(__file__).parents[5] / "shared" / "cases" / "sandbox_escapes.json"
OURS = {
    "system": "import os\nos.system('touch {marker}')",
    "subprocess": "import subprocess\nsubprocess.run(['touch', '{marker}'])",
    "write": "open('{marker}', 'w').write('here')",
    "pathlib": "import pathlib\npathlib.Path('{marker}').touch()",
    "numpy": "np.save('{marker}', np.zeros(3))",
    "memory map": "np.memmap('{marker}', dtype=float, mode='w+', shape=3)",
    "table": "pd.DataFrame([1]).to_csv('{marker}')",
    "table by name": "pd.DataFrame([1]).agg('to_csv', path_or_buf='{marker}')",
    "expression": "df = pd.DataFrame([1])\ndf.eval('@pd.io.common.os.system(\"touch {marker}\")', engine='python')",
    "pickle": "pd.read_pickle('{evil_pkl}')",
    "array of pickles": "np.load('{evil_npy}', allow_pickle=True)",
    "pickle in hand": "import pickle\npickle.loads({evil!r})",
    "libc": "import ctypes\nctypes.CDLL(None).system(b'touch {marker}')",
    "libc's open": "import ctypes\nif ctypes.CDLL(None).creat(b'{marker}', 0o644) < 0:\n    raise PermissionError",
    "two forks": "import os\nif os.fork() == 0 and os.fork() == 0:\n    open('{marker}', 'w')",
    "frames": "import sys\nsys._getframe(1).f_globals['os'].system('touch {marker}')",
    "subclasses": (
        "for each in object.__subclasses__():\n    if each.__name__ == '_wrap_close':\n"
        "        each.__init__.__globals__['system']('touch {marker}')"
    ),
    "at the end": "import atexit, os\natexit.register(os.system, 'touch {marker}')\nimport sys\nsys.exit()",
}
HELD_BACK = {each["id"]: each["code"] for each in json.loads(CORPUS.read_text())["attempts"]} if CORPUS.exists() else {}


class Evil:
    """Unpickled, it leaves a mark."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.marker}",)


class Traps:
    """A folder that anybody may write to: only the wall protects it."""

    def __init__(self, folder: Path) -> None:
        import pickle

        folder.chmod(0o777)
        for each in folder.parents:
            if each.stat().st_uid == os.geteuid() and each.name.startswith("pytest-"):
                each.chmod(0o755)
        self.marker, self.npy, self.pkl = folder / "marker", folder / "evil.npy", folder / "evil.pkl"
        self.evil = pickle.dumps(Evil(self.marker))
        np.save(self.npy, np.array([Evil(self.marker)], dtype=object), allow_pickle=True)
        self.pkl.write_bytes(self.evil)
        for each in (self.npy, self.pkl):
            each.chmod(0o644)

    def source(self, code: str) -> str:
        filled = code.replace("{marker}", str(self.marker)).replace("{evil!r}", repr(self.evil))
        return filled.replace("{evil_npy}", str(self.npy)).replace("{evil_pkl}", str(self.pkl))


@pytest.fixture
def traps(tmp_path: Path) -> Traps:
    return Traps(tmp_path)


@pytest.fixture(scope="module", params=["root", "user"])
def prober(request: pytest.FixtureRequest) -> Iterator[Prober]:
    if request.param == "root" and not ROOT:
        pytest.skip("not root here")
    made = Prober(ORDINARY if request.param == "user" and ROOT else None)
    yield made
    made.close()


@pytest.mark.parametrize("name", OURS)
def test_no_escape_leaves_a_mark(prober: Prober, name: str, traps: Traps) -> None:
    prober.outcome(traps.source(OURS[name]), Limits(cpu_s=5))
    assert not traps.marker.exists()


@pytest.mark.shared
@pytest.mark.skipif(not HELD_BACK, reason="the recorded attempts are not beside the project")
@pytest.mark.parametrize("name", HELD_BACK)
def test_no_recorded_escape_leaves_a_mark(prober: Prober, name: str, traps: Traps) -> None:
    prober.outcome(traps.source(HELD_BACK[name]), Limits(cpu_s=5))
    assert not traps.marker.exists()


@pytest.mark.parametrize("name", ["system", "write", "pickle", "array of pickles", "libc", "subclasses"])
def test_without_a_wall_they_do(name: str, traps: Traps) -> None:
    source = "import os, numpy as np, pandas as pd\n" + traps.source(OURS[name])
    subprocess.run([sys.executable, "-c", source], check=False, timeout=600)
    assert traps.marker.exists()
