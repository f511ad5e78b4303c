"""An account at a venue that several deployments may trade, and its owner too: what of it is whose."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from omc.market.money import ZERO
from omc.portfolio.account import Account
from omc.trading.deployment import Deployment, DeploymentStatus, Mode
from omc.trading.order import Order
from omc.trading.reconciliation.acceptance import Sharing
from omc.trading.reconciliation.books import CASH, less, ours, summed
from omc.trading.reconciliation.venue_book import Known


def sharing(
    deployments: Sequence[Deployment], accounts: Mapping[UUID, Account], under_way: Sequence[Order] = ()
) -> Sharing:
    """The books that share an account. The cash of one that was stopped for good is its owner's again, on an account
    that they own."""
    retired = {each.id for each in deployments if each.mode is Mode.LIVE and each.status is DeploymentStatus.STOPPED}
    alone = all(each.mode is Mode.PAPER for each in deployments)
    books = {each.id: accounts[each.id] for each in deployments}
    return Sharing(books, alone, frozenset(retired), tuple(under_way))


def claims(deployments: Sequence[Deployment], accounts: Mapping[UUID, Account]) -> dict[str, Decimal]:
    """What the books say, together."""
    return sharing(deployments, accounts).claims(accounts)


def earned(accounts: Mapping[UUID, Account]) -> dict[str, Decimal]:
    """What our own orders have changed of the account so far."""
    return summed(*(less(ours(each), {CASH: each.deposited_aud}) for each in accounts.values()))


def own(known: Known, deployments: Sequence[Deployment], accounts: Mapping[UUID, Account]) -> dict[str, Decimal]:
    """What the account should hold besides what our books claim of it."""
    paper = all(each.mode is Mode.PAPER for each in deployments)
    # A paper account is opened with what its deployment may use.
    opening = {CASH: sum((each.deposited_aud for each in accounts.values()), ZERO)} if paper else known.opening
    should = summed(opening, earned(accounts), known.outside)
    return less(should, claims(deployments, accounts))
