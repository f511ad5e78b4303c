"""A coin is known by its upper-case ticker."""

import re

from omc.errors import InvalidInput

_TICKER = re.compile(r"[A-Z0-9]{1,20}")


def ticker(text: str) -> str:
    """`text` as an upper-case ticker of one to twenty letters and digits."""
    coin = text.strip().upper()
    if not _TICKER.fullmatch(coin):
        raise InvalidInput(f"{text!r} is not a coin: a ticker is 1 to 20 letters and digits")
    return coin
