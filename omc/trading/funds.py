"""The cash of an account that several live deployments share, and how much of it is free."""

from dataclasses import dataclass
from decimal import Decimal

from omc.errors import Conflict, Overtaken


@dataclass(frozen=True, slots=True)
class Funds:
    """What an account at a venue held, and what had been allotted of it just before that was read."""

    balance_aud: Decimal
    allotted_aud: Decimal


@dataclass(frozen=True, slots=True)
class Allotted:
    """What the live deployments of an account that are not stopped have in their books in cash, as of one moment."""

    cash_aud: Decimal
    selling: bool = False
    """Whether one of them sells just now: cash that the account has got already may not be in its books yet."""


def check_free(venue: str, cash_aud: Decimal, funds: Funds, allotted: Allotted) -> None:
    """Conflict unless `cash_aud` is in the account beside what others that trade there are allotted now; Overtaken when
    the account moved while it was read."""
    if allotted.selling or allotted.cash_aud != funds.allotted_aud:
        raise Overtaken(f"deployments that share the account at {venue} traded while its cash was counted: ask again")
    free = max(Decimal(0), funds.balance_aud - allotted.cash_aud)
    if cash_aud > free:
        raise Conflict(
            f"the account at {venue} has A${funds.balance_aud:,.2f} in cash, and "
            f"A${allotted.cash_aud:,.2f} of it belongs to other deployments: A${cash_aud:,.2f} is more than "
            f"the A${free:,.2f} that are free"
        )
