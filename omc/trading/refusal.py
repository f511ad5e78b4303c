"""Why a venue said no, as far as it can be told from its words: CoinSpot gives a sentence and no code."""

from enum import StrEnum


class Refusal(StrEnum):
    KEY = "credentials_refused"
    FUNDS = "not_enough_funds"
    NOT_LISTED = "coin_not_listed"
    TOO_SMALL = "below_the_minimum"
    MOVED = "price_moved"
    OTHER = "refused"


# Words that the venue or its twin are known to use. What none of them fits is told as it was said.
_WORDS = (
    (("insufficient", "not enough", "balance too low"), Refusal.FUNDS),
    (("coin not found", "invalid market", "bad market", "no price for this coin"), Refusal.NOT_LISTED),
    (("minimum", "too small"), Refusal.TOO_SMALL),
    (("threshold", "rate has moved"), Refusal.MOVED),
)


def named(message: str) -> Refusal:
    said = message.lower()
    return next((refusal for words, refusal in _WORDS if any(word in said for word in words)), Refusal.OTHER)
