from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from omc.portfolio.account import Account
from omc.trading.reconciliation.books import CASH, differences, less, moved, ours, summed
from tests.omc.trading.test_outcome import filled


def test_equal_books_have_no_differences() -> None:
    account = Account.opened_with(Decimal("100.00")).apply(filled("2"), Decimal(1))
    assert ours(account) == {"AUD": Decimal("99.00"), "BTC": Decimal(2)}
    assert differences(ours(account), {"AUD": Decimal(99), "BTC": Decimal("2.0"), "ETH": Decimal(0)}) == ()


def test_each_difference_is_one_sentence() -> None:
    assert differences({"AUD": Decimal(1), "BTC": Decimal("0.00000001")}, {"AUD": Decimal(2), "ETH": Decimal(3)}) == (
        "AUD: our books say 1, the venue says 2",
        "BTC: our books say 0.00000001, the venue says 0",
        "ETH: our books say 0, the venue says 3",
    )


balances = st.dictionaries(st.sampled_from(["AUD", "BTC", "ETH"]), st.decimals(-1000, 1000, places=8))


@given(balances, balances)
def test_what_is_added_and_taken_away_again_has_changed_nothing(
    one: dict[str, Decimal], other: dict[str, Decimal]
) -> None:
    assert less(summed(one, other), other) == summed(one)
    assert summed(one, other) == summed(other, one)
    assert differences(summed(one), one) == ()


def test_what_fills_moved_is_what_an_account_has_more_and_less() -> None:
    account = Account.opened_with(Decimal("100.00"))
    fill = filled("2")
    assert moved([fill]) == less(ours(account.apply(fill, Decimal(1))), ours(account))
    assert moved([]) == {CASH: Decimal(0)}
