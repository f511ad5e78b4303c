"""freqtrade's verbs, and the tax return, from the command line."""

import csv
import io
import json

import pytest

from omc.cli.main import run

ID = "11111111-2222-3333-4444-555555555555"
TRADE = {
    "deployment_id": ID,
    "deployment_name": "trend",
    "coin": "BTC",
    "quantity": "0.01250000",
    "average_price_aud": "90000.00000000",
    "current_price_aud": "91000.00000000",
    "paid_aud": "1126.13000000",
    "got_aud": "0.00000000",
    "profit_aud": "10.23500000",
    "profit_ratio": 0.00909,
    "opened_at": "2025-06-08T10:05:00Z",
    "age_s": 90061.0,
    "stop_aud": None,
    "stop_distance": None,
}
PROFIT = {
    "profit_closed_aud": "-12.50000000",
    "profit_closed_ratio": -0.00125,
    "profit_all_aud": "3.00000000",
    "profit_all_ratio": 0.0003,
    "trade_count": 3,
    "closed_trade_count": 2,
    "winning_trades": 1,
    "losing_trades": 1,
    "winrate": 0.5,
    "profit_factor": None,
    "expectancy_aud": "-6.25000000",
    "best_coin": "ETH",
    "best_coin_profit_ratio": 0.02,
    "max_drawdown": 0.01,
    "max_drawdown_aud": "20.00000000",
    "trading_volume_aud": "12345.60000000",
    "first_trade_at": "2025-06-08T10:05:00Z",
    "latest_trade_at": "2025-06-09T10:05:00Z",
    "avg_duration_s": 7200.0,
}
DAY = {
    "date": "2025-06-09",
    "profit_aud": "-12.50000000",
    "starting_balance_aud": "10000.00000000",
    "profit_ratio": -0.00125,
    "trade_count": 2,
}
DISPOSAL = {
    "deployment_name": "trend",
    "coin": "BTC",
    "quantity": "0.10000000",
    "acquired_on": "2024-07-01",
    "disposed_on": "2025-07-02",
    "held_days": 366,
    "over_twelve_months": True,
    "cost_base_aud": "100.00000000",
    "proceeds_aud": "150.00000000",
    "gain_aud": "50.00000000",
}
LOST = {**DISPOSAL, "over_twelve_months": False, "proceeds_aud": "80.50000000", "gain_aud": "-19.50000000"}
SOLD = {"coin": "BTC", "filled_quantity": "0.01250000", "total_aud": "1126.13000000"}


def page(*rows):
    return {"items": list(rows), "total": len(rows), "page": 1, "per_page": 200, "pages": 1}


@pytest.mark.parametrize(
    ("words", "path", "answer", "shown"),
    [
        (["open-trades"], "/floor/status", page(TRADE), ["trend", "0.0125", "10.24", "0.91", "1 day, 1:01:01"]),
        (["profit"], "/floor/profit", PROFIT, ["A$-12.50 (-0.12 %)", "1, 1 (50.00 % won)", "ETH 2.00 %", "2:00:00"]),
        (
            ["performance"],
            "/floor/performance",
            page({"coin": "ETH", "profit_aud": "1.50000000", "profit_ratio": 0.015, "trade_count": 4}),
            ["ETH", "1.50", "4"],
        ),
        (["daily", "--count", "3"], "/floor/daily", [[DAY]], ["2025-06-09", "-12.50", "10,000.00"]),
        (["weekly"], "/floor/weekly", [[DAY]], ["weekly"]),
        (["monthly"], "/floor/monthly", [[DAY]], ["monthly"]),
        (["locks"], "/floor/locks", page(), ["nothing is locked"]),
    ],
)
def test_what_is_asked_is_shown_as_a_table_and_as_it_came(served, capsys, words, path, answer, shown):
    asked = served({f"GET {path}": answer})
    assert run([*words, "--deployment", ID]) == 0
    told = capsys.readouterr().out
    assert not [text for text in shown if text not in told], told
    assert all(f"deployment_id={ID}" in each for _, each, _ in asked)
    assert run([*words, "--json"]) == 0
    expected = answer[0] if isinstance(answer, list) else answer.get("items", answer)
    assert json.loads(capsys.readouterr().out) == expected
    if words[0] == "daily":
        assert "timescale=3" in asked[0][1]


@pytest.mark.parametrize(("word", "which"), [("btc", {"coin": "BTC"}), ("all", {"all": True})])
def test_what_was_forced_out_is_told(served, capsys, word, which):
    asked = served({"POST /floor/forceexit": {"deployment_id": ID, "sold": [SOLD], "problems": ["ETH remains"]}})
    assert run(["forceexit", ID, word]) == 0
    told = capsys.readouterr().out
    assert "sold 0.0125 BTC for A$1,126.13" in told
    assert "could not be done: ETH remains" in told
    assert asked[0][2] == {"deployment_id": ID, **which}


def test_entries_are_stopped_and_unlocked(served, capsys):
    halt = {"scope": "deployment", "reason": "enough", "problems": []}
    asked = served({"POST /floor/stopentry": halt, f"DELETE /floor/locks/halt-deployment-{ID}": {}})
    assert run(["stopentry", "--deployment", ID, "--reason", "enough"]) == 0
    assert "nothing is added any more (deployment): enough" in capsys.readouterr().out
    assert asked[0][2] == {"deployment_id": ID, "reason": "enough"}
    assert run(["unlock", f"halt-deployment-{ID}"]) == 0
    assert "is lifted" in capsys.readouterr().out
    assert run(["unlock", "../deployments"]) == 2


def test_a_year_is_summed_up_with_long_gains_apart(served, capsys):
    asked = served(
        {"GET /floor/pnl/disposals": page(DISPOSAL, LOST), "GET /floor/risk/limits": {"time_zone": "Australia/Sydney"}}
    )
    assert run(["tax", "--year", "2025-26"]) == 0
    told = capsys.readouterr().out
    for text in ("disposals of 2025-26, days of Australia/Sydney", "50.00", "-19.50", "30.50", "2025-07-02"):
        assert text in told
    assert "those of UTC" not in told
    assert "mode=live" in asked[0][1]
    assert run(["tax", "--year", "2025-26", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["totals"]["gains, held over 12 months A$"] == "50.00"
    assert document["disposals"] == [DISPOSAL, LOST]


def test_a_year_goes_into_a_file_and_a_zone_that_is_not_taxed_is_pointed_out(served, capsys, tmp_path):
    text = "coin,gain_aud\r\nBTC,50.00000000\r\n"
    answers = iter([page(DISPOSAL), text])
    served({"GET /floor/pnl/disposals": lambda: next(answers), "GET /floor/risk/limits": {"time_zone": "UTC"}})
    assert run(["tax", "--year", "2025-26", "--out", str(tmp_path / "tax.csv")]) == 0
    told = capsys.readouterr().out
    assert "your days are those of UTC" in told
    assert "1 disposals are in" in told
    written = (tmp_path / "tax.csv").read_text()
    assert list(csv.DictReader(io.StringIO(written))) == [{"coin": "BTC", "gain_aud": "50.00000000"}]
