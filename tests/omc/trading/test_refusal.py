import pytest

from omc.trading.refusal import Refusal, named
from omc.trading.venue import Rejected


@pytest.mark.parametrize(
    ("message", "refusal"),
    [
        ("my/buy: Insufficient AUD funds", Refusal.FUNDS),
        ("my/sell/now: Coin not found", Refusal.NOT_LISTED),
        ("Invalid market", Refusal.NOT_LISTED),
        ("Amount is below the minimum of 1.00 AUD", Refusal.TOO_SMALL),
        ("The rate has moved beyond your threshold", Refusal.MOVED),
        ("who knows", Refusal.OTHER),
        ("", Refusal.OTHER),
    ],
)
def test_a_no_has_a_name_where_its_words_tell(message: str, refusal: Refusal) -> None:
    assert named(message) is Rejected(message).refusal is refusal


def test_a_key_that_is_not_taken_is_told_by_the_adapter() -> None:
    assert Rejected("invalid key", key=True).refusal is Refusal.KEY
