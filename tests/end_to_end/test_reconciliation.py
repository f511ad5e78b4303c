"""A whole platform whose paper account somebody else trades by hand: it notices, closes it, and opens it again when its
owner says so."""

import asyncio
import json
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from omc.adapters.coinspot.client import CoinspotClient
from omc.adapters.coinspot.nonce import MemoryNonces
from omc.adapters.coinspot.sandbox import SandboxControl
from omc.adapters.postgres import dsn
from omc.adapters.postgres.algorithms import PostgresAlgorithms
from omc.adapters.postgres.database import Database
from omc.strategy.algorithm import AlgorithmStatus
from tests.end_to_end.platforms import Up, omc

pytestmark = [pytest.mark.ray, pytest.mark.postgres]

QUICK = {"fast_bars": 4, "slow_bars": 12}


def until(met: Callable[[], Any], within_s: float = 240.0) -> Any:
    deadline = time.monotonic() + within_s
    while not (found := met()):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return found


def by_hand(up: Up, account: str, cash: str, side: str, coin: str, amount: str) -> None:
    """Trade a paper account as whoever knows its key could."""
    known = json.loads((up.home / "run" / "platform.json").read_text())

    async def trade() -> None:
        control = SandboxControl(known["exchange"], up.home / "keys" / "sandbox.token")
        credentials = await control.open_account(account, Decimal(cash))
        client = CoinspotClient(known["exchange"], credentials, MemoryNonces(), account=account)
        await client.act(f"my/{side}/now", {"cointype": coin, "amounttype": "aud", "amount": amount})
        await client.close()
        await control.close()

    asyncio.run(trade())


def adopted(home: Path) -> list[Any]:
    """What the journal says that others did."""
    with psycopg.connect(dsn.read(home / "run" / "database.dsn")) as connection:
        return [data for (data,) in connection.execute("SELECT data FROM journal WHERE kind = 'external'")]


def compared(up: Up, *arguments: str) -> Any:
    (row,) = omc(up.home, "reconcile", *arguments)
    return row


def test_an_account_that_somebody_else_trades_is_closed_until_its_owner_accepts_it(platform: Up) -> None:
    home = platform.home
    profile = omc(home, "register", f"{uuid4().hex}@example.org")
    kind = ("--type", "moving_average_crossover", "--parameters", json.dumps(QUICK))
    made = omc(home, "algorithm", "create", "idea", *kind)

    async def passed() -> None:
        database = Database(home / "run" / "database.dsn")
        algorithms = PostgresAlgorithms(database)
        await algorithms.set_status(UUID(made["id"]), UUID(profile["id"]), AlgorithmStatus.VALIDATED)
        await database.close()

    asyncio.run(passed())
    first = omc(home, "deploy", "idea", "--name", "first", "--coins", "BTC,ETH", "--cash", "5000")
    until(lambda: len(omc(home, "trades", "--deployment", "first")) > 3)
    omc(home, "pause", "first")
    row = until(lambda: not (found := compared(platform, "--now"))["differences"] and found)
    assert (row["closed"], row["error"], row["held"], row["external"]) == (None, None, [], {})

    # Whatever it has now, cash or coins, some of it goes.
    held = [coin for coin in ("BTC", "ETH") if float(row["venue"].get(coin, "0")) > 0]
    side, coin, lost = ("sell", held[0], held[0]) if held else ("buy", "DOGE", "AUD")
    by_hand(platform, first["id"], "5000", side, coin, "100")
    row = compared(platform, "--now")
    assert row["closed"].startswith(f"{lost}: our books claim ")
    assert float(row["external"][lost]) < 0
    # It may have looked by itself before it was asked.
    assert any(each["what"] == "fill" and each["coin"] == coin for each in adopted(home))
    assert compared(platform)["closed"] == row["closed"]

    accepted = omc(home, "reconcile", "accept", "first")
    assert (accepted["closed"], accepted["differences"]) == (None, [])
    assert compared(platform, "--now")["differences"] == []
    trades = omc(home, "trades", "--deployment", "first")
    made_up = [each for each in trades if "synthetic" in each["client_order_id"]]
    # Cash that is gone was withdrawn: only coins go by a sale that nobody made.
    assert [(each["coin"], each["side"], float(each["fee_aud"])) for each in made_up] == (
        [(coin, "sell", 0.0)] if held else []
    )
    assert omc(home, "activate", "first")["status"] == "active"
