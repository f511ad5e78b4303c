"""Our books of every account beside its venue's: before anything is sent there, after an outcome was in doubt, and
again and again after that.

What an account shows is read while its sender stands still, so nothing of ours comes in between; from one look to the
next it goes on. What the pure side
decides is then carried out step by step, each step once however often it is carried out: whoever dies in the middle is
followed by somebody who finds less to do.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID
from zlib import crc32

from actors.orders.sender import Office, RiskPorts
from actors.orders.senders import Senders
from actors.reconciling.accounting import Accounting
from actors.reconciling.comparison import unread
from actors.reconciling.mending import Mending, Watched
from omc.errors import Conflict, OmcError, Unavailable
from omc.trading.deployment import Deployment, DeploymentStatus
from omc.trading.floor import Choice, Reconciliation
from omc.trading.order import Order

_log = logging.getLogger(__name__)
_JITTER = 0.2
_FAULTS = 3
_PATIENCE = 2.0
"""How many times the usual distance between two comparisons pass without one before the account is closed."""
_ROUND_S = 5.0
"""How soon an account that is traded anew is looked at, though nobody sends anything there."""
Beside = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


@dataclass(slots=True)
class _Standing(Watched):
    """One account, as far as this desk knows it."""

    compared: bool = False
    traded_at: float | None = None
    """When an order of it ended last that no comparison has followed yet, by the running loop's time."""
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Of whoever compares it."""
    compared_at: float = 0.0
    """By the running loop's time."""
    faults: int = 0
    """How often in a row it could not be compared."""
    failing_since: float = 0.0
    task: asyncio.Task[None] | None = None


class Reconciler:
    def __init__(self, ports: RiskPorts, office: Office, senders: Senders, beside: Beside) -> None:
        """`beside` runs what goes on by itself for as long as the desk does."""
        self._ports = ports
        self._office = office
        self._senders = senders
        self._beside = beside
        self._accounting = Accounting(ports)
        self._mending = Mending(ports, office, self._accounting)
        self._standings: dict[str, _Standing] = {}

    async def begin(self) -> None:
        """Watch every account that is traded, or has an order that is not over, from when the desk is in force."""
        faults = 0
        while True:
            try:
                self._office.in_force()
                for each in await self._ports.deployments.active():
                    self.watch(each)
                left = {order.intent.deployment_id for order in await self._ports.blotter.unsettled()}
                for deployment_id in sorted(left):
                    self.watch(await self._ports.deployments.get(deployment_id))
                faults = 0
            except OmcError as fault:
                faults += 1
                _log.debug("nobody says yet what is traded", extra={"why": fault})
            await asyncio.sleep(self._ports.cadence.pause_s(faults) if faults else _ROUND_S)

    def stop(self) -> None:
        for standing in self._standings.values():
            if standing.task is not None:
                standing.task.cancel()

    def watch(self, deployment: Deployment) -> None:
        """Compare the account that it trades now, and again from time to time."""
        self._standing(deployment)

    async def ready(self, deployment: Deployment) -> None:
        """Return when the account's books were compared once since this desk began. Unavailable, saying why, when they
        cannot be: nothing is sent there then."""
        standing = self._standing(deployment)
        if standing.compared:
            return
        async with standing.turn:
            if standing.compared:
                return
            try:
                await self._look(standing, deployment)
            except OmcError as fault:
                raise Unavailable(f"account {deployment.account} is closed: {fault}") from None

    def traded(self, deployment: Deployment) -> None:
        """Compare when its account has been quiet for a while: a bar has been traded, or a tape has ended."""
        standing, loop = self._standing(deployment), asyncio.get_running_loop()
        waits = standing.traded_at is not None
        standing.traded_at = loop.time()
        if not waits:
            loop.call_later(self._ports.reconcile_quiet_s, self._calm, standing)

    def _calm(self, standing: _Standing) -> None:
        loop, since = asyncio.get_running_loop(), standing.traded_at or 0.0
        left = since + self._ports.reconcile_quiet_s - loop.time()
        if left > 0:
            loop.call_later(left, self._calm, standing)
        else:
            standing.traded_at = None
            standing.sender.doubted.set()

    def soon(self, deployment: Deployment) -> None:
        """Compare without delay: the outcome of an order was in doubt."""
        self._standing(deployment).sender.doubted.set()

    async def compare(self, deployment: Deployment) -> Reconciliation:
        """Now. The faults of reading an account, when it cannot be read."""
        standing = self._standing(deployment)
        async with standing.turn:
            return await self._look(standing, deployment)

    async def resolve(self, order: Order, deployment: Deployment, choice: Choice, by: str) -> Order:
        standing = self._standing(deployment)
        async with standing.sender.lock:
            settled = await self._mending.resolve(standing.sender, order, choice, by)
        self.soon(deployment)
        return settled

    async def accept(self, deployment: Deployment, by: str, once: UUID | None) -> Reconciliation:
        """The operation `once` again accepts nothing more."""
        standing, book = self._standing(deployment), self._ports.venue_book
        async with standing.turn:
            if once is not None and (answered := await book.answered(once)) is not None:
                return answered
            await self._look(standing, deployment)
            async with standing.sender.lock:
                await self._mending.accept(standing, deployment, by)
            found = await self._look(standing, deployment)
            if found.closed:
                raise Conflict(f"the account stays closed: {found.closed}")
            if once is not None:
                await book.answer(once, found)
            return found

    # By itself

    def _standing(self, deployment: Deployment) -> _Standing:
        standing = self._standings.get(deployment.account)
        if standing is None:
            standing = self._standings[deployment.account] = _Standing(self._senders.of(deployment), deployment)
            standing.task = self._beside(self._keep(standing))
        return standing

    async def _keep(self, standing: _Standing) -> None:
        """Until nothing trades the account any more. Who trades it again looks at it first."""
        account = standing.deployment.account
        while True:
            try:
                if await self._pass(standing):
                    del self._standings[account]
                    self._accounting.forget(account)
                    await self._senders.let_go(standing.deployment)
                    return
            except OmcError as fault:
                _log.info("an account cannot be compared", extra={"account": account, "why": fault})
            except Exception:
                _log.exception("an account cannot be compared", extra={"account": account})
            # What closes an account may just not be listed yet.
            faults = standing.faults or int(bool(standing.sender.closed.why))
            await self._rest(standing, self._ports.cadence.pause_s(faults) if faults else self._every_s(standing))

    async def _pass(self, standing: _Standing) -> bool:
        """True when there is nothing left to look at."""
        asked = standing.sender.doubted.is_set()
        standing.sender.doubted.clear()
        if standing.compared and not asked and not await self._trades(standing):
            waits = standing.traded_at is not None or standing.turn.locked() or standing.sender.doubted.is_set()
            return not waits
        async with standing.turn:
            if asked or not self._is_fresh(standing):
                await self._look(standing, standing.deployment)
        return False

    def _is_fresh(self, standing: _Standing) -> bool:
        """Whether somebody who could not wait has just compared it, and found nothing to look at again."""
        age_s = asyncio.get_running_loop().time() - standing.compared_at
        found_well = standing.compared and not standing.faults and not standing.sender.closed.why
        return found_well and age_s < self._every_s(standing) / 2

    async def _trades(self, standing: _Standing) -> bool:
        """Whether anything trades the account, or an order of it is not over. One that rests stays as it was left."""
        owned = await self._accounting.sharing(standing.deployment)
        return bool(standing.sender.under_way) or any(each.status is DeploymentStatus.ACTIVE for each in owned)

    async def _rest(self, standing: _Standing, pause_s: float) -> None:
        # Not `wait_for`: that forgets a cancellation which comes with the time-out.
        try:
            async with asyncio.timeout(pause_s):
                await standing.sender.doubted.wait()
        except TimeoutError:
            return

    def _every_s(self, standing: _Standing) -> float:
        """Accounts that began together are looked at apart; each always at the same distance."""
        share = crc32(standing.deployment.account.encode()) / 2**32
        return self._ports.reconcile_every_s * (1 - _JITTER + 2 * _JITTER * share)

    async def _look(self, standing: _Standing, deployment: Deployment) -> Reconciliation:
        """It is the caller's turn. What is found holds from here on."""
        try:
            found = await self._mending.mend(standing, deployment)
        except Exception as fault:
            await self._failed(standing, fault)
            raise
        standing.compared, standing.faults = True, 0
        standing.compared_at = asyncio.get_running_loop().time()
        return found

    async def _failed(self, standing: _Standing, fault: Exception) -> None:
        """An account that cannot be compared for some time is closed like one that does not compare: nobody knows what
        its books are worth."""
        now, sender = asyncio.get_running_loop().time(), standing.sender
        if not standing.faults:
            standing.failing_since = now
        standing.faults += 1
        long = now - standing.failing_since >= _PATIENCE * self._ports.reconcile_every_s
        if standing.faults < _FAULTS or not long or not standing.compared:
            return
        account = standing.deployment.account
        try:
            known = await self._ports.venue_book.known(account)
            if known is not None and known.compared is not None:
                closed = unread(known.compared, fault)
                sender.closed = replace(sender.closed, why=closed.closed or "")
                await self._ports.venue_book.compare(account, closed, None)
        except OmcError as unstored:
            _log.warning("that an account is closed cannot be told", extra={"account": account, "why": unstored})
