"""What the journal says of an account after fills: the position that they moved, and what the deployment has earned."""

from typing import Any

from omc.market.money import ZERO
from omc.portfolio.account import Account


def position_told(account: Account, coin: str) -> dict[str, Any]:
    """The position in `coin`. Amounts in AUD; what is realized is before fees."""
    position = account.position(coin)
    return {
        "coin": coin,
        "quantity": position.quantity,
        "average_price_aud": position.average_price_aud,
        "cost_aud": position.cost_aud,
        "realized_pnl_aud": position.realized_aud,
        "fees_aud": position.fees_aud,
    }


def pnl_told(account: Account) -> dict[str, Any]:
    """What the whole account has earned, its cash, and what its holdings cost."""
    return {
        "deposited_aud": account.deposited_aud,
        "cash_aud": account.cash_aud,
        "cost_aud": sum((position.cost_aud for position in account.positions.values()), ZERO),
        "realized_pnl_aud": account.realized_aud,
        "fees_aud": account.fees_aud,
    }


def moved_told(before: Account, after: Account) -> list[tuple[str, dict[str, Any]]]:
    """The journal's lines, by kind, of the positions that have moved and of the earnings."""
    moved = [coin for coin in after.positions if after.position(coin) != before.position(coin)]
    return [*(("position", position_told(after, coin)) for coin in moved), ("pnl", pnl_told(after))]
