"""One document describes the three apps."""

import re
from dataclasses import fields
from types import SimpleNamespace

import jsonschema
import pytest

from serve_apps.floor import app as floor
from serve_apps.gateway.app import build
from serve_apps.lab import app as lab
from serve_apps.precedence import OPEN, PROBES

# Rows of the contract that this version answers.
_TABLE = """
GET /api/v1/health
GET /api/v1/ready
POST /api/v1/auth/login
POST /api/v1/auth/refresh
POST /api/v1/auth/logout
POST /api/v1/users/register
GET /api/v1/users/profile
PUT /api/v1/users/profile
PUT /api/v1/users/password
POST /api/v1/credentials/coinspot
GET /api/v1/credentials/coinspot
PUT /api/v1/credentials/coinspot
DELETE /api/v1/credentials/coinspot
POST /api/v1/credentials/coinspot/validate
POST /api/v1/credentials/exchanges/{}
GET /api/v1/credentials/exchanges/{}
PUT /api/v1/credentials/exchanges/{}
DELETE /api/v1/credentials/exchanges/{}
POST /api/v1/credentials/exchanges/{}/validate
POST /api/v1/credentials/llm/{}
GET /api/v1/credentials/llm/{}
PUT /api/v1/credentials/llm/{}
DELETE /api/v1/credentials/llm/{}
POST /api/v1/credentials/llm/{}/validate
GET /api/v1/data/prices
GET /api/v1/data/prices/latest
GET /api/v1/audit
GET /api/v1/data/coins
GET /api/v1/data/metrics/{}
GET /api/v1/data/ledgers/glass
GET /api/v1/data/ledgers/human
GET /api/v1/data/ledgers/catalyst
GET /api/v1/data/ledgers/exchange
GET /api/v1/collectors
GET /api/v1/collectors/{}
POST /api/v1/collectors/{}/trigger
POST /api/v1/collectors/{}/pause
POST /api/v1/collectors/{}/resume
POST /api/v1/internal/collector/trigger
GET /api/v1/internal/collector/status
GET /api/v1/internal/collector/last-run
POST /api/v1/lab/algorithms
GET /api/v1/lab/algorithms
GET /api/v1/lab/algorithms/{}
PUT /api/v1/lab/algorithms/{}
DELETE /api/v1/lab/algorithms/{}
GET /api/v1/lab/algorithms/{}/versions
GET /api/v1/lab/algorithms/{}/versions/{}
POST /api/v1/lab/algorithms/{}/versions/{}/restore
POST /api/v1/lab/algorithms/{}/validate
POST /api/v1/lab/algorithms/{}/backtest
GET /api/v1/lab/algorithms/{}/backtests
GET /api/v1/lab/backtests/{}
DELETE /api/v1/lab/backtests/{}
GET /api/v1/lab/backtests/{}/trades
GET /api/v1/lab/backtests/{}/equity
GET /api/v1/lab/backtests/{}/report
POST /api/v1/lab/algorithms/{}/sweeps
GET /api/v1/lab/sweeps
GET /api/v1/lab/sweeps/{}
POST /api/v1/lab/sweeps/{}/cancel
GET /api/v1/lab/sweeps/{}/results
POST /api/v1/lab/algorithms/{}/promote
GET /api/v1/lab/templates
GET /api/v1/lab/data/historical
GET /api/v1/floor/available-algorithms
POST /api/v1/floor/deploy
GET /api/v1/floor/deployments
GET /api/v1/floor/deployments/{}
POST /api/v1/floor/algorithms/{}/activate
POST /api/v1/floor/algorithms/{}/pause
POST /api/v1/floor/algorithms/{}/deactivate
GET /api/v1/floor/algorithms/{}/status
GET /api/v1/floor/algorithms/{}/performance
GET /api/v1/floor/algorithms/{}/report
GET /api/v1/floor/algorithms/{}/trades
GET /api/v1/floor/algorithms/{}/orders
GET /api/v1/floor/algorithms/{}/decisions
GET /api/v1/floor/pnl/summary
GET /api/v1/floor/pnl/by-algorithm
GET /api/v1/floor/pnl/by-coin
GET /api/v1/floor/positions
GET /api/v1/floor/orders
GET /api/v1/floor/trades
GET /api/v1/floor/risk/limits
GET /api/v1/floor/risk/status
POST /api/v1/floor/emergency-stop
POST /api/v1/floor/emergency-stop/reset
GET /api/v1/floor/reconciliation
"""
CONTRACT = [row for row in _TABLE.splitlines() if row]
WITHOUT_A_TOKEN = {
    "GET /api/v1/health",
    "GET /api/v1/ready",
    "POST /api/v1/auth/login",
    "POST /api/v1/auth/refresh",
    "POST /api/v1/users/register",
}


@pytest.fixture
def whole(ports, signer, clock, archive):
    """The gateway with its siblings, which are built over nothing: describing them asks none of their ports."""
    nothing = SimpleNamespace(requests=None, **{each.name: getattr(ports, each.name) for each in fields(ports)})
    return build(ports, {lab.PREFIX: lambda: lab.build(nothing), floor.PREFIX: lambda: floor.build(nothing)})


@pytest.fixture
async def document(whole, calling):
    answer = await calling(whole, signed_in=False).get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def operations(document) -> dict[str, dict]:
    return {
        f"{method.upper()} {re.sub('{[^}]*}', '{}', path)}": operation
        for path, verbs in document["paths"].items()
        for method, operation in verbs.items()
    }


def test_every_row_of_the_contract_is_described(document):
    assert [row for row in CONTRACT if row not in operations(document)] == []


def test_everything_but_the_front_steps_asks_for_a_token(document):
    free = {name for name, operation in operations(document).items() if not operation.get("security")}
    assert free == WITHOUT_A_TOKEN
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_what_asks_for_no_token_is_known_to_the_limits(document):
    """A token that comes along there must not defer the look at an address."""
    free = {path for path, ways in document["paths"].items() for each in ways.values() if not each.get("security")}
    assert free <= OPEN | PROBES


def test_whatever_takes_a_token_says_what_a_program_needs_for_it(document):
    described = operations(document)
    assert {name for name, each in described.items() if "x-scope" not in each} == WITHOUT_A_TOKEN
    for operation in described.values():
        match operation.get("x-scope"):
            case "read" | "lab" | "trade" as scope:
                assert operation["description"].endswith(f"A program's token needs the scope `{scope}`.")
            case "person":
                assert operation["description"].endswith("who are signed in: no program's token suffices.")


@pytest.mark.parametrize(
    ("name", "scope"),
    [
        ("GET /api/v1/users/profile", "person"),
        ("POST /api/v1/credentials/coinspot", "person"),
        ("GET /api/v1/data/prices", "read"),
        ("GET /api/v1/lab/algorithms", "read"),
        ("POST /api/v1/lab/algorithms", "lab"),
        ("GET /api/v1/floor/positions", "read"),
        ("POST /api/v1/floor/deploy", "trade"),
    ],
)
def test_the_scope_of(document, name, scope):
    assert operations(document)[name]["x-scope"] == scope


def test_what_is_for_superusers_says_so(document):
    guarded = [each for each in operations(document).values() if each.get("x-superuser")]
    assert guarded
    for operation in guarded:
        assert operation["x-scope"] == "person"
        assert "For superusers who are signed in" in operation["description"]


def test_every_operation_has_its_own_name_and_says_what_it_does(document):
    described = operations(document)
    names = [operation["operationId"] for operation in described.values()]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", name)] == []
    assert [name for name, operation in described.items() if not operation.get("description")] == []
    assert [name for name, operation in described.items() if not operation["summary"]] == []


def test_every_tag_is_described(document):
    assert [tag["name"] for tag in document["tags"] if not tag.get("description")] == []


def test_every_operation_says_which_errors_it_can_answer_with(document):
    for name, operation in operations(document).items():
        assert {"429", "500", "503"} <= operation["responses"].keys(), name
        assert ("401" in operation["responses"]) >= bool(operation.get("security")), name
        assert ("404" in operation["responses"]) >= ("{}" in name), name
        assert ("413" in operation["responses"]) >= ("requestBody" in operation), name
        assert "default" not in operation["responses"]


def test_errors_have_one_shape_and_the_codes_of_their_status(document):
    for response in document["components"]["responses"].values():
        failure, only = response["content"]["application/json"]["schema"]["allOf"]
        assert failure == {"$ref": "#/components/schemas/Failure"}
        codes = only["properties"]["error"]["properties"]["code"]["enum"]
        every = document["components"]["schemas"]["ErrorBody"]["properties"]["code"]["enum"]
        assert set(codes) <= set(every)


def test_every_body_and_every_answer_has_an_example_that_its_own_schema_takes(document):
    for name, operation in operations(document).items():
        holders = [operation.get("requestBody", {}), *operation["responses"].values()]
        for content in [each["content"] for each in holders if "content" in each]:
            for kind in content.keys() & {"application/json"}:
                schema = {**content[kind]["schema"], "components": document["components"]}
                validator = jsonschema.Draft202012Validator(schema)
                found = [error.message for error in validator.iter_errors(content[kind]["example"])]
                assert found == [], name
                assert "application/json" in content


def test_whatever_can_be_asked_for_in_several_forms_describes_each(document):
    media = {"json": "application/json", "csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
    media["arrow"] = "application/vnd.apache.arrow.stream"
    found = {}
    for name, operation in operations(document).items():
        for parameter in operation.get("parameters", []):
            schemas = parameter["schema"].get("anyOf", [parameter["schema"]])
            forms = [form for schema in schemas for form in schema.get("enum", [])]
            if parameter["name"] == "format":
                found[name] = forms
                assert operation["responses"]["200"]["content"].keys() == {media[form] for form in forms}, name
    assert {name for name, forms in found.items() if "parquet" in forms} == {
        "GET /api/v1/lab/backtests/{}/equity",
        "GET /api/v1/lab/backtests/{}/trades",
        "GET /api/v1/lab/sweeps/{}/results",
    }


def test_every_reference_leads_somewhere(document):
    schemas = document["components"]["schemas"]
    references = set(re.findall(r"'#/components/schemas/([^']+)'", repr(document)))
    assert references - set(schemas) == set()
    assert document["openapi"].startswith("3.1")


def test_money_is_described_as_text_and_bodies_as_closed(document):
    schemas = document["components"]["schemas"]
    assert schemas["TradeOut"]["properties"]["total_aud"]["type"] == "string"
    for name in ("DeployIn", "SweepIn", "AlgorithmIn", "Registration", "StopIn"):
        assert schemas[name]["additionalProperties"] is False


@pytest.mark.parametrize("page", ["docs", "redoc"])
async def test_a_page_shows_the_document_and_loads_nothing_from_anywhere_else(whole, calling, page):
    nobody = calling(whole, signed_in=False)
    answer = await nobody.get(f"/api/v1/{page}")
    assert answer.status_code == 200
    assert "://" not in answer.text
    assert "script-src 'self';" in answer.headers["content-security-policy"]
    loaded = re.findall(r'(?:src|href)="([^"]+)"', answer.text)
    found = [await nobody.get(each) for each in loaded]
    assert {each.status_code for each in found} == {200}
    assert any("/api/v1/openapi.json" in each.text for each in found if len(each.content) < 1_000)
    assert (await nobody.get("/api/v1/pages/../app.py")).status_code == 404


async def test_paths_of_the_siblings_are_not_answered_here(whole, calling, refused):
    refused(await calling(whole).get("/api/v1/lab/templates"), 404, "NOT_FOUND")


async def test_a_path_says_which_methods_it_takes(whole, calling, refused):
    answer = await calling(whole).ask("OPTIONS", "/api/v1/credentials/coinspot")
    refused(answer, 405, "NOT_FOUND")
    assert answer.headers["allow"] == "DELETE, GET, POST, PUT"


async def test_whatever_changes_the_floor_and_every_sweep_takes_a_key(document):
    asked = [
        (method.upper(), path, each) for path, verbs in document["paths"].items() for method, each in verbs.items()
    ]
    takes = {
        (method, path)
        for method, path, each in asked
        if any(given["name"] == "Idempotency-Key" for given in each.get("parameters", ()))
    }
    on_the_floor = {
        (method, path) for method, path, _ in asked if path.startswith(f"{floor.PREFIX}/") and method in ("POST", "PUT")
    }
    assert on_the_floor - takes == set()
    sweeps = f"{lab.PREFIX}/sweeps/{{sweep_id}}"
    assert {("POST", f"{sweeps}/cancel"), ("POST", f"{sweeps}/resume")} <= takes
