"""Where an account stands: what the first message of its stream says.

Its number is looked up before everything else, so it shows at least what was journaled up to there. What it shows
beyond that is told again by the messages that follow; every message tells how something is, not how it has changed.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from omc.clock import Clock
from omc.portfolio.account import Account
from omc.risk.kill_switch import Halt, KillSwitch
from omc.trading.blotter import Blotter
from omc.trading.deployment import Deployment, DeploymentStatus, DeploymentStore
from omc.trading.feed import JournalFeed
from omc.trading.stream import Message, MessageType, money_text, time_text
from omc.trading.told import pnl_told, position_told
from serve_apps.floor.owned import everything
from serve_apps.floor.schemas import DeploymentOut, OrderOut

_AT_ONCE = 4


@dataclass(slots=True)
class Snapshots:
    """Clients of one account that join at the same moment share one look at the books."""

    feed: JournalFeed
    deployments: DeploymentStore
    blotter: Blotter
    kill_switch: KillSwitch
    clock: Clock
    _looks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE), init=False)
    _running: dict[UUID, asyncio.Task[Message]] = field(default_factory=dict, init=False)

    async def of(self, user_id: UUID, reason: str | None) -> Message:
        """The snapshot; `reason` says why it is not what was asked for."""
        running = self._running.get(user_id)
        if running is None:
            running = self._running[user_id] = asyncio.create_task(self._look(user_id))
            running.add_done_callback(lambda _: self._running.pop(user_id, None))
        # One that leaves must not take the look away from the others.
        found = await asyncio.shield(running)
        return replace(found, data={**found.data, "reason": reason}) if reason else found

    async def _look(self, user_id: UUID) -> Message:
        async with self._looks:
            seq = await self.feed.position(user_id)
            owned = await everything(lambda offset, limit: self.deployments.page(user_id, offset, limit))
            orders = await self.blotter.standing(user_id)
            accounts = await self.blotter.accounts(user_id)
            halts = [halt for halt in await self.kill_switch.on() if halt.user_id in (None, user_id)]
        working = {row.order.intent.deployment_id for row in orders}
        deployments = [each for each in owned if _matters(each, accounts[each.id], working)]
        books = [_books(each, accounts[each.id]) for each in deployments]
        data = {
            "deployments": [DeploymentOut.of(each).model_dump(mode="json") for each in deployments],
            "orders": [OrderOut.of(row).model_dump(mode="json") for row in orders],
            "positions": [position for positions, _ in books for position in positions],
            "pnl": [pnl for _, pnl in books],
            "halts": [_halted(halt) for halt in sorted(halts, key=lambda halt: halt.since)],
        }
        return Message(MessageType.SNAPSHOT, seq, self.clock.now(), data)


def _matters(deployment: Deployment, account: Account, working: Collection[UUID]) -> bool:
    """Whether there is something to follow. One that was stopped keeps what it holds."""
    if deployment.status is not DeploymentStatus.STOPPED or deployment.id in working:
        return True
    return any(position.quantity for position in account.positions.values())


def _books(deployment: Deployment, account: Account) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    of = {"deployment_id": str(deployment.id)}
    held = [coin for coin, position in sorted(account.positions.items()) if position.quantity]
    return [of | _told(position_told(account, coin)) for coin in held], of | _told(pnl_told(account))


def _halted(halt: Halt) -> dict[str, Any]:
    return {
        "since": time_text(halt.since),
        "reason": halt.reason,
        "level": halt.level.value,
        "scope": halt.scope.value,
        "deployment_id": str(halt.deployment_id) if halt.deployment_id else None,
    }


def _told(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, str) else money_text(value) for name, value in data.items()}
