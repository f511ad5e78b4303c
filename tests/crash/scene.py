"""A platform under load, and the one deployment on it that a crash is aimed at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from tests.crash.exchange import Exchange
from tests.crash.invariants import OurOrder, Ours, Venues, violations
from tests.crash.people import Person
from tests.crash.rows import Lock, Rows
from tests.crash.waiting import NeverCame, until

_UNDER_WAY = ["submitted", "unknown", "accepted", "partial", "cancelling", "replacing", "unresolved"]
_ORDERS = """
    SELECT client_order_id, coinspot_order_id, side, coin_type, quantity, price, status FROM orders
    WHERE deployed_algorithm_id = %s ORDER BY seq
"""
_TRADES = """
    SELECT o.coinspot_order_id, t.coin_type, t.side, t.quantity, t.total_value, t.fees
    FROM trades t JOIN orders o ON o.id = t.order_id WHERE t.deployed_algorithm_id = %s ORDER BY t.seq
"""
_EARNED = (
    "SELECT coalesce(sum(realized_pnl), 0), coalesce(sum(fees), 0) FROM positions WHERE deployed_algorithm_id = %s"
)


@dataclass(slots=True)
class Scene:
    """`deployment_id` names the account at the exchange, too."""

    exchange: Exchange
    rows: Rows
    person: Person
    name: str
    deployment_id: UUID
    told: list[str] = field(default_factory=list)
    """Sentences about what should not have happened on the way."""

    @property
    def account(self) -> str:
        return str(self.deployment_id)

    @property
    def trader(self) -> str:
        return f"trader:{self.name}:{self.deployment_id.hex[:8]}"

    @property
    def path(self) -> str:
        return f"/floor/algorithms/{self.deployment_id}"

    def count(self, *statuses: str) -> int:
        which = "SELECT count(*) FROM orders WHERE deployed_algorithm_id = %s AND status = ANY(%s)"
        return int(self.rows.one(which, self.deployment_id, list(statuses)))

    @property
    def done_until(self) -> datetime | None:
        """The last bar that its trader is done with."""
        which = "SELECT done_until FROM trader_memory WHERE deployed_algorithm_id = %s"
        found: datetime | None = self.rows.one(which, self.deployment_id)
        return found

    @contextmanager
    def locked(self, query: str, *values: object) -> Iterator[Lock]:
        """Hold rows from outside, as soon as there are any."""
        lock = until(lambda: self.rows.lock(query, *values), "a row to lock")
        try:
            yield lock
        finally:
            lock.let_go()

    def goes_on(self, orders: int, bars_s: float, within_s: float) -> None:
        """Return when the exchange has taken so many orders more, and as much of the tape has passed. NeverCame says
        how the deployment stands."""
        began, taken = self.done_until, len(self.exchange.taken(self.account))

        def on() -> bool:
            now = self.done_until
            moved = now is not None and (began is None or (now - began).total_seconds() >= bars_s)
            return moved and len(self.exchange.taken(self.account)) >= taken + orders

        try:
            until(on, f"trading of {self.name}", within_s)
        except NeverCame as fault:
            status = "SELECT status, last_error FROM deployed_algorithms WHERE id = %s"
            raise NeverCame(f"{fault}: it is {self.rows.ask(status, self.deployment_id)}") from None

    def pause(self) -> None:
        self.person.ask("POST", f"{self.path}/pause")

    def violations(self, within_s: float = 60.0) -> list[str]:
        """What does not hold of its account once it is quiet; a moment is given for what was under way to be found."""

        def none() -> bool:
            self.rows.ask("SELECT 1")
            return not (self.count(*_UNDER_WAY) or self._violations())

        try:
            until(none, "books that are right", within_s)
        except NeverCame:
            return [*self.told, *(self._violations() or ["an order is left under way"])]
        return [*self.told, *self._shown()]

    def _violations(self) -> list[str]:
        # Ours first: whatever the exchange did since is a difference that goes away, and none that is missed.
        ours = self._ours()
        return violations(self._venues(), ours)

    def _ours(self) -> Ours:
        deployment = self.deployment_id
        orders = [OurOrder(row[0], row[1], tuple(row[2:6]), row[6]) for row in self.rows.ask(_ORDERS, deployment)]
        account = "SELECT deposited, cash FROM deployment_accounts WHERE deployed_algorithm_id = %s"
        ((deposited, cash),) = self.rows.ask(account, deployment)
        held = "SELECT coin_type, quantity FROM positions WHERE deployed_algorithm_id = %s AND quantity <> 0"
        positions = dict(self.rows.ask(held, deployment))
        ((realized, fees),) = self.rows.ask(_EARNED, deployment)
        return Ours(deposited, orders, self.rows.ask(_TRADES, deployment), cash, positions, realized, fees)

    def _venues(self) -> Venues:
        taken = [each.order for each in self.exchange.taken(self.account)]
        wallet = self.exchange.venue.wallet(self.account)
        coins = {coin: quantity for coin, quantity in dict(wallet.coins).items() if quantity}
        balances = {"AUD": wallet.cash_aud, **coins}
        return Venues(taken, list(wallet.executions), list(wallet.orders), balances)

    def _shown(self) -> list[str]:
        """What the platform itself says of the account, where that is not what its owner would want to read."""
        found = []
        earned = self.person.ask("GET", f"/floor/pnl/summary?deployment_id={self.deployment_id}")["data"]
        ours = self._ours()
        for name, value in (("realized_pnl_aud", ours.realized_aud), ("fees_aud", ours.fees_aud)):
            if Decimal(earned[name]) != value:
                found.append(f"{name} is shown as {earned[name]} and is {value}")
        compared = self.person.ask("GET", f"/floor/reconciliation?now=true&deployment_id={self.deployment_id}")
        (row,) = compared["items"]
        if row["differences"] or row["closed"] or row["held"] or row["external"]:
            found.append(f"the platform's own reconciliation says {row}")
        return found
