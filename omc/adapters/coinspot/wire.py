"""CoinSpot's answers as our own values. Pure: payloads in, with numbers as Decimal, int or text."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from omc.errors import InvalidInput, Unavailable
from omc.market.coin import ticker
from omc.market.money import ZERO, eight_places
from omc.market.quote import Quote, QuoteBoard
from omc.market.spread import LARGEST_PRICE_AUD
from omc.market.terms import OrderKind
from omc.trading.fill import Fill, Side
from omc.trading.listed import ListedFill, ListedOrder
from omc.trading.routing import Level
from omc.trading.volumes import Traded

_KINDS = {kind.value: kind for kind in OrderKind}
_LARGEST_PRICE = Decimal(LARGEST_PRICE_AUD)


def board_of(payload: dict[str, Any], time: datetime) -> QuoteBoard:
    """Every usable quote in an answer of /latest, and a sentence for each that is not.

    Markets in other currencies (`btc_usdt`) are left aside. Unavailable when nothing can be used.
    """
    prices = payload.get("prices")
    if not isinstance(prices, dict):
        raise Unavailable("latest: an answer without prices")
    quotes: dict[str, Quote] = {}
    faults: list[str] = []
    for name, sides in prices.items():
        if "_" in name:
            continue
        try:
            quote = _quote(name, sides)
        except (ValueError, InvalidInput) as fault:
            faults.append(str(fault))
            continue
        if quotes.setdefault(quote.coin, quote) is not quote:
            faults.append(f"{quote.coin}: quoted twice")
    if not quotes:
        raise Unavailable(f"latest: no usable quote among {len(faults)}")
    return QuoteBoard(time, quotes, tuple(faults))


def fills_of(payload: dict[str, Any]) -> list[ListedFill]:
    """Every fill in an answer of /my/orders/completed that paid or fetched cash on one of our two ways to trade.

    A fill's id is made of all that the venue says of it, so it is the same whatever else is listed: its order's id
    repeats over partial fills, and old answers have none. A row that says all that another says is that one once more,
    for a venue may list a page twice; an order that fills twice alike within a millisecond is counted once, and the
    balances then show it. Unavailable when a row of ours cannot be read: a fill must not be lost silently.
    """
    rows = ((side, row) for side in Side for row in _rows(payload, f"{side}orders"))
    return list(dict.fromkeys(each for side, row in rows if (each := _listed_fill(side, row)) is not None))


def open_orders_of(payload: dict[str, Any]) -> list[ListedOrder]:
    """Every order in an answer of /my/orders/market/open on an AUD market."""
    return [
        ListedOrder(
            venue_order_id=_text(row, "id"),
            coin=_text(row, "coin").upper(),
            side=side,
            quantity=eight_places(_decimal(row, "amount")),
            price_aud=eight_places(_decimal(row, "rate")),
        )
        for side in Side
        for row in _rows(payload, f"{side}orders")
        if _in_aud(row)
    ]


def levels_of(payload: dict[str, Any], side: Side) -> list[Level]:
    """What an order of that side would trade with, in an answer of /orders/market/open: the best price first."""
    other = Side.SELL if side is Side.BUY else Side.BUY
    levels = [
        Level(eight_places(_decimal(row, "rate")), eight_places(_decimal(row, "amount")))
        for row in _rows(payload, f"{other}orders")
        if _in_aud(row)
    ]
    return sorted(levels, key=lambda level: level.price_aud, reverse=side is Side.SELL)


def trades_of(payload: dict[str, Any]) -> list[Traded]:
    """Every trade in an answer of /orders/completed on an AUD market."""
    return [
        Traded(_time(row), eight_places(_decimal(row, "amount")))
        for side in Side
        for row in _rows(payload, f"{side}orders")
        if _in_aud(row)
    ]


def rate_of(payload: dict[str, Any]) -> Decimal | None:
    """Of an answer of /quote/buy/now or /quote/sell/now; None where it shows none. CoinSpot documents the fee to be in
    a sale's. Of a purchase's nobody has said: it counts as being in it, as in what an instant purchase is listed at."""
    rate = _number(payload.get("rate"))
    return rate if rate is not None and rate > 0 else None


def balances_of(payload: dict[str, Any]) -> dict[str, Decimal]:
    """What is held, by coin: an array of objects with one key each, or one object with all of them."""
    listed = payload.get("balances", payload.get("balance"))
    parts = listed if isinstance(listed, list) else [listed]
    held: dict[str, Decimal] = {}
    for part in parts:
        if not isinstance(part, dict):
            raise Unavailable("balances: an answer that cannot be read")
        for coin, entry in part.items():
            held[coin.upper()] = _decimal(entry if isinstance(entry, dict) else {"balance": entry}, "balance")
    return held


def held_back_of(payload: dict[str, Any], coin: str) -> Decimal | None:
    """How much of one coin's balance is not available; None when the answer does not say what is."""
    balance = payload.get("balance")
    entry = (
        next((each for name, each in balance.items() if name.upper() == coin), None)
        if isinstance(balance, dict)
        else None
    )
    if not isinstance(entry, dict):
        raise Unavailable(f"the balance of {coin}: an answer that cannot be read")
    return _decimal(entry, "balance") - _decimal(entry, "available") if "available" in entry else None


def rows_shown(payload: dict[str, Any]) -> int:
    """The length of the longer list of an answer."""
    return max(sum(1 for _ in _rows(payload, f"{side}orders")) for side in Side)


def _quote(name: str, sides: Any) -> Quote:
    coin = ticker(name)
    prices = {}
    for side in ("bid", "ask", "last"):
        said = sides.get(side) if isinstance(sides, dict) else None
        price = _number(said)
        if price is None:
            raise ValueError(f"{coin}: {side} is {str(said)[:40]!r}, not a number")
        if not ZERO < price <= _LARGEST_PRICE:
            raise ValueError(f"{coin}: {side} is {str(price)[:40]}, out of range")
        prices[f"{side}_aud"] = eight_places(price)
    return Quote(coin, **prices)


def _listed_fill(side: Side, row: dict[str, Any]) -> ListedFill | None:
    kind = row.get("type")
    if not _in_aud(row) or (kind is not None and kind not in _KINDS):
        return None
    coin, order_id = _text(row, "coin").upper(), row.get("id")
    quantity, total = eight_places(_decimal(row, "amount")), _decimal(row, "audtotal")
    fee, time = _decimal(row, "audfeeExGst") + _decimal(row, "audGst"), _time(row)
    amounts = ":".join(f"{each.normalize():f}" for each in (quantity, total, fee))
    name = f"{order_id or f'{side}-{coin}'}:{round(time.timestamp() * 1000)}:{amounts}"
    try:
        fill = Fill(
            fill_id=name,
            coin=coin,
            side=side,
            quantity=quantity,
            total_aud=total,
            fee_aud=fee,
            executed_at=time,
        )
    except ValueError as fault:
        raise Unavailable(f"completed orders: {fault}") from None
    return ListedFill(fill, _KINDS.get(kind) if kind else None, str(order_id) if order_id else None)


def _rows(payload: dict[str, Any], name: str) -> Iterator[dict[str, Any]]:
    rows = payload.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise Unavailable(f"{name}: a list that cannot be read")
    yield from rows


def _in_aud(row: dict[str, Any]) -> bool:
    return str(row.get("market") or "x/AUD").upper().endswith("/AUD")


def _text(row: dict[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str | int) or isinstance(value, bool) or value == "":
        raise Unavailable(f"an order whose {name} cannot be read")
    return str(value)


def _decimal(row: dict[str, Any], name: str) -> Decimal:
    value = _number(row.get(name))
    if value is None:
        raise Unavailable(f"an answer whose {name} is no number")
    return value


def _number(value: Any) -> Decimal | None:
    """A finite number, given as a number or as text."""
    if not isinstance(value, str | int | Decimal) or isinstance(value, bool):
        return None
    try:
        number = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number.adjusted()) < 20 else None


def _time(row: dict[str, Any]) -> datetime:
    """ISO 8601, or milliseconds since 1970 as the first version of the API has them."""
    value = row.get("solddate")
    try:
        if isinstance(value, str):
            time = datetime.fromisoformat(value)
            return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        if isinstance(value, int | Decimal) and not isinstance(value, bool):
            return datetime.fromtimestamp(float(value) / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise Unavailable("completed orders: a solddate that is no time")
