"""Every bar once, however it is asked for."""

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest

from omc.feature.frame import Frame
from omc.ledger.exchange import MemoryPriceArchive
from serve_apps.gateway.app import build

PATH = "/api/v1/data/prices"
ARROW = "application/vnd.apache.arrow.stream"
ALL = {"coin": "BTC", "start": "2020-01-01", "end": "2030-01-01"}


@pytest.fixture(scope="session")
def history(history: Frame) -> Frame:
    """With holes of all sizes, one of a day."""
    kept = np.random.default_rng(7).random(len(history)) < 0.7
    kept[100:400] = False
    kept[[0, -1]] = True
    return Frame(history.times[kept], history.coins, *(side[kept] for side in (history.bid, history.ask, history.last)))


async def pages(caller, **query):
    """All the items, by page numbers."""
    first = (await caller.get(PATH, **query)).json()
    numbers = range(2, first["pages"] + 1)
    return first["items"] + [
        item for page in numbers for item in (await caller.get(PATH, page=page, **query)).json()["items"]
    ]


async def by_cursor(caller, **query):
    """All the items, each page led to by the one before; and the numbers of the pages."""
    page = (await caller.get(PATH, **query)).json()
    items, numbers = page["items"], [page["page"]]
    while page["next_cursor"]:
        page = (await caller.get(PATH, cursor=page["next_cursor"], **query)).json()
        items += page["items"]
        numbers.append(page["page"])
    return items, numbers


@pytest.mark.parametrize("interval", ["5m", "15m", "1h", "4h", "1d"])
@pytest.mark.parametrize("per_page", [1, 7, 200])
async def test_pages_cursor_csv_and_arrow_give_the_same_bars_each_once(caller, interval, per_page):
    query = ALL | {"interval": interval}
    if interval == "5m" and per_page == 1:
        query |= {"start": "2025-06-08T20:00:00Z", "end": "2025-06-09T01:00:00Z"}
    listed = await pages(caller, **query, per_page=per_page)
    times = [item["timestamp"] for item in listed]
    assert times == sorted(set(times))
    items, numbers = await by_cursor(caller, **query, per_page=per_page)
    assert items == listed
    assert numbers == list(range(1, len(numbers) + 1))

    text = await caller.ask("GET", PATH, params=query, headers={"Accept": "text/csv"})
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(text.text, newline="")))
    assert rows == [{name: in_csv(value) for name, value in item.items()} for item in listed]

    packed = await caller.ask("GET", PATH, params=query, headers={"Accept": ARROW})
    assert packed.headers["content-type"] == ARROW
    assert [shown(row) for row in pa.ipc.open_stream(packed.content).read_all().to_pylist()] == listed


def in_csv(value):
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def shown(row):
    match = {Decimal: lambda value: f"{value:f}", datetime: lambda value: value.isoformat().replace("+00:00", "Z")}
    return {name: match.get(type(value), lambda same: same)(value) for name, value in row.items()}


async def test_gaps_are_marked_and_nothing_is_made_up_in_them(caller, history):
    items = await pages(caller, **ALL, per_page=200)
    assert len(items) == 600
    assert len([item for item in items if not item["gap"]]) == len(history)
    for item in items:
        assert item["gap"] == (item["last"] is None) == (item["bid"] is None) == (item["ask"] is None)
    hours = await pages(caller, **ALL, interval="1h", per_page=200)
    assert {hour["gap"] for hour in hours} == {True, False}
    assert sum(hour["quotes"] for hour in hours) == len(history)
    assert all(hour["complete"] == (hour["quotes"] == 12) for hour in hours)
    assert all((hour["open"] is None) == hour["gap"] == (hour["quotes"] == 0) for hour in hours)


async def test_a_bar_is_whole_even_when_the_window_begins_inside_it(caller):
    whole = (await caller.get(PATH, **ALL, interval="1d")).json()["items"][0]
    inside = {"coin": "BTC", "start": "2025-06-08T23:00:00Z", "end": "2025-06-08T23:30:00Z", "interval": "1d"}
    assert (await caller.get(PATH, **inside)).json()["items"] == [whole]


async def test_bars_that_come_while_somebody_pages_shift_nothing(caller, archive, history):
    query = {"coin": "BTC", "interval": "15m", "per_page": 50}
    first = (await caller.get(PATH, **query)).json()
    newest = history.rows(len(history) - 1, len(history))
    for step in range(1, 40):
        await archive.load(replace(newest, times=newest.times + np.timedelta64(step * 5, "m")))
    items = first["items"]
    page = first
    while page["next_cursor"]:
        page = (await caller.get(PATH, cursor=page["next_cursor"], **query)).json()
        assert page["total"] == first["total"]
        items += page["items"]
    assert len(items) == len({item["timestamp"] for item in items}) == first["total"]
    assert (await caller.get(PATH, **query)).json()["items"][0] != first["items"][0]


class Counting(MemoryPriceArchive):
    """Notes how much of it is read."""

    def __init__(self, bars):
        super().__init__(bars)
        self.read_spans = []

    async def read(self, coins, start, end):
        self.read_spans.append(end - start)
        return await super().read(coins, start, end)


async def test_a_page_reads_no_more_than_it_shows_however_deep_it_lies(ports, archive, calling):
    counting = Counting(archive.bars)
    caller = calling(build(replace(ports, archive=counting)))
    for page in (1, 30, 60, 10_000_000):
        await caller.get(PATH, **ALL, per_page=10, page=page)
    await by_cursor(caller, **ALL, per_page=10)
    assert max(counting.read_spans) < timedelta(minutes=50)


async def test_what_the_asker_has_is_not_sent_again(caller, archive, history):
    query = ALL | {"interval": "1h", "per_page": 10}
    tags = set()
    for headers, more in (({}, {}), ({}, {"page": 2}), ({"Accept": "text/csv"}, {}), ({"Accept": ARROW}, {})):
        asked = query | more
        if headers:
            del asked["per_page"]
        answer = await caller.ask("GET", PATH, params=asked, headers=headers)
        tag = answer.headers["etag"]
        tags.add(tag)
        assert answer.headers["cache-control"].startswith("private, max-age=")
        assert "Accept" in answer.headers["vary"]
        for held in (tag, f'"x", W/{tag}', "*"):
            again = await caller.ask("GET", PATH, params=asked, headers={**headers, "If-None-Match": held})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        stale = await caller.ask("GET", PATH, params=asked, headers={**headers, "If-None-Match": '"x", rubbish'})
        assert stale.status_code == 200
    assert len(tags) == 4
    filled = history.rows(0, 1)
    await archive.load(replace(filled, times=filled.times + np.timedelta64(125 * 5, "m")))
    late = await caller.ask("GET", PATH, params=query | {"page": 2}, headers={"If-None-Match": ", ".join(tags)})
    assert late.status_code == 200


async def test_the_lab_s_research_gets_a_file_to_save(caller):
    answer = await caller.get(PATH, **ALL, interval="1d", format="arrow")
    assert answer.headers["content-disposition"] == 'attachment; filename="BTC-1d.arrows"'
    empty = await caller.get(PATH, coin="BTC", start="2020-01-01", end="2020-01-02", format="csv")
    assert empty.text == "coin,timestamp,bid,ask,last,gap\r\n"


@pytest.mark.parametrize(
    "query",
    [
        ALL | {"cursor": "rubbish"},
        ALL | {"cursor": ""},
        ALL | {"cursor": "é" * 5000},
        ALL | {"format": "xml"},
        ALL | {"format": "csv", "page": 1},
        ALL | {"format": "arrow", "per_page": 20},
        {"coin": "BTC", "start": "0001-01-01"},
        {"coin": "BTC", "end": "9999-12-31"},
        {"coin": "BTC", "start": "2098-01-01"},
        {"coin": "BTC", "interval": "1d", "start": "2025-06-09T12:00:00"},
    ],
    ids=str,
)
async def test_a_question_that_makes_no_sense_is_refused(caller, refused, query):
    refused(await caller.get(PATH, **query), 422, "VALIDATION_ERROR")


async def test_a_cursor_goes_with_its_own_question_alone(caller, refused):
    query = ALL | {"per_page": 10}
    cursor = (await caller.get(PATH, **query)).json()["next_cursor"]
    for other in ({"coin": "ETH"}, {"per_page": 11}, {"interval": "1h"}, {"end": "2029-01-01"}, {"page": 2}):
        refused(await caller.get(PATH, **(query | other), cursor=cursor), 422, "VALIDATION_ERROR")


async def test_an_accept_header_that_admits_nothing_is_refused(caller, refused):
    refused(await caller.ask("GET", PATH, params=ALL, headers={"Accept": "image/png"}), 422, "VALIDATION_ERROR")
