"""Somebody else's things are not there: every path of the document that takes an id, asked by another account with
every id that its owner has, by every method.

Made from the document, so that a new path is tried as soon as it is there; a new kind of id fails here until
`belongings.py` says how its owner comes by one.
"""

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from serve_apps.openapi import operations
from tests.serve_apps.belongings import API, Account, Belongings, account
from tests.serve_apps.one_process import OneProcess, one_process

pytestmark = pytest.mark.postgres

# They name no thing of anybody's: a coin, a ledger or a venue is the same for everybody.
_EVERYBODYS = {"coin": "BTC", "ledger": "exchange", "venue": "coinspot"}
PUBLIC = frozenset(_EVERYBODYS)


@dataclass
class Two:
    platform: OneProcess
    owner: Account
    other: Account
    ids: Mapping[str, str]

    @property
    def asked(self) -> list[tuple[str, str, dict[str, Any]]]:
        """Method, path and description of whatever takes the id of a thing that somebody owns."""
        return [
            (method, path, operation)
            for method, path, operation in operations(self.platform.document)
            if set(parameters(path)) - PUBLIC
        ]


@pytest.fixture(scope="module")
async def two(postgres_template, database, tmp_path_factory) -> AsyncIterator[Two]:
    async with (
        one_process(tmp_path_factory.mktemp("two"), database.dsn_file) as platform,
        httpx.AsyncClient(transport=httpx.ASGITransport(platform.app), base_url="http://omc", timeout=60) as http,
    ):
        owner, other = await account(http, "owner@example.com"), await account(http, "other@example.com")
        belongings = Belongings(platform, owner)
        await belongings.make()
        yield Two(platform, owner, other, belongings.ids)


def parameters(path: str) -> list[str]:
    return re.findall(r"\{(\w+)[^}]*\}", path)


def named(path: str, ids: Mapping[str, str]) -> str:
    return re.sub(
        r"\{(\w+)[^}]*\}", lambda found: ids.get(found[1], _EVERYBODYS.get(found[1], "BTC")), path
    ).removeprefix(API)


def body_of(operation: Mapping[str, Any]) -> Any:
    return operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("example")


def query_of(operation: Mapping[str, Any]) -> dict[str, Any]:
    """What must be asked along."""
    needed = [each for each in operation.get("parameters", []) if each["in"] == "query" and each.get("required")]
    return {each["name"]: each["schema"].get("examples", ["BTC"])[0] for each in needed}


async def test_the_owner_has_one_of_everything_that_a_path_asks_for(two):
    wanted = {name for _, path, _ in two.asked for name in parameters(path)} - PUBLIC
    assert sorted(wanted - two.ids.keys()) == [], "say in belongings.py how an account comes by one"
    assert len(two.asked) >= 55


async def test_its_owner_finds_each_of_them(two):
    lost = {}
    for method, path, operation in two.asked:
        if method == "GET" and not is_superusers(operation):
            answer = await two.owner.ask(method, named(path, two.ids), **query_of(operation))
            if answer.status_code >= 400 and answer.status_code != 409:
                lost[path] = answer.text
    assert lost == {}


async def test_nobody_else_finds_any_of_them_by_any_method(two):
    found = {}
    for method, path, operation in two.asked:
        answer = await two.other.ask(method, named(path, two.ids), body_of(operation), **query_of(operation))
        said = (answer.status_code, answer.json().get("error", {}).get("code"))
        expected = (403, "FORBIDDEN") if is_superusers(operation) else (404, "NOT_FOUND")
        if said != expected and not is_ones_own(path):
            found[f"{method} {path}"] = answer.text
    assert found == {}


async def test_what_is_named_in_a_query_or_a_body_is_not_found_either(two):
    found = {}
    for method, path, operation in operations(two.platform.document):
        for each in operation.get("parameters", []):
            if each["in"] == "query" and each["name"] in two.ids and not is_superusers(operation):
                asked = {**query_of(operation), each["name"]: two.ids[each["name"]]}
                answer = await two.other.ask(method, named(path, two.ids), body_of(operation), **asked)
                if answer.status_code != 404:
                    found[f"{method} {path}?{each['name']}"] = answer.text
        body = body_of(operation)
        theirs = {name: two.ids[name] for name in (body or {}) if name.endswith("_id") and name in two.ids}
        if theirs:
            answer = await two.other.ask(method, named(path, two.ids), {**body, **theirs})
            if answer.status_code != 404:
                found[f"{method} {path} {theirs}"] = answer.text
    assert found == {}


async def test_the_owner_has_lost_nothing_by_it(two):
    for thing, path in (
        ("algorithm_id", "/lab/algorithms/"),
        ("backtest_id", "/lab/backtests/"),
        ("sweep_id", "/lab/sweeps/"),
        ("model_id", "/lab/models/"),
        ("deployment_id", "/floor/deployments/"),
        ("order_id", "/floor/orders/"),
    ):
        assert (await two.owner.ask("GET", path + two.ids[thing])).status_code == 200
    assert (await two.owner.made("GET", f"/floor/deployments/{two.ids['deployment_id']}"))["status"] == "active"


def is_superusers(operation: Mapping[str, Any]) -> bool:
    return bool(operation.get("x-superuser"))


def is_ones_own(path: str) -> bool:
    """A key is asked for by the name of its exchange: whoever asks is asked about a key of their own."""
    return path.startswith(f"{API}/credentials/")
