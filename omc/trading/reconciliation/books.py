"""Our books beside the venue's."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from omc.market.money import ZERO
from omc.portfolio.account import Account
from omc.trading.fill import Fill, Side

CASH = "AUD"


def ours(account: Account) -> dict[str, Decimal]:
    """What an account holds, as a venue states balances: cash under "AUD", coins that are not held left out."""
    held = {coin: position.quantity for coin, position in account.positions.items() if position.quantity}
    return {CASH: account.cash_aud, **held}


def summed(*parts: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Coin by coin; coins that come to nothing left out, cash kept."""
    whole: dict[str, Decimal] = {CASH: ZERO}
    for part in parts:
        for coin, quantity in part.items():
            whole[coin] = whole.get(coin, ZERO) + quantity
    return {coin: quantity for coin, quantity in whole.items() if quantity or coin == CASH}


def less(whole: Mapping[str, Decimal], part: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """`whole` without `part`, coin by coin; below zero where `part` is more."""
    return summed(whole, {coin: -quantity for coin, quantity in part.items()})


def moved(fills: Iterable[Fill]) -> dict[str, Decimal]:
    """What fills together did to the account that they were made on."""
    return summed(*map(_moved, fills))


def _moved(fill: Fill) -> dict[str, Decimal]:
    sign = 1 if fill.side is Side.BUY else -1
    return {fill.coin: sign * fill.quantity, CASH: -sign * fill.total_aud}


def fit(account: Account, fills: Iterable[Fill]) -> bool:
    """Whether an account has the coins, and the cash, for what these fills moved."""
    after = summed(ours(account), moved(fills))
    return all(quantity >= 0 for quantity in after.values())


def differences(our: Mapping[str, Decimal], venue: Mapping[str, Decimal]) -> tuple[str, ...]:
    """One sentence for each coin, or the cash, that is not the same to the last decimal."""
    return tuple(
        f"{name}: our books say {our.get(name, ZERO):f}, the venue says {venue.get(name, ZERO):f}"
        for name in sorted({*our, *venue})
        if our.get(name, ZERO) != venue.get(name, ZERO)
    )
