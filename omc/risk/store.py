"""What an owner limits, what losses are measured from, and what all deployments together hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from omc.errors import Overtaken
from omc.market.money import ZERO
from omc.risk.exposure import Level
from omc.risk.limits import AccountLimits
from omc.risk.standing import Sale, Standing
from omc.risk.verdict import Breach
from omc.trading.blotter import MemoryBlotter
from omc.trading.deployment import Deployment, DeploymentStatus, MemoryDeploymentStore, Mode
from omc.trading.fill import Side


@dataclass(frozen=True, slots=True)
class Place:
    """Whose figures: a deployment's, or those of all that an owner, or everybody, has in one mode."""

    mode: Mode
    user_id: UUID | None = None
    deployment_id: UUID | None = None

    @property
    def level(self) -> Level:
        if self.user_id is None:
            return Level.PLATFORM
        return Level.ACCOUNT if self.deployment_id is None else Level.DEPLOYMENT

    @property
    def key(self) -> str:
        return f"{self.level}:{self.deployment_id or self.user_id or ''}:{self.mode}"

    def has(self, deployment: Deployment) -> bool:
        mine = self.user_id in (None, deployment.user_id) and self.deployment_id in (None, deployment.id)
        return mine and deployment.mode is self.mode

    @classmethod
    def all_of(cls, deployment: Deployment) -> "tuple[Place, Place, Place]":
        """The nearest first."""
        mode, owner = deployment.mode, deployment.user_id
        return cls(mode, owner, deployment.id), cls(mode, owner), cls(mode)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What all deployments of a place hold. `put_in_aud` is the cash that all of them began with, `capital_aud` that of
    those that are not stopped: what a stopped one has earned or lost counts, its cash has gone back."""

    cash_aud: Decimal = ZERO
    put_in_aud: Decimal = ZERO
    capital_aud: Decimal = ZERO
    coins: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """Quantity and cost of each coin."""

    def worth_aud(self, bids_aud: Mapping[str, Decimal]) -> Decimal:
        """Of the coins, those that never had a bid at what they cost."""
        held = self.coins.items()
        return sum((quantity * bids_aud[coin] if coin in bids_aud else cost for coin, (quantity, cost) in held), ZERO)

    def equity_aud(self, bids_aud: Mapping[str, Decimal]) -> Decimal:
        return self.cash_aud + self.worth_aud(bids_aud) - (self.put_in_aud - self.capital_aud)

    def held(self, coin: str) -> Decimal:
        return self.coins.get(coin, (ZERO, ZERO))[0]


@dataclass(frozen=True, slots=True)
class BreachTold:
    """A breach as the journal has it, once a day: in that of the owner whose order, or deployment, met it."""

    user_id: UUID
    deployment_id: UUID
    breach: Breach

    def data(self) -> dict[str, Any]:
        breach = self.breach
        return {
            "level": str(breach.level),
            "limit": breach.limit,
            "figure": f"{breach.figure:f}",
            "threshold": f"{breach.threshold:f}",
        }


class RiskStore(Protocol):
    """Every method is one transaction."""

    async def limits(self, user_id: UUID) -> AccountLimits: ...

    async def set_limits(
        self, user_id: UUID, limits: AccountLimits, *, before: AccountLimits | None = None, once: UUID | None = None
    ) -> AccountLimits:
        """In the place of those before, from the next order on. Journaled. Overtaken, and nothing is changed, when they
        are not `before` any more. The operation `once` has its effect once: had already, it leaves what others have
        changed since."""
        ...

    async def standings(self, places: Sequence[Place]) -> dict[Place, Standing]:
        """Those that there are."""
        ...

    async def remember(self, standings: Mapping[Place, Standing], breaches: Sequence[BreachTold] = ()) -> None:
        """Store standings, and journal breaches."""
        ...

    async def forget(self, user_id: UUID | None, deployment_id: UUID | None) -> None:
        """Measure those losses anew that tripped a switch there: of a deployment, of an account and all that it has, or
        of the platform. What tripped none goes on to count. With one on paper goes its account's on paper: where the
        owner trades live, too, it stood in for that."""
        ...

    async def holdings(self, place: Place) -> Holdings:
        """As of one moment."""
        ...

    async def sales(self, place: Place, most: int) -> list[Sale]:
        """What the newest `most` orders that sold have earned, oldest first."""
        ...


@dataclass(slots=True)
class MemoryRiskStore:
    """A RiskStore that lives and dies with the process, over the twins of one floor."""

    deployments: MemoryDeploymentStore | None = None
    blotter: MemoryBlotter | None = None
    kept: dict[UUID, AccountLimits] = field(default_factory=dict)
    stood: dict[Place, Standing] = field(default_factory=dict)
    done: set[UUID] = field(default_factory=set)
    """Operations that have had their effect."""

    async def limits(self, user_id: UUID) -> AccountLimits:
        return self.kept.get(user_id, AccountLimits())

    async def set_limits(
        self, user_id: UUID, limits: AccountLimits, *, before: AccountLimits | None = None, once: UUID | None = None
    ) -> AccountLimits:
        if once in self.done:
            return await self.limits(user_id)
        if before is not None and before != await self.limits(user_id):
            raise Overtaken("the account's limits have been changed since they were read")
        self.kept[user_id] = limits
        self.done |= {once} if once is not None else set()
        self._write(user_id, None, "limits", {**limits.bounds.told(), "time_zone": limits.time_zone})
        return limits

    async def standings(self, places: Sequence[Place]) -> dict[Place, Standing]:
        return {place: self.stood[place] for place in places if place in self.stood}

    async def remember(self, standings: Mapping[Place, Standing], breaches: Sequence[BreachTold] = ()) -> None:
        self.stood.update(standings)
        for each in breaches:
            self._write(each.user_id, each.deployment_id, "breach", each.data())

    async def forget(self, user_id: UUID | None, deployment_id: UUID | None) -> None:
        kept = self.deployments.kept if self.deployments else {}
        deployment = kept.get(deployment_id) if deployment_id else None
        for place, standing in list(self.stood.items()):
            if standing.tripped and _forgotten(place, user_id, deployment_id, deployment):
                del self.stood[place]

    async def holdings(self, place: Place) -> Holdings:
        cash = put_in = capital = ZERO
        coins: dict[str, tuple[Decimal, Decimal]] = {}
        for deployment in self._deployments(place):
            account = await self._books().account(deployment.id)
            cash, put_in = cash + account.cash_aud, put_in + account.deposited_aud
            capital += account.deposited_aud if deployment.status is not DeploymentStatus.STOPPED else ZERO
            for coin, position in account.positions.items():
                quantity, cost = coins.get(coin, (ZERO, ZERO))
                coins[coin] = quantity + position.quantity, cost + position.cost_aud
        return Holdings(cash, put_in, capital, {coin: held for coin, held in coins.items() if held[0]})

    async def sales(self, place: Place, most: int) -> list[Sale]:
        found: list[Sale] = []
        for deployment in self._deployments(place):
            books = self._books()
            trades, _ = await books.trades(deployment.user_id, deployment.id, 0, 1_000_000)
            earned: dict[str, Sale] = {}
            for trade in reversed(trades):
                if trade.fill.side is Side.SELL:
                    known, result = earned.get(trade.client_order_id), books.earned(deployment.id, trade.fill)
                    result += known.result_aud if known else ZERO
                    earned[trade.client_order_id] = Sale(trade.fill.executed_at, result)
            found += earned.values()
        return sorted(found, key=lambda sale: sale.at)[-most:]

    def _deployments(self, place: Place) -> Iterable[Deployment]:
        kept = self.deployments.kept.values() if self.deployments else ()
        return [each for each in kept if place.has(each)]

    def _books(self) -> MemoryBlotter:
        if self.blotter is None:
            raise ValueError("there is no blotter beside these deployments")
        return self.blotter

    def _write(self, user_id: UUID, deployment_id: UUID | None, kind: str, data: Mapping[str, Any]) -> None:
        if self.deployments is not None:
            now = self.deployments.clock.now()
            self.deployments.journal.write(user_id, kind, data, at=now, deployment_id=deployment_id)


def _forgotten(place: Place, user_id: UUID | None, deployment_id: UUID | None, deployment: Deployment | None) -> bool:
    """Whether a reset there measures the losses of `place` anew, where they tripped a switch."""
    if user_id is None or place.user_id != user_id:
        return place.user_id is user_id
    if deployment_id in (None, place.deployment_id):
        return True
    return deployment is not None and deployment.mode is Mode.PAPER and place == Place(Mode.PAPER, user_id)
