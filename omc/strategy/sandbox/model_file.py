"""What a fitted algorithm has learned, as bytes and back: the attributes of its object, in one file without pickle.

The file is a zip whose members are stored as they are: `model.json` says what the attributes are, arrays are `.npy`
files, scikit-learn's estimators are skops files, XGBoost's boosters its own JSON. The same attributes give the same
bytes, so a hash of them names the model. It is written and read inside a sandbox only; to everybody else it is bytes.
"""

import io
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from omc.errors import InvalidInput
from omc.strategy.fitted_model import MOST_BYTES
from omc.strategy.sandbox import estimator_file as files
from omc.strategy.sandbox.model_facade import show_model
from omc.strategy.sandbox.model_types import ESTIMATORS

_ABOUT, _FORM = "model.json", 1
_DEEPEST, _MOST_VALUES = 32, 1_000_000
_LARGEST = 2**53
_KINDS = "biufcmMSU"
_CHANCE = (np.random.Generator, np.random.RandomState)


def packed(state: Mapping[str, Any]) -> bytes:
    """InvalidInput names the attribute that cannot be stored, and its type; or says that it is all too large."""
    writer = _Writer()
    about = {"form": _FORM, "state": {name: writer.node(value, name, 0) for name, value in state.items()}}
    try:
        text = json.dumps(about, separators=(",", ":"), allow_nan=False).encode()
    except ValueError as reason:
        raise InvalidInput(f"the fitted model cannot be written: {reason}") from None
    return files.zipped({_ABOUT: text, **writer.parts})


def unpacked(content: bytes) -> dict[str, Any]:
    """The attributes. InvalidInput for bytes that no `packed` has written."""
    if len(content) > 2 * MOST_BYTES:
        raise InvalidInput(f"a stored model has at most {MOST_BYTES // 2**20} MiB")
    parts = files.unzipped(content, MOST_BYTES)
    try:
        about = json.loads(parts[_ABOUT])
        if about["form"] != _FORM:
            raise InvalidInput("a stored model is in another form than this version reads")
        reader = _Reader(parts)
        return {_named(name): reader.value(node, 0) for name, node in about["state"].items()}
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as reason:
        raise InvalidInput(f"a stored model cannot be read: {type(reason).__name__}: {reason}"[:500]) from None


def _named(name: str) -> str:
    if not name.isidentifier() or name.startswith("__"):
        raise InvalidInput(f"a stored model has an attribute {name!r}"[:200])
    return name


class _Writer:
    def __init__(self) -> None:
        self.parts: dict[str, bytes] = {}
        self._values = self._bytes = 0

    def node(self, value: Any, where: str, depth: int) -> Any:
        self._values += 1
        if self._values > _MOST_VALUES or depth > _DEEPEST:
            raise InvalidInput(
                f"{where}: a model has at most {_MOST_VALUES:,} values, {_DEEPEST} levels deep: use arrays"
            )
        kind = type(value)
        if value is None or kind in (bool, str):
            return value
        if kind is int:
            return value if abs(value) < _LARGEST else {"int": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if kind in (list, tuple, set, frozenset, dict):
            return self._container(value, where, depth + 1)
        if kind is np.ndarray or isinstance(value, np.generic):
            return self._array(value, where)
        return self._model(value, where, depth + 1)

    def _container(self, value: Any, where: str, depth: int) -> Any:
        if type(value) is dict:
            pairs = [
                [self.node(key, f"a key of {where}", depth), self.node(each, f"{where}[{_told(key)}]", depth)]
                for key, each in value.items()
            ]
            return {"dict": pairs}
        nodes = [self.node(each, f"{where}[{at}]", depth) for at, each in enumerate(value)]
        if type(value) in (set, frozenset):
            # Their order is another in every process.
            nodes.sort(key=lambda node: json.dumps(node, allow_nan=False))
        return nodes if type(value) is list else {type(value).__name__: nodes}

    def _array(self, value: Any, where: str) -> Any:
        array = np.asarray(value)
        if array.dtype.kind not in _KINDS:
            raise InvalidInput(f"{where} is an array of {array.dtype}: only numbers, times and text are stored")
        buffer = io.BytesIO()
        self._grow(array.nbytes)
        np.lib.format.write_array(buffer, array, version=(1, 0), allow_pickle=False)
        return {"array" if type(value) is np.ndarray else "scalar": self._part(buffer.getvalue(), "npy")}

    def _model(self, value: Any, where: str, depth: int) -> Any:
        kind = type(value)
        name = f"{kind.__module__}.{kind.__name__}"
        if name in ESTIMATORS or kind in _CHANCE:
            try:
                return {"sklearn": self._part(files.sklearn_bytes(value), "skops")}
            except (InvalidInput, TypeError, ValueError) as reason:
                raise InvalidInput(f"{where}, a {name}, cannot be stored: {reason}"[:500]) from None
        if name == "sklearn.pipeline.Pipeline":
            steps = [[step, self.node(each, f"{where}[{step!r}]", depth)] for step, each in value.steps]
            return {"pipeline": steps}
        if name == "xgboost.core.Booster":
            return {"booster": self._part(files.booster_bytes(value), "json")}
        if name in ("xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRegressor"):
            part = None
            if value.__sklearn_is_fitted__():
                part = self._part(files.booster_bytes(value.get_booster()), "json")
            return {"xgboost": [kind.__name__, self.node(value.get_params(), f"{where}'s settings", depth), part]}
        raise InvalidInput(
            f"{where} is a {name}: a model is stored as numbers, text, lists, dicts, arrays of numpy, and estimators "
            "of scikit-learn and XGBoost"
        )

    def _part(self, data: bytes, ending: str) -> str:
        if ending != "npy":
            self._grow(len(data))
        name = f"{len(self.parts)}.{ending}"
        self.parts[name] = data
        return name

    def _grow(self, size: int) -> None:
        self._bytes += size
        if self._bytes > MOST_BYTES:
            raise InvalidInput(
                f"the fitted model takes more than {self._bytes / 2**20:.1f} MiB: at most {MOST_BYTES // 2**20} MiB "
                "are stored"
            )


def _told(key: Any) -> str:
    return repr(key)[:50] if type(key) in (str, int, float, bool) else type(key).__name__


class _Reader:
    def __init__(self, parts: Mapping[str, bytes]) -> None:
        self._parts = parts

    def value(self, node: Any, depth: int) -> Any:
        if depth > _DEEPEST:
            raise InvalidInput("a stored model is nested too deeply")
        if isinstance(node, list):
            return list(self._values(node, depth))
        if not isinstance(node, dict):
            return node
        ((word, said),) = node.items()
        match word:
            case "int":
                return int(said, 16)
            case "float":
                return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[said]
            case "tuple" | "set" | "frozenset":
                made = {"tuple": tuple, "set": set, "frozenset": frozenset}[word]
                return made(self._values(said, depth))
            case "dict":
                return {self.value(key, depth + 1): self.value(each, depth + 1) for key, each in said}
            case "array" | "scalar":
                array = self._array(said)
                return array if word == "array" else array[()]
        return self._model(word, said, depth)

    def _values(self, nodes: list[Any], depth: int) -> Iterator[Any]:
        return (self.value(each, depth + 1) for each in nodes)

    def _array(self, name: str) -> Any:
        return np.lib.format.read_array(io.BytesIO(self._parts[name]), allow_pickle=False)

    def _model(self, word: str, said: Any, depth: int) -> Any:
        match word:
            case "sklearn":
                made = files.sklearn_model(self._parts[said])
            case "booster":
                made = files.booster_of(self._parts[said])
            case "xgboost":
                name, settings, part = said
                parameters = self.value(settings, depth + 1)
                made = files.xgboost_estimator(name, parameters, None if part is None else self._parts[part])
            case "pipeline":
                from sklearn.pipeline import Pipeline

                made = Pipeline([(str(name), self.value(step, depth + 1)) for name, step in said])
            case _:
                raise InvalidInput(f"a stored model has a {word!r}"[:200])
        if not isinstance(made, _CHANCE):
            show_model(made)
        return made
