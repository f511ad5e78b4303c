"""The ledgers over HTTP: newest first, each record once."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from omc.ledger.shelf import SCHEMAS, MemoryShelf, Place, Record
from serve_apps.gateway.app import build

PATH = "/api/v1/data/ledgers"
NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
_TIMES = {"event_at": NOON, "published_at": None, "revision": 1, "source": "somebody", "source_id": "x"}
_SAMPLES = {
    "glass": _TIMES | {"protocol": "aave", "chain": "", "metric": "tvl", "value": 1.5},
    "human": _TIMES
    | {"kind": "news", "title": "=Up", "url": None, "coins": ("BTC", "ETH"), "sentiment_score": None}
    | {"sentiment_label": "bullish"},
    "catalyst": _TIMES | {"type": "listing", "priority": "high", "title": "Up", "url": None, "coins": ()},
    "exchange": _TIMES
    | {"coin": "BTC", "bid": Decimal("1.00000000"), "ask": Decimal("2.00000001"), "last": Decimal(2)},
}


def record(ledger, minute, name="a"):
    time = NOON + timedelta(minutes=minute)
    values = _SAMPLES[ledger] | {"observed_at": time}
    return Record(Place(time, name), {column: values[column] for column in SCHEMAS[ledger]})


@pytest.fixture
def shelf():
    # Three of each moment, so that pages end between them.
    times = [(minute, name) for minute in range(15) for name in "abc"]
    return MemoryShelf({ledger: [record(ledger, *each) for each in times] for ledger in SCHEMAS})


@pytest.fixture
def app(ports, shelf):
    return build(replace(ports, ledgers=shelf))


@pytest.mark.parametrize("ledger", list(SCHEMAS))
async def test_pages_cursor_csv_and_arrow_give_each_record_once_and_the_newest_first(caller, ledger):
    path = f"{PATH}/{ledger}"
    first = (await caller.get(path, per_page=7)).json()
    assert (first["total"], first["pages"], first["counted_whole"]) == (45, 7, True)
    by_page = [item for n in range(1, 8) for item in (await caller.get(path, per_page=7, page=n)).json()["items"]]
    items, page = list(first["items"]), first
    while page["next_cursor"]:
        page = (await caller.get(path, per_page=7, cursor=page["next_cursor"])).json()
        items += page["items"]
    assert page["page"] == 7
    assert items == by_page
    observed = [item["observed_at"] for item in items]
    assert (len(items), observed) == (45, sorted(observed, reverse=True))
    assert set(items[0]) == set(SCHEMAS[ledger])

    rows = list(csv.DictReader(io.StringIO((await caller.get(path, format="csv")).text, newline="")))
    assert [row["observed_at"] for row in rows] == observed
    packed = (await caller.get(path, format="arrow")).content
    told = pa.ipc.open_stream(packed).read_all().to_pylist()
    assert [row["observed_at"].isoformat().replace("+00:00", "Z") for row in told] == observed
    assert list(told[0]) == list(rows[0]) == list(SCHEMAS[ledger])


async def test_records_are_found_by_what_they_are_about_and_by_when_they_were_observed(caller):
    for ledger, query, found in (
        ("glass", {"protocol": "aave"}, 45),
        ("glass", {"protocol": "lido"}, 0),
        ("human", {"coin": "eth"}, 45),
        ("catalyst", {"coin": "ETH"}, 0),
        ("exchange", {"coin": "BTC", "source": "somebody"}, 45),
        ("exchange", {"source": "nobody"}, 0),
        ("human", {"start": "2025-06-01T12:01:00Z", "end": "2025-06-01T12:02:00Z"}, 6),
    ):
        assert (await caller.get(f"{PATH}/{ledger}", **query)).json()["total"] == found


async def test_a_cursor_goes_on_where_it_was_though_records_come_in(caller, shelf):
    first = (await caller.get(f"{PATH}/human", per_page=10)).json()
    shelf.records["human"].append(record("human", 99))
    second = (await caller.get(f"{PATH}/human", per_page=10, cursor=first["next_cursor"])).json()
    assert second["items"][0]["observed_at"] <= first["items"][-1]["observed_at"]
    assert (second["total"], second["page"]) == (45, 2)


async def test_what_the_asker_has_is_not_sent_again_until_something_is_added(caller, shelf):
    answer = await caller.get(f"{PATH}/catalyst")
    held = {"If-None-Match": answer.headers["etag"]}
    assert (await caller.ask("GET", f"{PATH}/catalyst", headers=held)).status_code == 304
    shelf.records["catalyst"].append(record("catalyst", 1, "d"))
    assert (await caller.ask("GET", f"{PATH}/catalyst", headers=held)).status_code == 200


async def test_what_is_too_much_to_count_is_reached_by_cursor(caller, shelf):
    shelf.records["glass"] = [record("glass", minute) for minute in range(10_050)]
    page = (await caller.get(f"{PATH}/glass", per_page=200, page=50)).json()
    assert (page["total"], page["pages"], page["counted_whole"], len(page["items"])) == (10_000, 50, False, 200)
    page = (await caller.get(f"{PATH}/glass", per_page=200, cursor=page["next_cursor"])).json()
    assert (page["page"], len(page["items"]), page["next_cursor"]) == (51, 50, None)
    assert (await caller.get(f"{PATH}/glass", per_page=200, page=51)).json()["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        {"protocol": "aave"},
        {"coin": "B-T"},
        {"start": "2025-06-02", "end": "2025-06-01"},
        {"cursor": "rubbish"},
        {"per_page": 0},
        {"format": "csv", "page": 2},
        {"source": ""},
    ],
    ids=str,
)
async def test_a_question_that_makes_no_sense_is_refused(caller, refused, query):
    refused(await caller.get(f"{PATH}/human", **query), 422, "VALIDATION_ERROR")


async def test_a_cursor_goes_with_its_own_ledger_alone(caller, refused):
    cursor = (await caller.get(f"{PATH}/human", per_page=10)).json()["next_cursor"]
    refused(await caller.get(f"{PATH}/catalyst", per_page=10, cursor=cursor), 422, "VALIDATION_ERROR")
    refused(await caller.get(f"{PATH}/nothing"), 404, "NOT_FOUND")
