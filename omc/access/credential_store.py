"""Where sealed keys are kept, one for each keyhole of a user."""

from dataclasses import dataclass, field, replace
from typing import Protocol
from uuid import UUID

from omc.access.credential import Access, Credential, Keyhole, Use
from omc.access.redaction import redacted
from omc.access.vault import key_id
from omc.clock import Clock
from omc.errors import Conflict, NotFound
from omc.trading.deployment import Deployment, DeploymentStatus, MemoryDeploymentStore, Mode


class CredentialStore(Protocol):
    """Sealed keys, one for each keyhole of a user. Every change is journaled as `credentials`, without a secret."""

    async def add(self, credential: Credential) -> Credential:
        """Conflict when the user has one for this keyhole already."""
        ...

    async def replace(self, credential: Credential) -> Credential:
        """In place of the one that there is. NotFound when there is none; Conflict while an order of the account is
        under way that was sent with it, unless the venue does not take it any more: nothing sent with it can be
        executed then."""
        ...

    async def get(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        """NotFound when there is none."""
        ...

    async def of(self, user_id: UUID) -> list[Credential]:
        """All of a user's, exchanges first, by name."""
        ...

    async def examined(self, credential: Credential, access: Access, message: str | None) -> Credential:
        """What the venue said of it, now. One that cannot trade pauses every live deployment that trades by it, in the
        same transaction. NotFound when it was replaced or deleted meanwhile."""
        ...

    async def promise(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        """Its owner says that it cannot withdraw. NotFound when there is none."""
        ...

    async def delete(self, user_id: UUID, keyhole: Keyhole) -> None:
        """NotFound when there is none, Conflict while an active live deployment trades by it, and as `replace`."""
        ...

    async def hold(self, user_id: UUID, keyhole: Keyhole, reason: str) -> list[UUID]:
        """Nothing can be traded by what is stored for a keyhole, if anything is: pause every live deployment that
        would, in one transaction; which that were."""
        ...

    async def vault_keys(self) -> frozenset[str]:
        """Ids of the vault's keys that anything stored is sealed under."""
        ...

    async def sealed_otherwise(self, vault_key: str) -> list[Credential]:
        """Everybody's that are not sealed under the vault's key of that id, or not whole."""
        ...

    async def reseal(self, credential: Credential) -> bool:
        """The same secrets, sealed anew. False, and nothing is stored, when it was replaced or deleted meanwhile."""
        ...


def paused_because(keyhole: Keyhole, message: str | None) -> str:
    return f"{keyhole.name} does not let its key trade: {message or 'it does not say why'}"


def in_use(keyhole: Keyhole, deployment: str) -> Conflict:
    return Conflict(f"{deployment} trades live by this key of {keyhole.name}: pause it first, or replace the key")


def under_way(keyhole: Keyhole, deployment: str, client_order_id: str) -> Conflict:
    return Conflict(
        f"{deployment} has order {client_order_id} under way at {keyhole.name}, and what becomes of it shows only to "
        "the key that it was sent with: ask again when it has ended, or first have the venue take this key no more"
    )


@dataclass(slots=True)
class MemoryCredentialStore:
    """A CredentialStore that lives and dies with the process."""

    clock: Clock
    deployments: MemoryDeploymentStore
    kept: dict[tuple[UUID, Keyhole], Credential] = field(default_factory=dict)

    async def add(self, credential: Credential) -> Credential:
        if (credential.user_id, credential.keyhole) in self.kept:
            raise exists_already(credential.keyhole)
        return self._keep(credential, "stored")

    async def replace(self, credential: Credential) -> Credential:
        self._check_settled(await self.get(credential.user_id, credential.keyhole))
        return self._keep(credential, "replaced")

    async def get(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        found = self.kept.get((user_id, keyhole))
        if found is None:
            raise nothing_there(keyhole)
        return found

    async def of(self, user_id: UUID) -> list[Credential]:
        owned = [each for each in self.kept.values() if each.user_id == user_id]
        return sorted(owned, key=lambda each: (each.keyhole.use, each.keyhole.name))

    async def examined(self, credential: Credential, access: Access, message: str | None) -> Credential:
        found = await self.get(credential.user_id, credential.keyhole)
        if found.id != credential.id:
            raise nothing_there(credential.keyhole)
        told = replace(found, access=access, message=message, checked_at=self.clock.now())
        reason, paused = paused_because(credential.keyhole, message), list[UUID]()
        if access is not Access.FULL:
            paused = await self.hold(credential.user_id, credential.keyhole, reason)
        return self._keep(told, "examined", access=access.value, message=message, paused=[str(each) for each in paused])

    async def promise(self, user_id: UUID, keyhole: Keyhole) -> Credential:
        found = await self.get(user_id, keyhole)
        return self._keep(replace(found, withdrawals_disabled=True), "promised")

    async def delete(self, user_id: UUID, keyhole: Keyhole) -> None:
        found = await self.get(user_id, keyhole)
        for each in self._live(user_id, keyhole, DeploymentStatus.ACTIVE):
            raise in_use(keyhole, each.name)
        self._check_settled(found)
        del self.kept[user_id, keyhole]
        self._tell(found, "deleted")

    async def hold(self, user_id: UUID, keyhole: Keyhole, reason: str) -> list[UUID]:
        paused = self._live(user_id, keyhole, DeploymentStatus.ACTIVE)
        for each in paused:
            await self.deployments.set_status(each.id, DeploymentStatus.PAUSED, reason)
            await self.deployments.report_error(each.id, reason)
        return [each.id for each in paused]

    async def vault_keys(self) -> frozenset[str]:
        every = (text for each in self.kept.values() for text in each.sealed.values())
        return frozenset(key_id(text) for text in every)

    async def sealed_otherwise(self, vault_key: str) -> list[Credential]:
        return [each for each in self.kept.values() if not each.sealed_under(vault_key)]

    async def reseal(self, credential: Credential) -> bool:
        found = self.kept.get((credential.user_id, credential.keyhole))
        if found is None or found.id != credential.id:
            return False
        self._keep(replace(found, sealed=credential.sealed), "resealed")
        return True

    def _live(self, user_id: UUID, keyhole: Keyhole, *statuses: DeploymentStatus) -> list[Deployment]:
        return [
            each
            for each in self.deployments.kept.values()
            if each.user_id == user_id
            and each.mode is Mode.LIVE
            and Keyhole(Use.EXCHANGE, each.venue) == keyhole
            and each.status in (statuses or tuple(DeploymentStatus))
        ]

    def _check_settled(self, stored: Credential) -> None:
        if stored.access is Access.REFUSED:
            return
        live = {each.id: each.name for each in self._live(stored.user_id, stored.keyhole)}
        for name, (deployment_id, _) in self.deployments.unsettled.items():
            if deployment_id in live:
                raise under_way(stored.keyhole, live[deployment_id], name)

    def _keep(self, credential: Credential, event: str, **data: object) -> Credential:
        self.kept[credential.user_id, credential.keyhole] = credential
        self._tell(credential, event, **data)
        return credential

    def _tell(self, credential: Credential, event: str, **data: object) -> None:
        told = {"event": event, "use": credential.keyhole.use.value, "name": credential.keyhole.name, **data}
        self.deployments.journal.write(credential.user_id, "credentials", told, at=self.clock.now())


def exists_already(keyhole: Keyhole) -> Conflict:
    return Conflict(f"there is a key for {keyhole.name} already: PUT replaces it")


def nothing_there(keyhole: Keyhole) -> NotFound:
    # The name may be a key itself, that somebody put into the path.
    return NotFound(f"there is no key for {redacted(keyhole.name)}")
