"""People who use the platform over HTTP, and do not give up when it is away for a while."""

import asyncio
import json
import time
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx

from omc.adapters.postgres.algorithms import PostgresAlgorithms
from omc.adapters.postgres.database import Database
from omc.strategy.algorithm import AlgorithmStatus
from tests.crash.waiting import LONG_S

_PASSWORD = "correct horse battery"
_LIMITS = {"order_notional_aud": "100000", "position_notional_aud": "100000", "daily_loss_aud": "100000"}


class Person:
    def __init__(self, home: Path) -> None:
        self.home = home
        self.email = f"{uuid4().hex}@example.org"
        self._headers: dict[str, str] = {}
        known = {"email": self.email, "password": _PASSWORD, "full_name": "Somebody"}
        # An answer may be lost, and somebody registered all the same.
        self.ask("POST", "/users/register", known, fine=(HTTPStatus.CONFLICT,))
        self.user_id = UUID(self.ask("GET", "/users/profile")["data"]["id"])

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        fine: tuple[int, ...] = (),
        within_s: float = LONG_S,
        key: str | None = None,
    ) -> Any:
        """The answer's document. It is asked again, under one key, while nobody answers."""
        deadline = time.monotonic() + within_s
        once = {"Idempotency-Key": key or uuid4().hex}
        while True:
            status, told = self.attempt(method, path, body, once)
            if 200 <= status < 300 or status in fine:
                return told
            if status == HTTPStatus.UNAUTHORIZED:
                self._log_in(deadline)
            elif 0 < status < 500 and status != HTTPStatus.TOO_MANY_REQUESTS:
                raise AssertionError(f"{method} {path}: {status} {told}")
            if time.monotonic() > deadline:
                raise AssertionError(f"{method} {path} was not answered within {within_s:.0f} s: {status} {told}")
            time.sleep(0.1)

    def deploy(self, name: str, coin: str, cash: str, parameters: dict[str, int], **execution: Any) -> UUID:
        """Put an algorithm of its own to work; the deployment's id."""
        wanted = self.wish(name, coin, cash, parameters, **execution)
        return UUID(self.ask("POST", "/floor/deploy", wanted)["data"]["id"])

    def wish(self, name: str, coin: str, cash: str, parameters: dict[str, int], **execution: Any) -> dict[str, Any]:
        """What is asked for to put an algorithm of its own to work, which has passed its gates."""
        kind = {"algorithm_type": "moving_average_crossover", "parameters": parameters}
        made = self.ask("POST", "/lab/algorithms", {"name": name, **kind})["data"]["id"]
        asyncio.run(self._pass_gates(UUID(made)))
        wanted = {"algorithm_id": made, "deployment_name": name, "coins": [coin], "mode": "paper", "cash": cash}
        more = {"risk_limits": _LIMITS, "execution": execution}
        return {**wanted, **more}

    @property
    def halted(self) -> bool:
        return bool(self.ask("GET", "/floor/risk/status")["data"]["halted"])

    async def _pass_gates(self, algorithm_id: UUID) -> None:
        database = Database(self.home / "run" / "database.dsn")
        await PostgresAlgorithms(database).set_status(algorithm_id, self.user_id, AlgorithmStatus.VALIDATED)
        await database.close()

    def attempt(self, method: str, path: str, body: Any, key: dict[str, str]) -> tuple[int, Any]:
        """One try: the status, 0 where nobody answered, and the document."""
        try:
            url = json.loads((self.home / "run" / "platform.json").read_text())["url"]
            answer = httpx.request(
                method, f"{url}/api/v1{path}", json=body, headers={**self._headers, **key}, timeout=30, trust_env=False
            )
            return answer.status_code, answer.json()
        except (httpx.HTTPError, OSError, ValueError, KeyError) as fault:
            return 0, repr(fault)

    def _log_in(self, deadline: float) -> None:
        while time.monotonic() < deadline:
            status, told = self.attempt("POST", "/auth/login", {"email": self.email, "password": _PASSWORD}, {})
            if status == HTTPStatus.OK:
                self._headers = {"Authorization": f"Bearer {told['data']['access_token']}"}
                return
            time.sleep(0.1)
