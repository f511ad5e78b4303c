"""Events into a home's catalyst ledger, as an operator brings them in."""

import asyncio
import json

import pytest

from cluster import catalysts
from omc.adapters.postgres import dsn

pytestmark = pytest.mark.postgres

LINE = {
    "type": "listing",
    "title": "BTC is listed",
    "source": "wire",
    "source_id": "1",
    "event_time": "2025-03-01T00:00:00Z",
}


@pytest.fixture
def home(fresh_database, tmp_path, monkeypatch):
    monkeypatch.setenv("OMC_DATABASE_URL", dsn.read(fresh_database.dsn_file))
    return tmp_path / "home"


async def run(home, *words: str) -> int:
    """As a process of its own would: without the loop of this test."""
    return await asyncio.to_thread(catalysts.main, ["--home", str(home), "--json", *words])


async def test_events_are_recorded_once(home, tmp_path, capsys):
    file = tmp_path / "events.jsonl"
    file.write_text("".join(json.dumps({**LINE, "source_id": each}) + "\n" for each in "12"))
    assert [await run(home, str(file)), await run(home, str(file))] == [0, 0]
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert told == [{"events": 2, "new": 2}, {"events": 2, "new": 0}]


async def test_a_wrong_line_is_told_with_its_file_and_records_nothing(home, tmp_path, capsys):
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps(LINE) + "\nnonsense\n")
    assert await run(home, str(file)) == 1
    assert f"{file}, line 2: it is not JSON" in capsys.readouterr().err
    file.write_text(json.dumps(LINE) + "\n")
    assert await run(home, str(file)) == 0
    assert json.loads(capsys.readouterr().out) == {"events": 1, "new": 1}
