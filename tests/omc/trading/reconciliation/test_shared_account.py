"""Of an account that several deployments trade, and its owner too, everything is somebody's."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from omc.portfolio.account import Account
from omc.trading.deployment import DeploymentStatus, Mode
from omc.trading.fill import Fill, Side
from omc.trading.reconciliation.books import summed
from omc.trading.reconciliation.shared_account import claims, earned, own
from omc.trading.reconciliation.venue_book import Known
from tests.actors.mortal import deployment

NOON = datetime(2025, 1, 1, tzinfo=UTC)
ONE, TWO = deployment(1, mode=Mode.LIVE), deployment(2, mode=Mode.LIVE)
BOUGHT = Fill("f", "BTC", Side.BUY, Decimal(2), Decimal("200.20"), Decimal("0.20"), NOON)
ACCOUNTS = {
    ONE.id: Account.opened_with(Decimal(1000)).apply(BOUGHT, Decimal(100)),
    TWO.id: Account.opened_with(Decimal(3000)),
}
KNOWN = Known("shared", UUID(int=7), {"AUD": Decimal(10_000), "ETH": Decimal(5)}, {"ETH": Decimal(-1)})


def test_what_our_orders_changed_is_apart_from_what_was_allotted() -> None:
    assert earned(ACCOUNTS) == {"AUD": Decimal("-200.20"), "BTC": Decimal(2)}


def test_what_is_neither_ours_nor_gone_is_the_owners() -> None:
    ours, theirs = claims((ONE, TWO), ACCOUNTS), own(KNOWN, (ONE, TWO), ACCOUNTS)
    assert ours == {"AUD": Decimal("3799.80"), "BTC": Decimal(2)}
    assert theirs == {"AUD": Decimal(6000), "ETH": Decimal(4)}
    assert summed(ours, theirs) == {"AUD": Decimal("9799.80"), "BTC": Decimal(2), "ETH": Decimal(4)}


def test_a_new_deployment_takes_its_cash_from_what_was_the_owners() -> None:
    three = deployment(3, mode=Mode.LIVE)
    more = {**ACCOUNTS, three.id: Account.opened_with(Decimal(500))}
    assert own(KNOWN, (ONE, TWO, three), more)["AUD"] == 5500
    assert claims((ONE, TWO, three), more)["AUD"] == Decimal("4299.80")


def test_the_cash_of_one_that_was_stopped_is_the_owners_again_and_its_coins_are_not() -> None:
    stopped = replace(ONE, status=DeploymentStatus.STOPPED)
    assert claims((stopped, TWO), ACCOUNTS) == {"AUD": Decimal(3000), "BTC": Decimal(2)}
    assert own(KNOWN, (stopped, TWO), ACCOUNTS)["AUD"] == Decimal("6799.80")


def test_a_paper_account_was_opened_with_what_its_deployment_may_use() -> None:
    paper = deployment(1)
    known = Known("paper", UUID(int=7), {}, {"DOGE": Decimal(3)})
    held = {paper.id: ACCOUNTS[ONE.id]}
    assert own(known, (paper,), held) == {"AUD": Decimal(0), "DOGE": Decimal(3)}
    assert claims((replace(paper, status=DeploymentStatus.STOPPED),), held)["AUD"] == Decimal("799.80")
