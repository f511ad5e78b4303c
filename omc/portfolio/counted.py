"""Fills as the books count them: each once, in the order in which they were executed, however they were read."""

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from omc.market.money import ZERO
from omc.trading.fill import Fill, Side

Owned = tuple[UUID, Fill]
"""A fill with the deployment that it belongs to."""


def in_order(fills: Iterable[Owned]) -> list[Owned]:
    """Each fill of each deployment once, oldest first.

    In one instant a coin is bought before it is sold: what a bar sells of a coin before it buys, it does not buy. A
    sale that came to light before the purchase that covers it waits for that, for a venue's times are not always in
    the order of its fills.
    """
    once = {(owner, fill.fill_id): (owner, fill) for owner, fill in fills}
    read = sorted(once.values(), key=_when)
    counted: list[Owned] = []
    waiting: dict[tuple[UUID, str], deque[Owned]] = {}
    held = dict.fromkeys(((owner, fill.coin) for owner, fill in read), ZERO)
    for owner, fill in read:
        key = owner, fill.coin
        sales = waiting.setdefault(key, deque())
        if fill.side is Side.BUY:
            held[key] += fill.quantity
            counted.append((owner, fill))
        else:
            sales.append((owner, fill))
        while sales and sales[0][1].quantity <= held[key]:
            sold = sales.popleft()
            held[key] -= sold[1].quantity
            counted.append(sold)
    # What nothing covers is handed on as it is: whoever counts it says that it is too much.
    return counted + [each for sales in waiting.values() for each in sales]


def _when(owned: Owned) -> tuple[datetime, bool, UUID, str, str]:
    owner, fill = owned
    return fill.executed_at, fill.side is Side.SELL, owner, fill.coin, fill.fill_id
