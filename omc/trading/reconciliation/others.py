"""What an account shows that is no order of ours that we know of, and what its balances say.

What looks like an order of ours carried out once more waits for a person. The rest is somebody else's: it is adopted as
external, changes what is the owner's own, and counts for no order of ours ever after. What the balances lack of our
books, beyond what is in doubt, is a shortage. Only with nothing in doubt is what they have beyond our books the
owner's.
"""

from omc.market.money import ZERO
from omc.trading.fill import Fill
from omc.trading.listed import ListedFill, ListedOrder
from omc.trading.reconciliation.books import less, moved, summed
from omc.trading.reconciliation.doubles import arrived_late, decided_of, doubled, grouped
from omc.trading.reconciliation.found import Found
from omc.trading.reconciliation.matching import Match
from omc.trading.reconciliation.promises import doubt_about, most_taken
from omc.trading.reconciliation.resolution import chosen_of
from omc.trading.reconciliation.steps import (
    AddFills,
    AdoptFill,
    AdoptMovement,
    AdoptOrder,
    Hold,
    Short,
    Surplus,
    Warn,
)
from omc.trading.reconciliation.venue_check import repeats


def others(found: Found) -> None:
    """Every order of ours has had its rows by now."""
    _leave_twins(found)
    _hold_doubles(found)
    fills, working = _strangers(found)
    found.steps += [AdoptOrder(each) for each in working]
    _weigh(found, fills)
    found.steps += [AdoptFill(each) for each in fills]


def _strangers(found: Found) -> tuple[list[ListedFill], list[ListedOrder]]:
    """Rows that are nobody's of ours, and could not be. Those of a coin and side in doubt wait, and what was executed
    before the account was opened has done nothing to it since."""
    doubted = {(doubt.coin, doubt.side) for doubt in found.doubtful}
    left, opened, report = found.taken | found.waiting, found.ours.opened_from, found.report
    working = [
        each for each in report.working if each.venue_order_id not in left and (each.coin, each.side) not in doubted
    ]
    fills = [
        row
        for row in report.fills
        if row.fill.fill_id not in left and (row.fill.coin, row.fill.side) not in doubted
        if opened is None or row.fill.executed_at >= opened
    ]
    return fills, working


def _leave_twins(found: Found) -> None:
    """Rows that only repeat another under a new name are nobody's, when what the account holds says so."""
    if found.doubtful:
        return
    strangers, _ = _strangers(found)
    everything = [row.fill for row in found.report.fills]
    once = [
        row
        for row in strangers
        if not any(repeats(row.fill, each) and each.fill_id < row.fill.fill_id for each in everything)
    ]
    whole, kept = [row.fill for row in strangers], [row.fill for row in once]
    if len(once) == len(strangers) or found.explains(whole) or not found.explains(kept):
        return
    for fill in whole:
        if fill not in kept:
            found.taken.add(fill.fill_id)
            found.steps.append(Warn(f"fill {fill.fill_id} is listed twice"))


def _hold_doubles(found: Found) -> None:
    """What looks like an order of ours once more is held, unless a person has said what it is."""
    held: dict[str, list[Match]] = {}
    for listed in grouped(*_strangers(found)):
        alike = doubled(listed, found.ours.sent)
        if not alike:
            continue
        newest = alike[0]
        decided = decided_of(listed, alike, found.ours.decided)
        if arrived_late(listed, newest) and not found.ours.owner_trades:
            # Nobody but us trades there.
            _add(found, newest.intent.client_order_id, listed.fills)
        elif decided is None:
            held.setdefault(newest.intent.client_order_id, []).append(listed)
        elif fills := chosen_of(decided, listed):
            _add(found, decided.client_order_id, fills)
    for name, candidates in held.items():
        for listed in candidates:
            found.waiting |= listed.ids
            found.doubtful.append(doubt_about(listed, found.terms))
        found.steps.append(Hold(name, (*found.ours.held.get(name, ()), *candidates)))


def _add(found: Found, name: str, fills: tuple[Fill, ...]) -> None:
    found.count(fills)
    found.steps.append(AddFills(name, fills))


def _weigh(found: Found, adopted: list[ListedFill]) -> None:
    """What the account holds, beside what it should."""
    claims = summed(found.ours.claims, moved(found.new))
    known = summed(found.ours.own, moved(row.fill for row in adopted))
    own, taken = less(found.report.balances, claims), most_taken(found.doubtful)
    for coin in sorted({*own, *known}):
        held, change = own.get(coin, ZERO), own.get(coin, ZERO) - known.get(coin, ZERO)
        if held + taken.get(coin, ZERO) < 0:
            found.steps.append(Short(coin, claims.get(coin, ZERO), found.report.balances.get(coin, ZERO)))
        elif change and held >= 0 and not found.doubtful:
            found.steps.append(AdoptMovement(coin, change) if found.ours.owner_trades else Surplus(coin, change))
