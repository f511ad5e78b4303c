"""The cash and the fee of an execution, as CoinSpot computes them.

Two real fills fix the arithmetic. A buy of A$200 showed `audfeeExGst` 1.80018002 and `audGst` 0.180018: the fee is
inside the total, 200 / 101. A sale showed a fee of 1 % of its gross value and `audtotal` 118.70: the rest, in cents.
"""

from dataclasses import dataclass
from decimal import Decimal

from omc.market.money import cents, eight_places
from omc.market.terms import BPS
from omc.trading.fill import Side

# The Australian goods and services tax is a tenth on top, so an eleventh of what is paid.
_GST_PARTS = 11


@dataclass(frozen=True, slots=True)
class Settlement:
    """`total_aud` moves, in whole cents; the fee inside it is shown without and with tax."""

    total_aud: Decimal
    fee_ex_gst_aud: Decimal
    gst_aud: Decimal

    @property
    def fee_aud(self) -> Decimal:
        return self.fee_ex_gst_aud + self.gst_aud


def settle(side: Side, quantity: Decimal, price_aud: Decimal, fee_bps: int) -> Settlement:
    """What buying or selling `quantity` coins at `price_aud` moves under a fee of `fee_bps`."""
    gross = quantity * price_aud
    match side:
        case Side.BUY:
            total = cents(gross * (BPS + fee_bps) / BPS)
            fee = total * fee_bps / (BPS + fee_bps)
        case Side.SELL:
            total = cents(gross * (BPS - fee_bps) / BPS)
            fee = gross * fee_bps / BPS
    return Settlement(
        total_aud=total,
        fee_ex_gst_aud=eight_places(fee * (_GST_PARTS - 1) / _GST_PARTS),
        gst_aud=eight_places(fee / _GST_PARTS),
    )
