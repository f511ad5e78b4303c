"""Answers that are readable and wrong: pure, and what they are made from is left as it is."""

from collections.abc import Mapping
from random import Random
from typing import Any

from omc.adapters.coinspot.exchange.answer import plain
from omc.adapters.coinspot.exchange.faults import Fault, FaultKind
from omc.market.quote import Quote, QuoteBoard
from omc.trading.fill import Side

Sides = dict[str, Any]


def sides(quote: Quote) -> Sides:
    """One coin as /latest shows it."""
    return {"bid": plain(quote.bid_aud), "ask": plain(quote.ask_aud), "last": plain(quote.last_aud)}


def prices(board: QuoteBoard, fault: Fault) -> dict[str, Sides]:
    """The prices of /latest, by coin, of which some, at least one, are crossed or no number."""
    random, shown = fault.random(), {coin: sides(quote) for coin, quote in board.quotes.items()}
    how = _crossed if fault.kind is FaultKind.CROSSED_PRICES else _not_a_number
    for coin in random.sample(sorted(shown), k=min(len(shown), 1 + int(fault.size * len(shown)))):
        shown[coin] = how(board.quotes[coin])
    return {coin.lower(): each for coin, each in shown.items()}


def history(answer: Mapping[str, Any], fault: Fault) -> dict[str, Any]:
    """A list of completed orders, shuffled or with some, at least one, of its rows twice."""
    random, spoiled = fault.random(), dict(answer)
    how = _shuffled if fault.kind is FaultKind.SHUFFLED_FILLS else _duplicated
    for side in Side:
        name = f"{side}orders"
        spoiled[name] = how(list(answer[name]), random)
    return spoiled


def _crossed(quote: Quote) -> Sides:
    """The bid a hundredth above the ask."""
    return {**sides(quote), "bid": plain(quote.ask_aud + quote.ask_aud / 100)}


def _not_a_number(_: Quote) -> Sides:
    return dict.fromkeys(("bid", "ask", "last"), "NaN")


def _shuffled(rows: list[Any], random: Random) -> list[Any]:
    random.shuffle(rows)
    return rows


def _duplicated(rows: list[Any], random: Random) -> list[Any]:
    again = set(random.sample(range(len(rows)), k=min(len(rows), 1 + random.randrange(len(rows) + 1))))
    return [row for at, row in enumerate(rows) for _ in range(2 if at in again else 1)]
