"""All that a risk desk does about halts: it hears of them, carries them out, lets go of them, and trips some itself."""

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from actors.halts.emergency import Emergency
from actors.halts.getting_out import GettingOut
from actors.halts.watch import HaltWatch
from actors.limits.rounds import Rounds
from omc.risk.kill_switch import Halt, HaltLevel
from omc.trading.floor import HaltReport

if TYPE_CHECKING:
    from actors.orders.sender import Office, RiskPorts
    from actors.orders.senders import Senders


class Halting:
    def __init__(self, ports: "RiskPorts", office: "Office", senders: "Senders") -> None:
        self._getting_out = GettingOut(ports, office, senders)
        self._emergency = Emergency(ports, office, senders, self._getting_out)
        self._watch = HaltWatch(ports, senders.exposures, self._emergency)
        self._rounds = Rounds(ports, office, senders.exposures)

    @property
    def selling(self) -> bool:
        """Whether anything is still being sold after a stop."""
        return self._getting_out.selling

    def begin(self) -> set[asyncio.Task[None]]:
        """What goes on beside the desk's orders, from its first moment on: halts bind before it has recovered."""
        return {asyncio.create_task(self._watch.run()), asyncio.create_task(self._rounds.run())}

    async def recover(self) -> None:
        await self._watch.recover()

    def heard(self, halt: Halt) -> None:
        """It takes hold now, on any thread: nothing that it stops leaves this desk any more."""
        self._watch.heard(halt)

    async def carry_out(
        self, user_id: UUID | None, liquidate: bool, deployment_id: UUID | None, level: HaltLevel
    ) -> HaltReport:
        return await self._emergency.halt(user_id, liquidate, deployment_id, level)

    async def release(self, user_id: UUID | None, deployment_id: UUID | None) -> None:
        # Nobody may find sold what he buys when he has begun to trade again.
        self._getting_out.end((user_id, deployment_id), "the halt was reset")
        await self._watch.release(user_id, deployment_id)
