"""Fitted estimators as bytes and back: scikit-learn's by skops, XGBoost's in its own JSON. Nothing is ever pickled.

Both run only inside a sandbox. What is read may have been written by anybody: a type that is not in `model_types.py` is
refused before anything is made. What it cannot see, such as a tree whose numbers lead beside its own memory, is what
the second wall is for.
"""

import io
import json
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np

from omc.errors import InvalidInput
from omc.strategy.fitted_model import MOST_BYTES
from omc.strategy.sandbox.model_types import BY_LOADER, TRUSTED

_SCHEMA = "schema.json"
_MOST_MEMBERS = 50_000
_DAWN = (1980, 1, 1, 0, 0, 0)


def sklearn_bytes(model: Any) -> bytes:
    """A skops file of an estimator: the same bytes for the same estimator, wherever its parts lie in memory.
    InvalidInput for one with a part that is not among what is stored."""
    # Here and not above: whoever stores no model should not pay for it.
    from skops import io as skops

    members = unzipped(skops.dumps(model), MOST_BYTES)
    written: dict[bytes, str] = {}
    schema = _canonical(json.loads(members[_SCHEMA]), members, written)
    _check(schema)
    names = {name: data for data, name in written.items()}
    return zipped({_SCHEMA: json.dumps(schema, separators=(",", ":")).encode(), **names})


def sklearn_model(content: bytes) -> Any:
    """The inverse. InvalidInput for bytes that are no such file, or ask for more than is stored."""
    from skops import io as skops
    from skops.io.exceptions import UntrustedTypesFoundException

    members = unzipped(content, MOST_BYTES)
    if _SCHEMA not in members:
        raise InvalidInput("a stored model lacks its description")
    _check(json.loads(members[_SCHEMA]))
    try:
        return skops.loads(content, trusted=TRUSTED)
    except UntrustedTypesFoundException as found:
        raise InvalidInput(f"a stored model asks for what is not made: {found}"[:500]) from None


def _canonical(node: Any, members: dict[str, bytes], written: dict[bytes, str]) -> Any:
    """Without addresses of memory; arrays are named by their order, equal ones being one."""
    if isinstance(node, list):
        return [_canonical(each, members, written) for each in node]
    if not isinstance(node, dict):
        return node
    found = {name: _canonical(each, members, written) for name, each in node.items() if name not in ("__id__", "file")}
    if "file" in node:
        data = _without_gaps(members[node["file"]])
        found["file"] = written.setdefault(data, f"{len(written)}.npy")
    return found


def _without_gaps(data: bytes) -> bytes:
    """An array of records leaves gaps between its fields, in which there is whatever was there before."""
    array = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
    if array.dtype.names is None:
        return data
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, clean, allow_pickle=False)
    return buffer.getvalue()


def _check(schema: Any) -> None:
    """InvalidInput for a description that names a type, or a way of making it, beyond those of the list."""
    from skops.io._protocol import PROTOCOL

    if not isinstance(schema, dict) or schema.get("protocol") != PROTOCOL or "__loader__" not in schema:
        raise InvalidInput("a stored model is not in the form that this version writes")
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            waiting += node.values()
            if node.keys() & {"__loader__", "__class__", "__module__"}:
                loader, name = node.get("__loader__"), f"{node.get('__module__')}.{node.get('__class__')}"
                if not isinstance(loader, str) or name not in BY_LOADER.get(loader, ()):
                    raise InvalidInput(f"a {name} ({loader}) is not among what a stored model may consist of"[:500])


def zipped(members: dict[str, bytes]) -> bytes:
    """In their order, unpacked and without a time. InvalidInput beyond the size of a model."""
    size = sum(len(data) for data in members.values())
    if size > MOST_BYTES or len(members) > _MOST_MEMBERS:
        raise InvalidInput(
            f"the fitted model takes {size / 2**20:.1f} MiB in {len(members):,} parts: at most "
            f"{MOST_BYTES // 2**20} MiB in {_MOST_MEMBERS:,} are stored"
        )
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_STORED) as file:
        for name, data in members.items():
            about = ZipInfo(name, _DAWN)
            about.create_system = 3
            file.writestr(about, data)
    return buffer.getvalue()


def unzipped(content: bytes, most: int) -> dict[str, bytes]:
    """The inverse. InvalidInput for members that are packed, twice there, or more together than `most` bytes or than
    the file has: what is stored as it is cannot grow."""
    try:
        with ZipFile(io.BytesIO(content)) as file:
            members = file.infolist()
            if len(members) > _MOST_MEMBERS or len({each.filename for each in members}) < len(members):
                raise InvalidInput("a stored model has too many parts, or one of them twice")
            if any(each.compress_type != ZIP_STORED or each.file_size != each.compress_size for each in members):
                raise InvalidInput("a stored model has a part that is packed")
            if sum(each.file_size for each in members) > min(most, len(content)):
                raise InvalidInput("a stored model's parts are more than the whole")
            return {each.filename: file.read(each) for each in members}
    except (BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError, OSError) as reason:
        raise InvalidInput(f"a stored model cannot be read: {reason}"[:500]) from None


def booster_bytes(booster: Any) -> bytes:
    """XGBoost's own JSON."""
    return bytes(booster.save_raw("json"))


def booster_of(content: bytes) -> Any:
    """The inverse. InvalidInput for what XGBoost does not take for a model."""
    import xgboost

    _check_json(content)
    try:
        return xgboost.Booster({"nthread": 1, "verbosity": 0}, model_file=bytearray(content))
    except xgboost.core.XGBoostError as reason:
        raise InvalidInput(f"a stored booster cannot be read: {reason}"[:500]) from None


def xgboost_estimator(name: str, parameters: dict[str, Any], content: bytes | None) -> Any:
    """XGBClassifier or XGBRegressor with these parameters and what it learned, if anything."""
    import xgboost

    if name not in ("XGBClassifier", "XGBRegressor"):
        raise InvalidInput(f"a stored model asks for {name!r}"[:200])
    made = getattr(xgboost, name)(**{**parameters, "n_jobs": 1})
    if content is not None:
        _check_json(content)
        try:
            made.load_model(bytearray(content))
        except (xgboost.core.XGBoostError, TypeError) as reason:
            raise InvalidInput(f"a stored model cannot be read: {reason}"[:500]) from None
        # Reading a model sets some of them to what it found.
        made.set_params(**parameters)
    return made


def _check_json(content: bytes) -> None:
    if not content.startswith(b"{"):
        raise InvalidInput("a stored booster is not in JSON")
