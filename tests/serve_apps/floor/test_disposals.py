"""P&L by either method, and what was disposed of, as somebody is taxed on it."""

import csv
import io
from decimal import Decimal

import pytest

from omc.risk.limits import AccountLimits

FIRST, LAST = 20, 430


@pytest.fixture
async def traded(deploying, playing):
    made = await deploying()
    await playing(made["id"], FIRST, LAST)
    return made


async def all_of(caller, path: str, **query: object) -> list[dict]:
    answer = await caller.get(path, per_page=200, **query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["pages"] <= 1
    return answer.json()["items"]


@pytest.mark.parametrize("method", ["average", "fifo"])
async def test_every_cut_adds_up_to_the_summary_by_either_method(traded, caller, method):
    summary = (await caller.get("/pnl/summary", method=method)).json()["data"]
    assert Decimal(summary["equity_aud"]) == Decimal("10000") + Decimal(summary["net_pnl_aud"])
    for cut in ("by-algorithm", "by-deployment", "by-coin", "by-day"):
        rows = await all_of(caller, f"/pnl/{cut}", method=method)
        for figure in ("realized_pnl_aud", "unrealized_pnl_aud", "fees_aud", "net_pnl_aud"):
            assert sum(Decimal(row[figure]) for row in rows) == Decimal(summary[figure]), (cut, figure)


async def test_both_methods_come_to_the_same_net(traded, caller):
    net = [
        (await caller.get("/pnl/summary", method=each)).json()["data"]["net_pnl_aud"] for each in ("average", "fifo")
    ]
    assert net[0] == net[1]


async def test_days_are_those_of_the_account(traded, caller, ports):
    utc = await all_of(caller, "/pnl/by-day")
    await ports.limits.set_limits(caller.user_id, AccountLimits(time_zone="Australia/Sydney"))
    sydney = await all_of(caller, "/pnl/by-day")
    assert utc[0]["day"] is sydney[0]["day"] is None
    assert [row["day"] for row in utc] != [row["day"] for row in sydney]


async def test_disposals_are_in_cents_and_add_up_to_what_the_trades_brought(traded, caller):
    rows = await all_of(caller, "/pnl/disposals")
    sales = [each for each in await all_of(caller, "/trades") if each["side"] == "sell"]
    assert len(rows) >= len(sales) > 3
    assert sum(Decimal(row["proceeds_aud"]) for row in rows) == sum(Decimal(each["total_aud"]) for each in sales)
    for row in rows:
        assert Decimal(row["gain_aud"]) == Decimal(row["proceeds_aud"]) - Decimal(row["cost_base_aud"])
        assert Decimal(row["gain_aud"]) % Decimal("0.01") == 0
        assert row["over_twelve_months"] is False
    realized = (await caller.get("/pnl/summary", method="fifo")).json()["data"]["realized_pnl_aud"]
    before_fees = sum(
        Decimal(row["gain_aud"]) + Decimal(row["bought_fee_aud"]) + Decimal(row["sold_fee_aud"]) for row in rows
    )
    assert before_fees == Decimal(realized)


async def test_a_financial_year_and_a_coin_choose_among_them(traded, caller):
    rows = await all_of(caller, "/pnl/disposals")
    assert await all_of(caller, "/pnl/disposals", year="2024-25") == rows
    assert await all_of(caller, "/pnl/disposals", year="2025-26") == []
    assert await all_of(caller, "/pnl/disposals", coin="btc") == [row for row in rows if row["coin"] == "BTC"]
    assert await all_of(caller, "/pnl/disposals", mode="live") == []
    assert await all_of(caller, "/pnl/disposals", pooled=True) == rows


async def test_the_file_says_what_the_list_says(traded, caller):
    rows = await all_of(caller, "/pnl/disposals")
    answer = await caller.get("/pnl/disposals", year="2024-25", format="csv", per_page=1)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="disposals-2024-25.csv"' in answer.headers["content-disposition"]
    written = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["gain_aud"] for row in written] == [row["gain_aud"] for row in rows]
    assert list(written[0]) == list(rows[0])
    assert written[0]["disposed_on"] == rows[0]["disposed_on"]


@pytest.mark.parametrize(
    "query", [{"year": "2025"}, {"year": "2025-26", "start": "2025-01-01"}, {"method": "lifo"}, {"format": "xls"}]
)
async def test_what_cannot_be_asked_is_refused(caller, refused, query):
    refused(await caller.get("/pnl/disposals", **query), 422, "VALIDATION_ERROR")
