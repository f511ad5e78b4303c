"""The senders of a risk desk, one for each account at a venue: made when an account is first asked for, and let go of
when nobody trades it any more."""

from collections.abc import Callable
from uuid import UUID

from actors.limits.exposures import Exposures
from actors.office import Office, RiskPorts
from actors.orders.aftercare import Aftercare, Beside
from actors.orders.sender import Sender
from omc.trading.deployment import Deployment
from omc.trading.order import Order


class Senders:
    def __init__(self, ports: RiskPorts, office: Office, beside: Beside, retire: Callable[[], None]) -> None:
        self.exposures = Exposures(ports, self.under_way)
        self.aftercare = Aftercare(ports, office, beside)
        self._made_with = ports, office, self.exposures, self.aftercare, retire, self.known
        self._by_account: dict[str, Sender] = {}
        self._seen: dict[UUID, Deployment] = {}

    def of(self, deployment: Deployment) -> Sender:
        self._seen[deployment.id] = deployment
        if deployment.account not in self._by_account:
            self._by_account[deployment.account] = Sender(*self._made_with)
        return self._by_account[deployment.account]

    def known(self, deployment_id: UUID) -> Deployment | None:
        """A deployment whose sender is here, as it was when it was last asked for."""
        return self._seen.get(deployment_id)

    async def let_go(self, deployment: Deployment) -> None:
        """Forget an account that nobody trades, unless anything of it is under way."""
        account = deployment.account
        sender = self._by_account.get(account)
        if sender is None or not sender.at_rest or self.aftercare.looks_after(sender):
            return
        del self._by_account[account]
        gone = [each.id for each in self._seen.values() if each.account == account]
        for each in gone:
            del self._seen[each]
        self.exposures.forget(gone)
        await sender.door.leave()

    def seen(self) -> list[Deployment]:
        """The deployments whose senders are here, as they were when they were last asked for."""
        return list(self._seen.values())

    def under_way(self) -> list[Order]:
        """What was sent and is not final, of every account."""
        return [order for sender in self._by_account.values() for order in sender.under_way.values()]

    def knows(self, deployment: Deployment) -> bool:
        return deployment.account in self._by_account

    async def idle(self) -> None:
        """Return when every order under way has come to its end."""
        for sender in list(self._by_account.values()):
            async with sender.lock:
                pass
