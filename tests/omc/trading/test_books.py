from decimal import Decimal

from omc.portfolio.account import Account
from omc.trading.books import differences, ours
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
