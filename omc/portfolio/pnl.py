"""What was earned: realized, unrealized and fees, by coin, at a moment or between two."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Self

from omc.market.money import ZERO
from omc.portfolio.account import Account
from omc.trading.fill import Fill


@dataclass(frozen=True, slots=True)
class PnL:
    """In AUD. Realized and unrealized are before fees."""

    realized_aud: Decimal = ZERO
    unrealized_aud: Decimal = ZERO
    fees_aud: Decimal = ZERO

    @property
    def total_aud(self) -> Decimal:
        return self.realized_aud + self.unrealized_aud - self.fees_aud

    def __add__(self, other: "PnL") -> Self:
        return type(self)(
            self.realized_aud + other.realized_aud,
            self.unrealized_aud + other.unrealized_aud,
            self.fees_aud + other.fees_aud,
        )

    def __sub__(self, other: "PnL") -> Self:
        return type(self)(
            self.realized_aud - other.realized_aud,
            self.unrealized_aud - other.unrealized_aud,
            self.fees_aud - other.fees_aud,
        )


def by_coin(account: Account, marks_aud: Mapping[str, Decimal]) -> dict[str, PnL]:
    """What each coin of `account` earned since it was opened. A coin without a mark is valued at its cost."""
    return {
        coin: PnL(
            position.realized_aud,
            position.unrealized_aud(marks_aud[coin]) if position.quantity and coin in marks_aud else ZERO,
            position.fees_aud,
        )
        for coin, position in account.positions.items()
    }


def replayed(cash_aud: Decimal, fills: Iterable[Fill]) -> Account:
    """The account that `fills`, oldest first, made of `cash_aud`."""
    account = Account.opened_with(cash_aud)
    for fill in fills:
        account = account.apply(fill, fill.price_aud)
    return account
