"""What an order becomes: every state against everything that a venue can say, and when its silence is believed."""

from itertools import product

import pytest

from omc.trading.order import UNSETTLED, Order, OrderStatus
from omc.trading.reconciliation.table import Said, Search, doubts, moved, order_vs_venue
from tests.cases.reconciliation_starts import intent

S = OrderStatus
ALL = list(product(OrderStatus, Said))
COMPLETE = Search(closed_too=True, quiet_s=10.1, asked_alone=True)


@pytest.mark.parametrize(("local", "said"), ALL)
def test_what_is_over_or_was_never_sent_is_left_alone_and_all_else_gets_a_state(local: S, said: Said) -> None:
    found = order_vs_venue(local, said)
    never_sent = local in (S.INTENT, S.DENIED, S.SLICED)
    assert found.ignored == (local.final or never_sent)
    if found.ignored:
        assert found.status is local
    else:
        assert found.status not in (S.INTENT, S.DENIED, S.SLICED, S.SUBMITTED, S.UNKNOWN)


@pytest.mark.parametrize(("local", "said"), [(local, said) for local, said in ALL if local in UNSETTLED])
def test_every_order_can_be_moved_to_what_it_is_found_to_be(local: S, said: Said) -> None:
    """By the order's own table, which no rule here may go around."""
    for has_fills in (False, True):
        order = Order(intent(), local)
        if local is S.PARTIAL and not has_fills:
            continue
        status = order_vs_venue(local, said, has_fills=has_fills).status
        if local is S.PARTIAL and status is S.ACCEPTED:
            continue
        assert moved(order, status).status is status


def test_fills_are_never_forgotten_and_a_no_has_none() -> None:
    for local, said in ALL:
        if local not in UNSETTLED:
            continue
        found = order_vs_venue(local, said, has_fills=True)
        assert found.status is not S.REJECTED
        assert found.fills_kept == (found.status in (S.CANCELLED, S.EXPIRED))


def test_what_was_asked_for_and_cannot_be_seen_is_for_a_person() -> None:
    for local in (S.CANCELLING, S.REPLACING, S.UNRESOLVED):
        for has_fills in (False, True):
            assert order_vs_venue(local, Said.NOT_FOUND, has_fills=has_fills).status is S.UNRESOLVED


@pytest.mark.parametrize(
    "search",
    [
        Search(closed_too=False, quiet_s=11, asked_alone=True),
        Search(closed_too=True, quiet_s=10, asked_alone=True),
        Search(closed_too=True, quiet_s=float("nan"), asked_alone=True),
        Search(closed_too=True, quiet_s=11, asked_alone=False),
        Search(closed_too=True, quiet_s=11, asked_alone=True, balances_read=False),
    ],
)
def test_silence_is_believed_only_after_everything_was_asked(search: Search) -> None:
    assert doubts(COMPLETE, threshold_s=10) is None
    assert doubts(search, threshold_s=10) is not None
