"""Tables of reconciliation, held against the rules: what an order becomes, when silence may be believed, what an answer
means, what a start does about every difference, and how a history that is listed in part is made whole.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from omc.trading.answer import Answer, Meaning, meaning
from omc.trading.order import OrderStatus
from omc.trading.reconciliation.table import Said, Search, doubts, order_vs_venue
from tests.cases import reconciliation_starts as starts
from tests.cases import reconciliation_windows as windows
from tests.cases.reconciliation_words import local, said

Outcome = tuple[str, str | None]
_S = OrderStatus
_IN_FLIGHT = frozenset({_S.SUBMITTED, _S.UNKNOWN, _S.CANCELLING, _S.REPLACING})
_COINSPOT_PROMISES = frozenset({400, 401, 403, 429})


def run(content: Mapping[str, Any]) -> list[Outcome]:
    """Each row of each table, and what is wrong with it."""
    tables: Mapping[str, Callable[[Any], Outcome]] = {
        "order_vs_venue": _order_vs_venue,
        "in_flight_timeout": _in_flight,
        "not_found_guards": _guard,
        "never_a_rejection": lambda row: _answer(row, rejects=False),
        "definite_rejection": lambda row: _answer(row, rejects=True),
        "startup": starts.outcome,
        "partial_window": windows.outcome,
        "invariants": windows.invariant,
    }
    return [each for name, check in tables.items() for each in _rows(name, content.get(name, ()), check)]


def _rows(table: str, rows: Sequence[Any], check: Callable[[Any], Outcome]) -> Iterator[Outcome]:
    for row in rows:
        try:
            name, wrong = check(row)
        except Exception as fault:
            # A row that cannot be read has failed, and takes no other with it.
            name, wrong = str(row), f"{type(fault).__name__}: {fault}"
        yield f"{table}: {name}", wrong


def _order_vs_venue(row: Sequence[str]) -> Outcome:
    ours, venue, expected = row
    found = order_vs_venue(local(ours), said(venue))
    wanted, _, note = expected.partition(" (")
    name = f"{ours}, the venue says {venue}"
    if found.status is not local(wanted):
        return name, f"{found.status}, expected {expected}"
    if "fills kept" in note and not found.fills_kept:
        return name, "its fills are not kept"
    if "ignored" in note and not found.ignored:
        return name, "it is not ignored"
    return name, None


def _in_flight(row: Sequence[str]) -> Outcome:
    ours, expected = row
    where = local(ours)
    # Whatever else the venue took needs more than its silence.
    found = order_vs_venue(where, Said.NOT_FOUND).status if where in _IN_FLIGHT else where
    return ours, None if found is local(expected) else f"{found}, expected {expected}"


def _guard(row: str) -> Outcome:
    """A search that lacks just what the row is about is not believed; one that lacks nothing is."""
    complete = {"closed_too": True, "quiet_s": 11.0, "asked_alone": True, "balances_read": True}
    lacks: Mapping[str, tuple[str, Any]] = {
        "closed": ("closed_too", False),
        "open-only": ("closed_too", False),
        "open only": ("closed_too", False),
        "recent": ("quiet_s", 9.0),
        "newer": ("quiet_s", 9.0),
        "threshold": ("quiet_s", 10.0),
        "single": ("asked_alone", False),
        "targeted": ("asked_alone", False),
        "position": ("balances_read", False),
    }
    named = [change for word, change in lacks.items() if word in row]
    if not named:
        return row, "no guard of ours is about that"
    if doubts(Search(**complete), threshold_s=10.0) is not None:
        return row, "a search that lacks nothing is not believed"
    believed = [name for name, value in named if doubts(Search(**complete | {name: value}), threshold_s=10.0) is None]
    return row, f"believed without: {', '.join(believed)}" if believed else None


_LOST = (
    "transport", "send failure", "timeout", "time-out", "timed out", "disconnect", "cancelled", "canceled",
    "acknowledg", "connection", "reset", "closed", "dns", "unavailable", "dropped", "no answer", "interrupt", "crash",
    "proxy", "network", "socket", "tls", "ssl", "lost", "died",
)  # fmt: skip


def _answers(row: str) -> list[Answer]:
    """What a client would have in its hands."""
    text = row.lower()
    codes = [int(code) for code in re.findall(r"\b[1-5]\d\d\b", text)]
    if codes:
        worded = any(word in text for word in ("structured", "message", "reject", "body says"))
        bare = [] if worded else [Answer(code) for code in codes]
        said_no = [code for code in codes if worded or code >= 500 or code in _COINSPOT_PROMISES]
        return bare + [Answer(code, says_ok=False, message="no") for code in said_no]
    if "batch" in text:
        return [Answer(status, says_ok=False, message="failed", of_this_order=False) for status in (200, 400)]
    if "5xx" in text:
        return [Answer(status, says_ok=ok, message=said) for status in (500, 502, 503) for ok, said in _SAYINGS]
    if any(word in text for word in ("4xx", "structured", "reject", "refus", "insufficient")):
        return [Answer(status, says_ok=False, message="Insufficient AUD funds") for status in (200, 400, 403, 422)]
    if "pars" in text or "html" in text or "json" in text:
        return [Answer(status) for status in (200, 201, 302, 404, 500)]
    return [Answer()] if any(word in text for word in _LOST) else []


_SAYINGS = ((None, None), (False, "no"), (True, None))


def _answer(row: str, *, rejects: bool) -> Outcome:
    answers = _answers(row)
    if not answers:
        return row, "no answer that is known here"
    for each in answers:
        found = meaning(each, promises_nothing=_COINSPOT_PROMISES)
        if found.definite is not rejects or (not rejects and found is not Meaning.UNKNOWN):
            return row, f"{each} is {found}"
    return row, None
