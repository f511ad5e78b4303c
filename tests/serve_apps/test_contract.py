"""Every row of the contract, asked of the whole platform: what it answers, in which shape, and how it refuses.

What the document describes and no row asks for fails here, and so does a row that nothing answers.
"""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import pytest

from serve_apps.openapi import operations
from tests.serve_apps.belongings import API, Account, Belongings, account
from tests.serve_apps.one_process import OneProcess, one_process
from tests.serve_apps.test_two_accounts import named, query_of

pytestmark = pytest.mark.postgres

# Rows of the contract by app: method and path, with `{}` for whatever is named.
_GATEWAY = """
GET /health
GET /ready
POST /auth/login
POST /auth/refresh
POST /auth/logout
POST /users/register
GET /users/profile
PUT /users/profile
PUT /users/password
DELETE /users/profile
GET /users
GET /users/{}
PATCH /users/{}
DELETE /users/{}
POST /credentials/coinspot
GET /credentials/coinspot
PUT /credentials/coinspot
DELETE /credentials/coinspot
POST /credentials/coinspot/validate
POST /credentials/exchanges/{}
GET /credentials/exchanges/{}
PUT /credentials/exchanges/{}
DELETE /credentials/exchanges/{}
POST /credentials/exchanges/{}/validate
POST /credentials/llm/{}
GET /credentials/llm/{}
PUT /credentials/llm/{}
DELETE /credentials/llm/{}
POST /credentials/llm/{}/validate
GET /data/prices
GET /data/prices/latest
GET /data/coins
GET /data/metrics/{}
GET /data/ledgers/{}
GET /collectors
GET /collectors/{}
POST /collectors/{}/trigger
POST /collectors/{}/pause
POST /collectors/{}/resume
GET /audit
"""
_LAB = """
POST /lab/algorithms
GET /lab/algorithms
GET /lab/algorithms/{}
PUT /lab/algorithms/{}
DELETE /lab/algorithms/{}
GET /lab/algorithms/{}/versions
GET /lab/algorithms/{}/versions/{}
POST /lab/algorithms/{}/versions/{}/restore
POST /lab/algorithms/{}/validate
POST /lab/algorithms/{}/backtest
GET /lab/algorithms/{}/backtests
GET /lab/backtests/{}
DELETE /lab/backtests/{}
GET /lab/backtests/{}/trades
GET /lab/backtests/{}/equity
GET /lab/backtests/{}/report
POST /lab/algorithms/{}/sweeps
GET /lab/sweeps
GET /lab/sweeps/{}
POST /lab/sweeps/{}/cancel
POST /lab/sweeps/{}/resume
GET /lab/sweeps/{}/results
POST /lab/algorithms/{}/promote
GET /lab/templates
GET /lab/data/historical
"""
_FLOOR = """
GET /floor/available-algorithms
POST /floor/deploy
GET /floor/deployments
GET /floor/deployments/{}
POST /floor/algorithms/{}/activate
POST /floor/algorithms/{}/pause
POST /floor/algorithms/{}/deactivate
PUT /floor/algorithms/{}/parameters
GET /floor/algorithms/{}/status
GET /floor/algorithms/{}/performance
GET /floor/algorithms/{}/trades
GET /floor/algorithms/{}/orders
GET /floor/algorithms/{}/decisions
GET /floor/pnl/summary
GET /floor/pnl/by-algorithm
GET /floor/pnl/by-coin
GET /floor/positions
GET /floor/orders
GET /floor/trades
POST /floor/orders/{}/cancel
GET /floor/risk/limits
PUT /floor/risk/limits
GET /floor/risk/status
GET /floor/risk/events
POST /floor/emergency-stop
POST /floor/emergency-stop/reset
GET /floor/reconciliation
"""
# What the platform answers beyond the contract.
_BEYOND = """
GET /credentials
GET /floor/algorithms/{}/equity
GET /floor/algorithms/{}/parity
GET /floor/algorithms/{}/parity/trades
GET /floor/algorithms/{}/positions
GET /floor/algorithms/{}/report
GET /floor/daily
POST /floor/forceexit
GET /floor/locks
DELETE /floor/locks/{}
GET /floor/monthly
GET /floor/orders/{}
POST /floor/orders/{}/replace
GET /floor/orders/{}/slices
GET /floor/performance
GET /floor/pnl/by-day
GET /floor/pnl/by-deployment
GET /floor/pnl/disposals
GET /floor/profit
POST /floor/reconciliation/accept
POST /floor/reconciliation/{}/resolve
GET /floor/status
POST /floor/stopentry
GET /floor/venues
GET /floor/venues/{}
GET /floor/weekly
GET /internal/collector/last-run
GET /internal/collector/status
POST /internal/collector/trigger
GET /lab/algorithms/{}/description
GET /lab/algorithms/{}/models
POST /lab/algorithms/{}/models
GET /lab/algorithms/{}/promotion
DELETE /lab/models/{}
GET /lab/models/{}
GET /lab/quota
GET /lab/sweeps/{}/report
GET /lab/sweeps/{}/verdict
DELETE /users/second-factor
GET /users/second-factor
POST /users/second-factor
POST /users/second-factor/confirm
POST /users/tokens
DELETE /users/tokens/{}
"""
CONTRACT = [row for app in (_GATEWAY, _LAB, _FLOOR) for row in app.split("\n") if row]
# Asked before anybody is signed in.
OPEN = frozenset(
    {"GET /health", "GET /ready", "POST /auth/login", "POST /auth/refresh", "POST /users/register"},
)
CREATED, ACCEPTED = 201, 202
# What answers with another status than 200 when all is well.
STATUS = {
    "POST /users/register": CREATED,
    "POST /credentials/coinspot": CREATED,
    "POST /credentials/exchanges/{}": CREATED,
    "POST /credentials/llm/{}": CREATED,
    "POST /lab/algorithms": CREATED,
    "POST /lab/algorithms/{}/backtest": ACCEPTED,
    "POST /lab/algorithms/{}/sweeps": ACCEPTED,
    "POST /lab/sweeps/{}/resume": ACCEPTED,
    "POST /floor/deploy": CREATED,
}


@dataclass
class Whole:
    platform: OneProcess
    owner: Account
    ids: dict[str, str]

    @property
    def rows(self) -> dict[str, tuple[str, str, dict[str, Any]]]:
        """Every operation of the document by its row."""
        return {
            f"{method} {re.sub('{[^}]*}', '{}', path.removeprefix(API))}": (method, path, operation)
            for method, path, operation in operations(self.platform.document)
        }


@pytest.fixture(scope="module")
async def whole(postgres_template, database, tmp_path_factory) -> AsyncIterator[Whole]:
    async with (
        one_process(tmp_path_factory.mktemp("contract"), database.dsn_file) as platform,
        httpx.AsyncClient(transport=httpx.ASGITransport(platform.app), base_url="http://omc", timeout=60) as http,
    ):
        owner = await account(http, "trader@example.com")
        belongings = Belongings(platform, owner)
        await belongings.make()
        yield Whole(platform, owner, belongings.ids)


async def test_every_row_of_the_contract_is_there(whole):
    assert [row for row in CONTRACT if row not in whole.rows and not _is_one_of_several(row, whole.rows)] == []


async def test_nothing_is_answered_that_is_in_no_table(whole):
    known = {*CONTRACT, *_BEYOND.split("\n")}
    new = [row for row in whole.rows if row not in known and not _is_named_by_kind(row)]
    assert new == [], "say in a table above that it is meant"


async def test_every_row_says_with_which_status_it_answers(whole):
    told = {
        row: sorted(status for status in operation["responses"] if status.startswith("2"))[0]
        for row, (_, _, operation) in whole.rows.items()
        if row in CONTRACT
    }
    assert {row: status for row, status in told.items() if status != str(STATUS.get(row, 200))} == {}


async def test_every_read_answers_its_owner_in_its_shape(whole):
    wrong = {}
    for row, (method, path, operation) in whole.rows.items():
        if method != "GET" or operation.get("x-superuser"):
            continue
        answer = await whole.owner.ask(method, named(path, whole.ids), **query_of(operation))
        if answer.status_code != 200 or not answer.headers.get("x-request-id"):
            wrong[row] = answer.text[:200]
        elif "json" in answer.headers["content-type"]:
            body = answer.json()
            page = {"items", "total", "page", "per_page", "pages"}
            if not (set(body) >= {"status", "data", "message"} or set(body) >= page):
                wrong[row] = answer.text[:200]
    assert {row: said for row, said in wrong.items() if "CONFLICT" not in said} == {}


async def test_everything_but_the_front_steps_is_closed_without_a_token(whole):
    nobody = Account(whole.owner.http, "nobody@example.com")
    opened = {}
    for row, (method, path, operation) in whole.rows.items():
        answer = await nobody.ask(method, named(path, whole.ids), {}, **query_of(operation))
        if (answer.status_code == 401 and answer.json()["error"]["code"] == "UNAUTHENTICATED") == (row in OPEN):
            opened[row] = answer.text[:200]
    assert {row: said for row, said in opened.items() if row in CONTRACT} == {}


async def test_what_is_not_there_is_not_found_and_what_is_no_id_is_refused(whole):
    wrong = {}
    for row, (method, path, operation) in whole.rows.items():
        if method != "GET" or not re.search(r"\{\w+_id\}", path) or operation.get("x-superuser"):
            continue
        for given, status, code in ((str(uuid4()), 404, "NOT_FOUND"), ("no-id", 422, "VALIDATION_ERROR")):
            answer = await whole.owner.ask(method, named(path, dict.fromkeys(whole.ids, given)), **query_of(operation))
            if row in CONTRACT and "{number}" not in path and answer.status_code != status:
                wrong[f"{row} {given}"] = (code, answer.text[:200])
    assert wrong == {}


async def test_every_body_refuses_a_field_that_it_does_not_know(whole):
    wrong = {}
    for row, (method, path, operation) in whole.rows.items():
        if "requestBody" not in operation or operation.get("x-superuser"):
            continue
        answer = await whole.owner.ask(method, named(path, whole.ids), {"no_such_field": 1})
        if answer.status_code != 422 or answer.json()["error"]["code"] != "VALIDATION_ERROR":
            wrong[row] = answer.text[:200]
    assert wrong == {}


async def test_every_list_counts_its_pages_and_refuses_one_that_cannot_be(whole):
    wrong = {}
    for row, (method, path, operation) in whole.rows.items():
        if not any(each["name"] == "per_page" for each in operation.get("parameters", [])):
            continue
        if operation.get("x-superuser"):
            continue
        for page in ("0", "x", "-1"):
            where = named(path, whole.ids)
            answer = await whole.owner.ask(method, where, **{**query_of(operation), "page": page})
            if answer.status_code != 422:
                wrong[f"{row}?page={page}"] = answer.text[:200]
    assert wrong == {}


def _is_one_of_several(row: str, rows: dict[str, Any]) -> bool:
    """A path that names its kinds one by one answers for all of them."""
    pattern = re.compile(re.escape(row).replace(re.escape("{}"), "[a-z]+"))
    return any(pattern.fullmatch(each) for each in rows)


def _is_named_by_kind(row: str) -> bool:
    """Whether a row of the contract answers for it, with its kind as a name."""
    return any(re.fullmatch(re.escape(each).replace(re.escape("{}"), "[a-z]+"), row) for each in CONTRACT)
