"""What a start does about every difference: rows by their words, each played through on an account of its own.

The venue here is a list of rows and balances; our side is what `alignment` is told. Whatever a row expects, carrying
the steps out twice changes nothing the second time.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from omc.errors import Unavailable
from omc.market.terms import OrderKind, Terms
from omc.portfolio.account import Account
from omc.trading.fill import Fill, Side
from omc.trading.listed import ListedFill, ListedOrder, VenueReport
from omc.trading.order import Order, OrderIntent, OrderStatus
from omc.trading.reconciliation.acceptance import Sharing, accepted
from omc.trading.reconciliation.alignment import steps
from omc.trading.reconciliation.books import moved, summed
from omc.trading.reconciliation.our_side import Ours, expected
from omc.trading.reconciliation.steps import AddFills, AdoptFill, AdoptOrder, LookAgain, Settle, Step, Warn
from omc.trading.reconciliation.synthetic import Held, Synthetic, bridging
from omc.trading.reconciliation.table import order_vs_venue
from tests.cases.reconciliation_words import local, said

Outcome = tuple[str, str | None]
NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
TERMS = Terms()
NOBODY = UUID(int=0)
CASH = Decimal(10_000)


def outcome(row: Mapping[str, str]) -> Outcome:
    case, expect = re.sub(r"\bflat\b", "0", row["case"]), row["expect"]
    position = re.search(
        r"(long|short)?\s*([+-]?\d+(?:\.\d+)?),?\s*venue\s*(?:long|short)?\s*([+-]?\d+(?:\.\d+)?)", case
    )
    if case.lower().startswith("local") and position:
        return case, _position(case, expect)
    text = case.lower()
    for words, play in _PLAYS:
        if all(any(word in text for word in one_of) for one_of in words):
            return case, play(expect.lower())
    states = re.search(r"local ([A-Z_]+), venue ([A-Z_]+|not.found)", case)
    return case, _state(*states.groups(), expect) if states else "no case that is known here"


def _state(ours: str, venue: str, expect: str) -> str | None:
    found, (wanted, *_) = order_vs_venue(local(ours), said(venue)), expect.replace(",", " ").split()
    if found.status is not local(wanted):
        return f"{found.status}, expected {expect}"
    return "its fills are not kept" if "fills kept" in expect and not found.fills_kept else None


# Positions


def _signed(text: str, number: str, word: str) -> Decimal:
    value = Decimal(number)
    return -value if f"{word} short" in text and value > 0 else value


def _position(case: str, expect: str) -> str | None:
    numbers = re.findall(r"[+-]?\d+(?:\.\d+)?", case)
    ours, venue = _signed(case, numbers[0], "local"), _signed(case, numbers[1], "venue")
    local = Held(ours, Decimal(100) if ours else Decimal(0))
    there = Held(venue, Decimal(102) if abs(venue) > abs(ours) or ours * venue < 0 else local.average_aud)
    made = bridging("an account's BTC", local, there)
    reached = local
    for each in made:
        reached = reached.after(each.side, each.quantity, each.price_aud)
    if not reached.is_like(there):
        return f"it came to {reached}, the venue holds {there}"
    if bridging("an account's BTC", local, there) != made or bridging("an account's BTC", reached, there):
        return "the second time is not as the first"
    # What the floor does when a person accepts the venue's balances; it knows no shorts.
    wrong = _accepted(local, there, made) if ours >= 0 and venue >= 0 else None
    return wrong or _as_expected(made, ours, venue, expect)


def _accepted(ours: Held, there: Held, made: Sequence[Synthetic]) -> str | None:
    """The same fills, and names that stay the same, where a coin is worth what leads to the venue's average."""
    account, worth = Account.opened_with(CASH), made[0].price_aud if made else there.average_aud
    if ours.quantity:
        bought = Fill("bought", "BTC", Side.BUY, ours.quantity, ours.quantity * ours.average_aud, Decimal(0), NOON)
        account = account.apply(bought, ours.average_aud)
    balances = summed({"AUD": CASH}, {"BTC": there.quantity})
    for _ in range(2):
        sharing = Sharing({NOBODY: account}, alone=True)
        adjusted = accepted(sharing, balances, {}, {"BTC": worth}, at=NOON, terms=TERMS)
        again = accepted(sharing, balances, {}, {"BTC": worth}, at=NOON, terms=TERMS)
        fills = [(fill.side, fill.quantity) for each in adjusted for fill, _ in each.fills]
        if adjusted != again or fills != [(each.side, each.quantity) for each in made]:
            return f"accepted as {fills}, expected {made}"
        for each in adjusted:
            account = each.of(account)
        reached = Held(account.position("BTC").quantity, account.position("BTC").average_price_aud)
        if not reached.is_like(there) or account.cash_aud != CASH:
            return f"accepted, it came to {reached} and {account.cash_aud}, the venue holds {there}"
        made = ()
    return None


def _as_expected(made: Sequence[Synthetic], ours: Decimal, venue: Decimal, expect: str) -> str | None:
    text = expect.lower()
    amounts = [Decimal(number) for number in re.findall(r"[+-]?\d+(?:\.\d+)?", text)]
    if "close" in text:
        signed = [each.quantity if each.side is Side.BUY else -each.quantity for each in made]
        wanted = [-ours, venue] if venue else [-ours]
        shown = [abs(amount) for amount in amounts]
        fits = signed == wanted and shown == [abs(amount) for amount in wanted]
        return None if fits else f"{signed}, expected {expect}"
    for side in Side:
        if side in text and amounts:
            fits = [(each.side, each.quantity) for each in made] == [(side, abs(amounts[0]))]
            return None if fits else f"{made}, expected {expect}"
    if any(word in text for word in ("nothing", "no adjustment", "none", "skip", "ignored")):
        return f"{made}, expected {expect}" if made else None
    return f"it is not understood what is expected: {expect}"


# Orders


def intent(name: str = "order-1", quantity: str = "2", **changes: object) -> OrderIntent:
    made = OrderIntent(
        name, NOBODY, NOBODY, "BTC", Side.BUY, Decimal(quantity), OrderKind.MARKET, Decimal(100), NOON, NOON, "a case's"
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def _fill(number: int, quantity: str, order_id: str = "v1", price: str = "100") -> ListedFill:
    total = Decimal(quantity) * Decimal(price)
    fill = Fill(f"{order_id}-{number}", "BTC", Side.BUY, Decimal(quantity), total, total / 1001, NOON)
    return ListedFill(fill, OrderKind.MARKET, order_id)


def _ours(*orders: Order, claims: Mapping[str, Decimal] | None = None, **more: object) -> Ours:
    counted = moved(fill for order in orders for fill in order.fills)
    told = {"owner_trades": False, "orders": orders, "claims": claims or summed({"AUD": CASH}, counted), **more}
    return Ours("an account", **told)  # type: ignore[arg-type]


def _report(*fills: ListedFill, working: Sequence[ListedOrder] = ()) -> VenueReport:
    """Of a venue that holds what these fills come to."""
    once = {each.fill.fill_id: each.fill for each in fills}
    return VenueReport(NOON, summed({"AUD": CASH}, moved(once.values())), tuple(working), fills)


def applied(ours: Ours, done: Sequence[Step]) -> Ours:
    """Our side after the steps were carried out."""
    claims, own = expected(ours, done)
    orders = {order.intent.client_order_id: order for order in ours.orders}
    external = set(ours.external)
    for step in done:
        match step:
            case Settle(name, status, fills, order_id):
                orders[name] = replace(orders[name].filled_by(fills).known_as(order_id), status=status)
            case AddFills(name, fills):
                orders[name] = orders[name].filled_by(fills)
            case AdoptFill(listed):
                external |= {listed.fill.fill_id} | ({listed.venue_order_id} if listed.venue_order_id else set())
            case AdoptOrder(listed):
                external.add(listed.venue_order_id)
            case _:
                continue
    return replace(ours, orders=tuple(orders.values()), claims=claims, own=own, external=frozenset(external))


def _played(ours: Ours, report: VenueReport) -> tuple[tuple[Step, ...], Ours, str | None]:
    """The steps, our side after them, and what is wrong with carrying them out again."""
    alone = frozenset(order.intent.client_order_id for order in ours.orders)
    done = steps(ours, report, terms=TERMS, asked_alone=alone)
    after = applied(ours, done)
    again = [each for each in steps(after, report, terms=TERMS, asked_alone=alone) if not isinstance(each, Warn)]
    if again:
        return done, after, f"the second time there is still {again}"
    claims_and_own = summed(after.claims, after.own)
    if claims_and_own != summed(report.balances):
        return done, after, f"our books come to {claims_and_own}, the venue holds {report.balances}"
    return done, after, None


def _order_becomes(order: Order, report: VenueReport, status: OrderStatus, filled: str) -> str | None:
    done, after, wrong = _played(_ours(order), report)
    now = after.orders[0]
    if wrong:
        return wrong
    if not any(isinstance(each, Settle | AddFills) for each in done):
        return "nothing was told of the order"
    if (now.status, now.filled_quantity) != (status, Decimal(filled)):
        return f"it is {now.status} with {now.filled_quantity} filled"
    return None


def _refused(expect: str) -> str | None:
    return _order_becomes(Order(intent(), OrderStatus.SUBMITTED), _report(), OrderStatus.REJECTED, "0")


def _missed(expect: str) -> str | None:
    for known in (None, "v1"):
        order = Order(intent(), OrderStatus.SUBMITTED, known)
        if wrong := _order_becomes(order, _report(_fill(1, "2")), OrderStatus.FILLED, "2"):
            return wrong
    return None


def _missed_in_part(expect: str) -> str | None:
    listed = [_fill(number, part) for number, part in ((1, "0.5"), (2, "0.7"), (3, "0.8"))]
    order = Order(intent(), OrderStatus.PARTIAL, "v1", (listed[1].fill,))
    return _order_becomes(order, _report(*reversed(listed)), OrderStatus.FILLED, "2")


def _cancelled_in_part(expect: str) -> str | None:
    listed = _fill(1, "0.5")
    for status, fills in ((OrderStatus.ACCEPTED, ()), (OrderStatus.PARTIAL, (listed.fill,))):
        order = Order(intent(), status, "v1", fills)
        if wrong := _order_becomes(order, _report(listed), OrderStatus.CANCELLED, "0.5"):
            return wrong
    return None


def _external(expect: str) -> str | None:
    resting = ListedOrder("theirs", "ETH", Side.BUY, Decimal(1), Decimal(5))
    shown = _report(_fill(1, "2", "by hand"), working=[resting])
    # The owner's own cash pays for it.
    shown = replace(shown, balances=summed(shown.balances, {"AUD": CASH}))
    done, after, wrong = _played(_ours(owner_trades=True, own={"AUD": CASH}), shown)
    if wrong:
        return wrong
    if not {"by hand", "by hand-1", "theirs"} <= after.external:
        return f"not adopted: {done}"
    return None if after.claims == summed({"AUD": CASH}) else "it changed our own books"


def _differs(expect: str) -> str | None:
    cached = _fill(1, "2")
    order = Order(intent(), OrderStatus.FILLED, "v1", (cached.fill,))
    shown = replace(cached, fill=replace(cached.fill, fee_aud=Decimal("0.30")))
    done, after, wrong = _played(_ours(order), replace(_report(cached), fills=(shown,)))
    if wrong or after.orders[0].fills != (cached.fill,):
        return wrong or "what we had is not kept"
    return None if any(isinstance(each, Warn) for each in done) else "the difference is not told"


def _twice(expect: str) -> str | None:
    order = Order(intent(), OrderStatus.SUBMITTED)
    resting = ListedOrder("theirs", "ETH", Side.BUY, Decimal(1), Decimal(5))
    fill = _fill(1, "2")
    done, after, wrong = _played(_ours(order), _report(fill, fill, working=[resting, resting]))
    if wrong or after.orders[0].filled_quantity != 2:
        return wrong or "it was counted twice"
    return None if sum(isinstance(each, Warn) for each in done) == 2 else "it is not told"


def _fill_first(expect: str) -> str | None:
    """The fill is listed, and nobody knows yet whose: the order that it could be was not asked for, or lists lag."""
    ours = _ours(Order(intent(quantity="3"), OrderStatus.SUBMITTED))
    early = _report(_fill(1, "2", "v1"))
    first = steps(ours, early, terms=TERMS)
    if any(isinstance(each, AdoptFill) for each in first) or not any(isinstance(each, LookAgain) for each in first):
        return f"it was not deferred: {first}"
    ours = applied(ours, first)
    whole = _report(_fill(1, "2", "v1"), _fill(2, "1", "v1"))
    _, after, wrong = _played(ours, whole)
    return wrong or (None if after.orders[0].status is OrderStatus.FILLED else "it is not that order's")


def _fails(expect: str) -> str | None:
    broken = replace(_report(), balances={"AUD": Decimal("NaN")})
    try:
        steps(_ours(), broken, terms=TERMS)
    except Unavailable:
        return None
    return "it goes on"


def _again(expect: str) -> str | None:
    position = Held(Decimal(100), Decimal(10)), Held(Decimal(150), Decimal(11))
    if bridging("an account's BTC", *position) != bridging("an account's BTC", *position):
        return "other ids"
    return _external(expect) or _missed(expect)


Words = Sequence[Sequence[str]]
_PLAYS: Sequence[tuple[Words, Callable[[str], str | None]]] = (
    ((("restart", "again", "second"), ("same", "state", "again")), _again),
    ((("reconciliation",), ("fail", "error", "cannot")), _fails),
    ((("duplicate", "twice", "same identifier"),), _twice),
    ((("before",), ("fill",), ("order",)), _fill_first),
    ((("differ", "mismatch"), ("price", "fee", "commission", "data")), _differs),
    ((("part",), ("cancel", "expire")), _cancelled_in_part),
    ((("partial", "multiple", "some"), ("miss",)), _missed_in_part),
    ((("venue",), ("not local", "not in", "unknown", "external", "by hand")), _external),
    ((("filled", "fill"), ("miss",)), _missed),
    ((("submitted",), ("rejected", "not found")), _refused),
)
