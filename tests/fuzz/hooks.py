"""What schemathesis is told of the platform that it tries: who it is, what there is, and which days have prices; and
what it notes of the answers.

Loaded by schemathesis in an environment of its own, so it imports nothing of the product. What is generated is bent
only where it is valid already: half of all ids become those of things that are there, and days move to where a backtest
of them is short. Every other valid request keeps one field of its own, and has the rest from the document's example: of
fields that are all drawn at once, one is refused almost always, and nothing behind the checks is ever asked. A key of
repetition becomes one that nobody had before: a key that two requests draw is a conflict by
right, or gets the answer of the first, whatever else is wrong with the second.
"""

import atexit
import itertools
import json
import os
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import requests
import schemathesis

_KNOWN: dict[str, str] = json.loads(os.environ.get("OMC_FUZZ_IDS", "{}"))
_DAYS: list[str] = json.loads(os.environ.get("OMC_FUZZ_DAYS", "[]"))
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}([Tt ].*)?")
_KEY = re.compile(r"[\x21-\x7e]([\x20-\x7e]{0,253}[\x21-\x7e])?")
_DATES = frozenset({"start", "end", "start_date", "end_date"})
_ANSWERS: defaultdict[str, Counter[str]] = defaultdict(Counter)
_SECONDS: Counter[str] = Counter()
_KEYS, _TURNS, _FIELDS = itertools.count(1), itertools.count(), itertools.count()


class SignedIn:
    """Who asks: one token, or a session that is renewed before its token runs out."""

    def __init__(self) -> None:
        self._access_token = os.environ["OMC_FUZZ_ACCESS_TOKEN"]
        self._refresh_token = os.environ["OMC_FUZZ_REFRESH_TOKEN"]

    def get(self, case: Any, ctx: Any) -> str:
        if self._refresh_token:
            url = f"{os.environ['OMC_FUZZ_URL']}/api/v1/auth/refresh"
            answer = requests.post(url, json={"refresh_token": self._refresh_token}, timeout=120)
            answer.raise_for_status()
            bought = answer.json()["data"]
            self._access_token, self._refresh_token = bought["access_token"], bought["refresh_token"]
        return self._access_token

    def set(self, case: Any, data: str, ctx: Any) -> None:
        case.headers["Authorization"] = f"Bearer {data}"


if "OMC_FUZZ_ACCESS_TOKEN" in os.environ:
    # A 401 is an answer to be checked, and no reason to come in again.
    schemathesis.auth(refresh_interval=300, retry_on=[])(SignedIn)


@schemathesis.check
def says_when_to_come_again(ctx: Any, response: Any, case: Any) -> None:
    if response.status_code in (429, 503):
        [said] = response.headers.get("retry-after", [""])
        assert re.fullmatch("[1-9][0-9]*", said), f"{response.status_code} with Retry-After: {said or 'nothing'}"


@schemathesis.hook
def before_call(ctx: Any, case: Any, kwargs: Any) -> None:
    if case.meta is not None and case.meta.generation.mode.is_positive and next(_TURNS) % 2:
        _keep_one_field(case)
    if _KEY.fullmatch(str(case.headers.get("Idempotency-Key", ""))):
        case.headers["Idempotency-Key"] = f"{os.getpid()}-{next(_KEYS)}"


@schemathesis.hook
def after_call(ctx: Any, case: Any, response: Any) -> None:
    _ANSWERS[case.operation.label][str(response.status_code)] += 1
    _SECONDS[case.operation.label] += response.elapsed


@atexit.register
def _note() -> None:
    Path(os.environ["OMC_FUZZ_NOTED"]).write_text(json.dumps({"answers": _ANSWERS, "seconds": _SECONDS}))


def _keep_one_field(case: Any) -> None:
    """Which one, goes round."""
    content = case.operation.definition.raw.get("requestBody", {}).get("content", {})
    example = content.get("application/json", {}).get("example")
    if not isinstance(example, dict) or not isinstance(case.body, dict):
        return
    works = {name: _bent(name, value, always=True) for name, value in example.items()}
    kept = sorted(case.body)[next(_FIELDS) % len(case.body)] if case.body else ""
    # The examples' passwords are nobody's, and would be counted as guesses of the owner's.
    case.body = works | {name: value for name, value in case.body.items() if name == kept or "password" in name}
    if case.method.upper() != "DELETE":
        case.path_parameters = {
            name: _bent(name, value, always=True) for name, value in (case.path_parameters or {}).items()
        }


def _bent(name: str, value: Any, *, always: bool = False) -> Any:
    if not isinstance(value, str):
        return value
    if name in _KNOWN and _UUID.fullmatch(value) and (always or int(value[-1], 16) % 2):
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
    # What was deleted would be missed by all who come later.
    return path_parameters if ctx.operation.method.upper() == "DELETE" else _all_bent(path_parameters)


@schemathesis.hook
def map_query(ctx: Any, query: Any) -> Any:
    return _all_bent(query)


@schemathesis.hook
def map_body(ctx: Any, body: Any) -> Any:
    return _all_bent(body)
