"""One of everything that an account can own, by the name of the parameter that asks for it in a path.

Whoever adds a path with a new kind of id makes one here: `MAKERS` says how, and the tests that try every id of one
account from another say what is missing.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx

from omc.errors import Unavailable
from omc.strategy.algorithm import AlgorithmStatus
from omc.strategy.fitted_model import Lineage, ModelRecord, hash_of_content, libraries
from omc.trading.blotter import row_id
from omc.trading.deployment import trader_name
from omc.trading.fill import Side
from omc.trading.order import OrderIntent
from tests.serve_apps.one_process import OneProcess

API = "/api/v1"
PASSWORD = "correct horse battery staple"
WINDOW = {"start_date": "2025-01-02", "end_date": "2025-01-02", "coins": ["BTC", "ETH"], "initial_cash": "10000"}


@dataclass
class Account:
    """Somebody who is signed in."""

    http: httpx.AsyncClient
    email: str
    token: str = ""
    user_id: UUID = field(default_factory=uuid4)

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent = {} if body is None else {"json": body}
        return await self.http.request(method, API + path, headers=headers, params=query, **sent)

    async def made(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = await self.ask(method, path, body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        found: dict[str, Any] = answer.json()["data"]
        return found


async def account(http: httpx.AsyncClient, email: str, password: str = PASSWORD) -> Account:
    somebody = Account(http, email)
    profile = await somebody.made("POST", "/users/register", {"email": email, "password": password})
    tokens = await somebody.made("POST", "/auth/login", {"email": email, "password": password})
    somebody.user_id, somebody.token = UUID(profile["id"]), tokens["access_token"]
    return somebody


@dataclass
class Belongings:
    """What `owner` has on `platform`."""

    platform: OneProcess
    owner: Account
    ids: dict[str, str] = field(default_factory=dict)

    async def make(self) -> None:
        for make in MAKERS:
            await make(self)

    async def algorithm(self) -> None:
        body = {
            "name": "Trend",
            "algorithm_type": "moving_average_crossover",
            "parameters": {"fast_bars": 4, "slow_bars": 12},
        }
        made = await self.owner.made("POST", "/lab/algorithms", body)
        self.ids |= {"algorithm_id": made["id"], "number": "1"}
        stored = self.platform.wired.algorithms
        await stored.set_status(UUID(made["id"]), self.owner.user_id, AlgorithmStatus.VALIDATED)

    async def backtest(self) -> None:
        made = await self.owner.made("POST", f"/lab/algorithms/{self.ids['algorithm_id']}/backtest", WINDOW)
        self.ids["backtest_id"] = made["id"]

        async def is_done() -> bool:
            told = await self.owner.made("GET", f"/lab/backtests/{made['id']}")
            assert told["status"] != "failed", told
            return bool(told["status"] == "completed")

        await until(is_done)

    async def sweep(self) -> None:
        body = {**WINDOW, "space": {"fast_bars": [3, 6], "slow_bars": [12, 24]}}
        made = await self.owner.made("POST", f"/lab/algorithms/{self.ids['algorithm_id']}/sweeps", body)
        self.ids["sweep_id"] = made["id"]

    async def model(self) -> None:
        """As fitting would have stored it."""
        wired = self.platform.wired
        now = wired.clock.now()
        lineage = Lineage("0" * 64, {}, ("BTC",), now, now, now, now, 1, "0" * 64, libraries())
        content = b"what was learned"
        record = ModelRecord(
            id=uuid4(),
            user_id=self.owner.user_id,
            algorithm_id=UUID(self.ids["algorithm_id"]),
            algorithm_version=1,
            content_hash=hash_of_content(content),
            size_bytes=len(content),
            lineage=lineage,
            created_at=now,
        )
        self.ids["model_id"] = str((await wired.models.keep(record, content)).id)

    async def deployment(self) -> None:
        body = {
            "algorithm_id": self.ids["algorithm_id"],
            "deployment_name": "Trend on paper",
            "coins": ["BTC", "ETH"],
            "mode": "paper",
            "cash": "10000.00",
        }
        self.ids["deployment_id"] = (await self.owner.made("POST", "/floor/deploy", body))["id"]

    async def order(self) -> None:
        wired, owner_id = self.platform.wired, UUID(self.ids["deployment_id"])
        deployment = await wired.deployments.get(owner_id)
        quotes: list[dict[str, Any]] = []

        async def is_quoted() -> bool:
            answer = await self.owner.ask("GET", "/data/prices/latest", coin="BTC")
            quotes[:] = answer.json().get("items", [])
            return bool(quotes)

        await until(is_quoted)
        lease = await wired.leases.take(trader_name(deployment), "somebody who tries")
        now = wired.clock.now()
        intent = OrderIntent(
            client_order_id=f"omc-{uuid4().hex[:20]}",
            deployment_id=owner_id,
            user_id=self.owner.user_id,
            coin="BTC",
            side=Side.BUY,
            quantity=Decimal("0.001"),
            kind=wired.terms.kind("BTC"),
            quote_price_aud=Decimal(quotes[0]["ask"]),
            quoted_at=now,
            decided_at=now,
            reason="a test",
        )

        async def is_sent() -> bool:
            await self.platform.risk.submit(replace(intent), lease)
            return await wired.blotter.order(intent.client_order_id) is not None

        await until(is_sent)
        self.ids["order_id"] = str(row_id(owner_id, intent.client_order_id))

    async def lock(self) -> None:
        await self.owner.made("POST", "/floor/stopentry", {"deployment_id": self.ids["deployment_id"]})
        locks = (await self.owner.ask("GET", "/floor/locks")).json()["items"]
        self.ids["lock_id"] = next(each["id"] for each in locks if each["deployment_id"])

    async def credentials(self) -> None:
        secrets = {"api_key": "an-api-key-of-the-owner", "api_secret": "an-api-secret-of-the-owner"}
        await self.owner.made("POST", "/credentials/exchanges/kraken", secrets)
        await self.owner.made("POST", "/credentials/coinspot", secrets)
        await self.owner.made("POST", "/credentials/llm/anthropic", {"api_key": secrets["api_key"]})
        self.ids |= {"exchange": "kraken", "provider": "anthropic"}

    async def token(self) -> None:
        made = await self.owner.made("POST", "/users/tokens", {"name": "a program", "scopes": ["read"]})
        self.ids["token_id"] = made["id"]

    async def account_itself(self) -> None:
        self.ids["user_id"] = str(self.owner.user_id)


MAKERS: tuple[Callable[[Belongings], Awaitable[None]], ...] = (
    Belongings.account_itself,
    Belongings.algorithm,
    Belongings.backtest,
    Belongings.sweep,
    Belongings.model,
    Belongings.deployment,
    Belongings.order,
    Belongings.lock,
    Belongings.credentials,
    Belongings.token,
)


async def until(what: Callable[[], Awaitable[bool]], tries: int = 3_000) -> None:
    """Return when it holds."""
    for _ in range(tries):
        try:
            if await what():
                return
        except Unavailable:
            pass
        await asyncio.sleep(0.02)
    raise AssertionError("it never came true")
