"""What schemathesis is told of the platform that it tries: who it is, what there is, and which days have prices.

Loaded by schemathesis in an environment of its own, so it imports nothing of the product. What is generated is bent
only where it is valid already: half of all ids become those of things that are there, and days move to where a backtest
of them is short. Keys of repetition are left out, because a key that two operations draw is a conflict by right.
"""

import json
import os
import re
from typing import Any

import schemathesis

_KNOWN: dict[str, str] = json.loads(os.environ.get("OMC_FUZZ_IDS", "{}"))
_DAYS: list[str] = json.loads(os.environ.get("OMC_FUZZ_DAYS", "[]"))
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ].*)?")
_DATES = frozenset({"start", "end", "start_date", "end_date"})


def _bent(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in _KNOWN and _UUID.fullmatch(value) and int(value[-1], 16) % 2:
        return _KNOWN[name]
    if _DAYS and name in _DATES and _DAY.fullmatch(value):
        day = _DAYS[0] if name.startswith("start") else _DAYS[-1]
        return day + value[10:]
    return value


def _all_bent(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _bent(name, value) for name, value in found.items()}
    return found


@schemathesis.hook
def map_path_parameters(ctx: Any, path_parameters: Any) -> Any:
    return _all_bent(path_parameters)


@schemathesis.hook
def map_query(ctx: Any, query: Any) -> Any:
    return _all_bent(query)


@schemathesis.hook
def map_body(ctx: Any, body: Any) -> Any:
    return _all_bent(body)


@schemathesis.hook
def map_headers(ctx: Any, headers: Any) -> Any:
    if headers is None:
        return None
    return {name: value for name, value in headers.items() if name.lower() != "idempotency-key"}
