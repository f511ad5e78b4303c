"""A deployment's page: the floor beside its backtest, and whether they agree."""

import re
from uuid import UUID

import pytest

from omc.trading.fill import Side
from omc.trading.floor import Reconciliation
from omc.trading.reconciliation.books import ours

FIRST, LAST = 20, 520


@pytest.fixture
def agreeing(ports, monkeypatch):
    """A desk whose venue has our books."""

    async def reconcile(deployment_id):
        books = ours(await ports.blotter.account(deployment_id))
        return Reconciliation(deployment_id, ports.clock.now(), books, books, ())

    monkeypatch.setattr(ports.risk, "reconcile", reconcile)


@pytest.fixture
async def traded(deploying, playing):
    made = await deploying(deployment_name="Trend")
    await playing(made["id"], FIRST, LAST)
    return made


async def page(caller, made) -> str:
    answer = await caller.get(f"/algorithms/{made['id']}/report")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r"\b(src|href)\s*=", answer.text)
    assert "http" not in answer.text.replace("http-equiv", "")
    return answer.text


async def test_floor_and_backtest_are_drawn_and_found_to_agree(traded, caller, agreeing):
    parity = (await caller.get(f"/algorithms/{traded['id']}/parity")).json()["data"]
    shown = await page(caller, traded)
    trades = parity["floor_trades"]
    assert f'<p class="verdict">The floor made the {trades} trades that the backtest says' in shown
    assert shown.count('id="chart-0"') == 1
    assert shown.count('<tr class="fill">') == trades
    for text in (
        "Trend: the floor and its backtest",
        '"name":"floor"',
        '"name":"backtest"',
        f"{LAST - FIRST} bars from",
    ):
        assert text in shown


async def test_its_figures_are_those_of_the_other_answers(traded, caller):
    shown = await page(caller, traded)
    earned = (await caller.get("/pnl/summary")).json()["data"]
    status = (await caller.get(f"/algorithms/{traded['id']}/status")).json()["data"]
    for name, figure in {
        "Equity": f"A${float(earned['equity_aud']):,.2f}",
        "Fees": f"A${float(earned['fees_aud']):,.2f}",
        "Intents, denied, fills": f"{status['counts']['intents']}, 0, {status['counts']['trades']}",
        "From decision to order": "1.0 ms (p50), 3.0 ms (p99)",
        "Largest order allowed": "A$20,000.00",
        "Largest loss of a day allowed": "A$2,000.00",
    }.items():
        assert f"<span>{name}</span><b>{figure}</b>" in shown


async def test_a_trade_that_the_backtest_does_not_make_breaks_the_verdict(traded, caller, ports, agreeing):
    row = next(row for row in ports.blotter._rows.values() if row.order.intent.side is Side.SELL)
    del ports.blotter._rows[row.order.intent.client_order_id]
    shown = await page(caller, traded)
    assert '<p class="verdict broken">' in shown
    assert "the floor has no such trade</li>" in shown


async def test_books_that_are_not_the_exchanges_break_it_and_so_does_not_knowing(traded, caller, ports):
    shown = await page(caller, traded)
    assert '<p class="verdict broken">' in shown
    assert "DOGE" in shown.split("<section>")[0].split("</style>")[1]
    ports.risk.reachable = False
    assert "<li>risk:0 is away</li>" in await page(caller, traded)


async def test_a_deployment_that_has_done_nothing_has_a_page_without_a_verdict(deploying, playing, caller, ports):
    idle = await deploying()
    for _ in range(2):
        shown = await page(caller, idle)
        assert "No bar has been traded." in shown
        assert '<p class="verdict' not in shown
        assert "<span>Equity</span><b>A$10,000.00</b>" in shown
        await playing(idle["id"], FIRST, FIRST + 1)
    assert (await ports.deployments.get(UUID(idle["id"]))).status.value == "active"
