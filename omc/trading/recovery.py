"""What a trader that sits down again finds: what the bar that it died in opened, and what became of it since."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import product
from math import isnan, nan

import numpy as np

from omc.feature.frame import Frame, as_datetime64
from omc.portfolio.account import Account
from omc.trading.blotter import TraderMemory
from omc.trading.exit_fills import gain_at, leaves_inside
from omc.trading.mandate import Mandate
from omc.trading.order import Order, Turn, client_order_id
from omc.trading.sizing import is_dust

LONG = 1.0


def opened_in(time: datetime, mandate: Mandate, account: Account, ended: Mapping[str, Order]) -> dict[int, float]:
    """The columns of what the purchases of a bar opened, on nothing or on dust, and the price of each opening. `ended`
    are the bar's orders by name, `account` holds their fills."""
    opened: dict[int, float] = {}
    for at, coin in enumerate(mandate.coins):
        bought, sold = (
            ended.get(client_order_id(mandate.deployment_id, time, coin, turn)) for turn in (Turn.PURCHASE, Turn.EXIT)
        )
        if bought is None or not bought.fills:
            continue
        held = account.position(coin).quantity - bought.filled_quantity + (sold.filled_quantity if sold else 0)
        price = float(bought.intent.quote_price_aud)
        if is_dust(float(held), price, mandate.least_aud):
            opened[at] = price
    return opened


def after_absence(
    memory: TraderMemory, mandate: Mandate, account: Account, ended: Mapping[str, Order], stored: Frame, until: datetime
) -> TraderMemory:
    """What a trader would remember before the bar of `until`, had it looked at every bar before and sent no order.

    `stored` are the bars since the last that it finished, of `mandate.coins`; `ended` its orders of the bar that a
    death cut short, if one did. Positions have grown old, trailing stops were raised, and what an exit of that bar
    closed stays out. What was wanted then was to be had at the next bar: by now it is a guess, so nothing is wanted.
    """
    begun = memory.rebalance
    if begun is not None and begun.quoted_at >= until:
        return memory
    coins = range(len(mandate.coins))
    held = [float(account.position(coin).quantity) for coin in mandate.coins]
    opened = opened_in(begun.quoted_at, mandate, account, ended) if begun else {}
    memory = memory.as_held(held)
    ages = [-1 if at in opened else age for at, age in enumerate(memory.ages or [None] * len(held))]
    trails = [None if at in opened else trail for at, trail in enumerate(memory.trails or [None] * len(held))]
    openings = [opened.get(at, opening) for at, opening in enumerate(openings_of(memory, mandate, account))]
    for bids in _missed(memory, stored, until):
        for at in coins:
            age = ages[at]
            if age is None:
                continue
            ages[at] = age = age + 1
            if mandate.exits.any and not isnan(bids[at]):
                trails[at] = _trail(mandate, openings[at], age, trails[at], bids[at])
    left = _left(mandate, memory, ended)
    out = memory.stopped or (False,) * len(held)
    leaving = memory.leaving or (None,) * len(held)
    return replace(
        memory,
        targets=None,
        rebalance=None,
        stopped=tuple(out[at] or (at in left and not mandate.exits.reentry) for at in coins),
        ages=tuple(ages),
        trails=tuple(trails),
        openings=tuple(None if isnan(openings[at]) else openings[at] for at in coins),
        leaving=tuple(left.get(at, leaving[at]) if held[at] else None for at in coins),
    )


def openings_of(memory: TraderMemory, mandate: Mandate, account: Account) -> list[float]:
    """The price that each coin was opened at, NaN for one that is not held: as remembered, or as the books say."""
    openings: list[float] = []
    for at, coin in enumerate(mandate.coins):
        booked = account.position(coin).opening_price_aud
        known = memory.openings[at] if memory.openings else None
        openings.append(nan if booked is None else float(booked) if known is None else known)
    return openings


def _missed(memory: TraderMemory, stored: Frame, until: datetime) -> list[list[float]]:
    """Bids of the bars that were missed. A bar that was begun counts: its end was. One without quotes is none."""
    if memory.rebalance is not None:
        first = stored.times >= as_datetime64(memory.rebalance.quoted_at)
    elif memory.done_until is not None:
        first = stored.times > as_datetime64(memory.done_until)
    else:
        return []
    bids = stored.bid[first & (stored.times < as_datetime64(until))]
    quoted: list[list[float]] = bids[~np.isnan(bids).all(axis=1)].tolist()
    return quoted


def _trail(mandate: Mandate, opening: float, age: int, trail: float | None, bid: float) -> float | None:
    levels, ages, gains = mandate.exits.rules
    before = nan if trail is None else trail
    since, gain = gain_at(ages, gains, age)
    _, _, after = leaves_inside(levels, since, gain, LONG, opening, age, before, nan, nan, bid, bid, bid)
    return None if isnan(after) else after


def _left(mandate: Mandate, memory: TraderMemory, ended: Mapping[str, Order]) -> dict[int, str]:
    """The columns of what the exits of the bar that was cut short were to close, and why."""
    if memory.rebalance is None:
        return {}
    time, left = memory.rebalance.quoted_at, dict[int, str]()
    for (at, coin), turn in product(enumerate(mandate.coins), (Turn.EXIT_AT_OPEN, Turn.EXIT)):
        order = ended.get(client_order_id(mandate.deployment_id, time, coin, turn))
        if order is not None:
            left[at] = order.intent.reason
    return left
