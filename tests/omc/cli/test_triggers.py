"""Triggers in words."""

import pytest

from omc.cli.main import run
from omc.cli.outcome import Failure
from omc.cli.triggers import triggers
from omc.strategy.trigger import triggers_of

ID = "11111111-2222-3333-4444-555555555555"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("every 3600", {"on": "schedule", "every_s": 3600}),
        ("at 09:30", {"on": "schedule", "at": "09:30"}),
        ("at 09:30 Australia/Sydney", {"on": "schedule", "at": "09:30", "zone": "Australia/Sydney"}),
        ("btc up 100000", {"on": "price", "coin": "BTC", "direction": "up", "level_aud": 100_000.0}),
        ("XRP across 0.55", {"on": "price", "coin": "XRP", "direction": "either", "level_aud": 0.55}),
        ("BTC down 2.5% of 48", {"on": "price", "coin": "BTC", "direction": "down", "percent": 2.5, "mean_bars": 48}),
        ("event", {"on": "catalyst"}),
        ("event listing BTC high", {"on": "catalyst", "type": "listing", "coin": "BTC", "priority": "high"}),
        ("event critical", {"on": "catalyst", "priority": "critical"}),
        ('{"on": "schedule", "every_s": 300}', {"on": "schedule", "every_s": 300}),
    ],
)
def test_words_are_triggers(words, told):
    assert triggers([words]) == [told]
    assert len(triggers_of([told])) == 1


@pytest.mark.parametrize(
    "words",
    ["", "hourly", "every hour", "BTC up", "BTC up 1.2.3", "BTC up .", "BTC sideways 5", "event a b", "{", "[]"],
)
def test_what_says_nothing_is_refused(words):
    with pytest.raises(Failure):
        triggers([words])
    assert triggers([]) is triggers(None) is None


def test_a_deployment_and_a_backtest_are_asked_for_with_theirs(served, capsys):
    asked = served(
        {
            "POST /floor/deploy": {"deployment_name": "trend", "status": "active", "id": ID},
            f"POST /lab/algorithms/{ID}/backtest": (422, "VALIDATION_ERROR"),
        }
    )
    when = ["--when", "every 3600", "--when", "BTC up 100000"]
    assert run(["deploy", ID, "--name", "trend", "--coins", "BTC", *when]) == 0
    assert asked[-1][2]["triggers"] == triggers(when[1::2])
    run(["backtest", ID, "--coins", "BTC", "--start", "2025-01-01", "--end", "2025-02-01", *when])
    assert asked[-1][2]["triggers"] == triggers(when[1::2])
    assert run(["deploy", ID, "--name", "trend", "--coins", "BTC"]) == 0
    assert "triggers" not in asked[-1][2]


def test_a_file_of_events_that_is_not_there_is_said(capsys, tmp_path):
    assert run(["import-catalysts", str(tmp_path / "none.jsonl")]) == 2
    assert "no such file" in capsys.readouterr().err
