"""Our books made the venue's, because a person says that the venue is right.

Coins that we claim and the venue has not are sold by nobody, at what they are worth, out of the books that hold most of
them and have not promised them to an order: what that executes must still be there. On an account that is ours alone,
coins that it has and nobody claims are bought likewise. What then is left between our cash and the venue's is cash that
came or went: it counts as deposited or withdrawn, so it is neither gain nor loss. The names of these fills are made of
what they say: accepting the same state again makes the same fills.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from omc.errors import Conflict
from omc.market.money import SATOSHI, ZERO, cents
from omc.market.terms import OrderKind, Terms
from omc.portfolio.account import Account
from omc.trading.fill import Fill, Side
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.reconciliation.books import CASH, less, ours, summed
from omc.trading.reconciliation.promises import promised
from omc.trading.reconciliation.synthetic import Held, at_worth

SYNTHETIC = "synthetic"


def is_synthetic(intent: OrderIntent) -> bool:
    """Whether it was made up to bring books to the venue's."""
    return f":{SYNTHETIC}:" in intent.client_order_id


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What moves one deployment's books: fills with the price that each is worth, and cash deposited (withdrawn, below
    zero)."""

    deployment_id: UUID
    fills: tuple[tuple[Fill, Decimal], ...] = ()
    deposited_aud: Decimal = ZERO

    def orders(self, user_id: UUID, reason: str) -> tuple[Order, ...]:
        """The orders that these fills are shown under: one each, filled, and never sent to anybody."""
        return tuple(
            Order(
                OrderIntent(
                    client_order_id=f"{self.deployment_id}:{fill.fill_id}",
                    deployment_id=self.deployment_id,
                    user_id=user_id,
                    coin=fill.coin,
                    side=fill.side,
                    quantity=fill.quantity,
                    kind=OrderKind.MARKET,
                    quote_price_aud=price_aud,
                    quoted_at=fill.executed_at,
                    decided_at=fill.executed_at,
                    reason=reason,
                ),
                OrderStatus.FILLED,
                fills=(fill,),
            )
            for fill, price_aud in self.fills
        )

    def of(self, account: Account) -> Account:
        """`account` after this."""
        for fill, price_aud in self.fills:
            account = account.apply(fill, price_aud)
        cash = account.cash_aud + self.deposited_aud
        return Account(account.deposited_aud + self.deposited_aud, cash, account.positions)

    def told(self, account: Account, reason: str) -> dict[str, Any]:
        """What the journal says of it; `account` is what it led to."""
        fills = [asdict(fill) for fill, _ in self.fills]
        return {"fills": fills, "deposited_aud": self.deposited_aud, "cash_aud": account.cash_aud, "reason": reason}


@dataclass(frozen=True, slots=True)
class Sharing:
    """The books that share an account."""

    accounts: Mapping[UUID, Account]
    """By deployment."""
    alone: bool
    """Nobody pays into the account or trades it but the one deployment."""
    retired: frozenset[UUID] = frozenset()
    """Deployments that were stopped for good: their coins are claimed, and their cash is the owner's again."""
    under_way: tuple[Order, ...] = ()
    """Orders that the venue has, and that are not over."""

    def claims(self, accounts: Mapping[UUID, Account]) -> dict[str, Decimal]:
        """What `accounts` say together."""
        held = {each: ours(account) for each, account in accounts.items()}
        return summed(*({**of, CASH: ZERO} if each in self.retired else of for each, of in held.items()))

    def promised(self, deployment_id: UUID, coin: str, terms: Terms) -> Decimal:
        """What orders of one of them may still take of a coin, or of its cash."""
        own = [each for each in self.under_way if each.intent.deployment_id == deployment_id]
        return sum((promised(each, terms).get(coin, ZERO) for each in own), ZERO)

    def check_free(self, coin: str, missing: Decimal, terms: Terms) -> None:
        """Conflict, naming the orders, when more of a coin is missing than no order under way has promised."""
        if missing > 0:
            names = [each.intent.client_order_id for each in self.under_way if coin in promised(each, terms)]
            raise Conflict(f"{missing:f} {coin} more are missing than is free: {', '.join(names)} must end first")


def accepted(
    sharing: Sharing,
    balances: Mapping[str, Decimal],
    own: Mapping[str, Decimal],
    marks: Mapping[str, Decimal],
    *,
    at: datetime,
    terms: Terms,
) -> tuple[Adjustment, ...]:
    """What makes the books claim no more than `balances` has; on an account that is theirs alone, just what it has
    beyond the `own` that is known to be others'. `marks` are bids; what has none is worth its cost. Conflict when
    what is missing was promised to an order under way."""
    books = sharing.accounts
    claims = sharing.claims(books)
    left = dict(books)
    fills: dict[UUID, list[tuple[Fill, Decimal]]] = {deployment_id: [] for deployment_id in books}
    short = less(claims, balances)
    for coin in sorted(coin for coin, quantity in short.items() if coin != CASH and quantity > 0):
        missing = short[coin]
        for deployment_id in _holders(left, coin):
            held = left[deployment_id].position(coin)
            taken = min(missing, held.quantity - sharing.promised(deployment_id, coin, terms))
            if taken <= 0:
                continue
            price = marks.get(coin) or held.average_price_aud
            fill = _fill(deployment_id, left[deployment_id], coin, Side.SELL, taken, price, at)
            fills[deployment_id].append((fill, max(price, SATOSHI)))
            left[deployment_id] = left[deployment_id].apply(fill, price)
            missing -= taken
        sharing.check_free(coin, missing, terms)
    if sharing.alone:
        (deployment_id,) = books
        beyond = less(balances, summed(claims, own))
        for coin in sorted(coin for coin, quantity in beyond.items() if coin != CASH and quantity > 0):
            if coin in marks:
                fill = _fill(deployment_id, left[deployment_id], coin, Side.BUY, beyond[coin], marks[coin], at)
                fills[deployment_id].append((fill, marks[coin]))
                left[deployment_id] = left[deployment_id].apply(fill, marks[coin])
    cash = _cash(sharing, left, balances, own, terms)
    made = [Adjustment(each, tuple(fills[each]), cash.get(each, ZERO)) for each in books]
    return tuple(each for each in made if each.fills or each.deposited_aud)


def _holders(books: Mapping[UUID, Account], coin: str) -> list[UUID]:
    """Who holds most of a coin first."""
    return sorted(books, key=lambda each: (-books[each].position(coin).quantity, each))


def _cash(
    sharing: Sharing,
    books: Mapping[UUID, Account],
    balances: Mapping[str, Decimal],
    own: Mapping[str, Decimal],
    terms: Terms,
) -> dict[UUID, Decimal]:
    """Cash that came or went, by deployment. Below zero where nobody has it: whose cash is most gives most."""
    missing = sharing.claims(books)[CASH] - balances.get(CASH, ZERO)
    if sharing.alone:
        (deployment_id,) = books
        there = balances.get(CASH, ZERO)
        to_be = there - min(max(own.get(CASH, ZERO), ZERO), there)
        change = to_be - books[deployment_id].cash_aud
        if change < 0:
            sharing.check_free(CASH, sharing.promised(deployment_id, CASH, terms) - to_be, terms)
        return {deployment_id: change}
    gone: dict[UUID, Decimal] = {}
    solvent = (each for each in books if each not in sharing.retired)
    for deployment_id in sorted(solvent, key=lambda each: (-books[each].cash_aud, each)):
        free = books[deployment_id].cash_aud - sharing.promised(deployment_id, CASH, terms)
        if missing > 0 and free > 0:
            gone[deployment_id] = -min(missing, free)
            missing += gone[deployment_id]
    if sharing.under_way:
        sharing.check_free(CASH, missing, terms)
    return gone


def _fill(
    deployment_id: UUID, account: Account, coin: str, side: Side, quantity: Decimal, price_aud: Decimal, at: datetime
) -> Fill:
    position, name = account.position(coin), f"{deployment_id}:{coin}:{account.cash_aud:f}"
    held = Held(position.quantity, position.average_price_aud)
    to_be = position.quantity + (quantity if side is Side.BUY else -quantity)
    made = at_worth(name, held, to_be, price_aud)
    return Fill(
        fill_id=f"{SYNTHETIC}:{made.synthetic_id}",
        coin=coin,
        side=made.side,
        quantity=made.quantity,
        total_aud=cents(made.quantity * made.price_aud),
        fee_aud=ZERO,
        executed_at=at,
    )
