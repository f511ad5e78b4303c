"""Our books beside the venue's."""

from collections.abc import Mapping
from decimal import Decimal

from omc.market.money import ZERO
from omc.portfolio.account import Account

CASH = "AUD"


def ours(account: Account) -> dict[str, Decimal]:
    """What an account holds, as a venue states balances: cash under "AUD", coins that are not held left out."""
    held = {coin: position.quantity for coin, position in account.positions.items() if position.quantity}
    return {CASH: account.cash_aud, **held}


def differences(our: Mapping[str, Decimal], venue: Mapping[str, Decimal]) -> tuple[str, ...]:
    """One sentence for each coin, or the cash, that is not the same to the last decimal."""
    return tuple(
        f"{name}: our books say {our.get(name, ZERO):f}, the venue says {venue.get(name, ZERO):f}"
        for name in sorted({*our, *venue})
        if our.get(name, ZERO) != venue.get(name, ZERO)
    )
